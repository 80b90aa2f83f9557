"""The other side of `mltest.isolation`: waits for calls and answers them until its caller is gone."""

from __future__ import annotations

import os
import pickle
import socket
import threading
import time
from typing import Any, BinaryIO

_HEADER = 8


def serve(channel: socket.socket, stream: BinaryIO, memory_bytes: int) -> None:
    """Answers calls until the connection closes. Never returns while the caller lives."""
    _limit(memory_bytes)
    threading.Thread(target=_outlive_nobody, args=(os.getppid(),), daemon=True).start()
    _send(channel, pickle.dumps("ready"))
    while header := stream.read(_HEADER):
        _send(channel, _answer(stream.read(int.from_bytes(header, "big"))))


def _limit(memory_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _outlive_nobody(parent: int) -> None:
    """Ends this process when its caller was killed in the middle of a call, and could not close the connection."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _answer(request: bytes) -> bytes:
    try:
        function, arguments, named = pickle.loads(request)  # noqa: S301 - it comes from the process that started us
        return pickle.dumps(("returned", function(*arguments, **named)))
    except ValueError as error:
        return pickle.dumps(("refused", _line(error)))
    except MemoryError:
        return pickle.dumps(("failed", "needed more memory than it is allowed"))
    except Exception as error:  # whatever it is, the caller has to hear of it
        return pickle.dumps(("failed", _said(error)))


def _said(error: Exception) -> str:
    from mltest.evidence import PartFailure

    line = _line(error)
    return line if isinstance(error, PartFailure) else f"{type(error).__name__}: {line}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:2000] or type(error).__name__


def _send(channel: socket.socket, message: Any) -> None:
    channel.sendall(len(message).to_bytes(_HEADER, "big") + message)
