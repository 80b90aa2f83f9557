"""Calls of foreign code in a process of its own, with limits of time and memory.

Native code can neither be interrupted nor trusted to survive, so it runs where it can be killed. The process is an
interpreter started afresh and not a child of `multiprocessing`: that would run the caller's main module a second
time, and hand over the caller's environment with all its secrets. Requests and answers cross a socket pair, whose
time-outs cover a peer that stops reading as well as one that stops answering.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from mltest.evidence import PartFailure
from mltest.isolation_answers import loads

Result = TypeVar("Result")
START_SECONDS = 60.0
_HEADER = 8
_KEPT = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "COVERAGE_PROCESS_START")
_KEPT_PREFIXES = ("LC_", "LANG", "CUDA_", "PYTHON", "ORT_")


class Worker:
    """One process that calls importable functions, one call at a time; it is started when first needed.

    `seconds` limits each call, `memory_bytes` the address space of the process. After a call that hung or crashed the
    next one starts a new process. A worker belongs to one thread of one process.
    """

    def __init__(self, seconds: float, memory_bytes: int) -> None:
        if seconds <= 0 or memory_bytes <= 0:
            raise ValueError("a worker needs a positive limit of seconds and of memory_bytes")
        self.seconds, self.memory_bytes = seconds, memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._finalizer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process that waits for calls, if there is one."""
        return None if self._process is None else self._process.pid

    def call(self, function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
        """What the function returns: plain data, numpy arrays, or frozen records of this package.

        Raises ValueError where the function does, which is how a part refuses its input, and PartFailure for any other
        exception, for no answer in time, and for a process that ended.
        """
        request = pickle.dumps((function, arguments, named))
        try:
            self._ensure_started()
            deadline = time.monotonic() + self.seconds
            _send(self._channel(), request, deadline)
            kind, answer = loads(_receive(self._channel(), deadline))
        except TimeoutError:
            self.close()
            raise PartFailure(f"did not answer within {self.seconds:g} s, and was ended") from None
        except (EOFError, OSError):
            raise PartFailure(self._epitaph()) from None
        except BaseException:
            self.close()
            raise
        if kind == "returned":
            result: Result = answer
            return result
        raise (ValueError if kind == "refused" else PartFailure)(answer)

    def close(self) -> None:
        """Ends the process with everything that it started. The next call starts another."""
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._socket = self._finalizer = None

    def _channel(self) -> socket.socket:
        if self._socket is None:
            raise EOFError
        return self._socket

    def _ensure_started(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [sys.executable, "-c", _BOOT, str(theirs.fileno()), str(self.memory_bytes)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        self._socket = ours
        self._finalizer = weakref.finalize(self, _end, self._process, ours)
        deadline = time.monotonic() + START_SECONDS
        _send(ours, pickle.dumps(sys.path), deadline)
        _receive(ours, deadline)

    def _epitaph(self) -> str:
        """Why the process is gone. It is given a moment to be gone for good."""
        status: int | None = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(5)
        self.close()
        if status is None:
            return "closed its connection without an answer"
        if status < 0:
            return f"crashed: its process was ended by {signal.Signals(-status).name}"
        return f"ended its process with status {status} instead of answering"


_BOOT = """
import pickle, socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
stream = channel.makefile('rb')
sys.path[:] = pickle.loads(stream.read(int.from_bytes(stream.read(8), 'big')))
from mltest.isolation_worker import serve
serve(channel, stream, int(sys.argv[2]))
"""


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith(_KEPT_PREFIXES)}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _send(channel: socket.socket, message: bytes, deadline: float) -> None:
    channel.settimeout(max(deadline - time.monotonic(), 0.001))
    channel.sendall(len(message).to_bytes(_HEADER, "big") + message)


def _receive(channel: socket.socket, deadline: float) -> bytes:
    return _exactly(channel, int.from_bytes(_exactly(channel, _HEADER, deadline), "big"), deadline)


def _exactly(channel: socket.socket, size: int, deadline: float) -> bytes:
    parts, missing = [], size
    while missing:
        channel.settimeout(max(deadline - time.monotonic(), 0.001))
        part = channel.recv(min(missing, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _end(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    channel.close()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
