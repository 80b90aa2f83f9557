"""Code of somebody else, as a worker may have to run it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np

from mltest.evidence import PartFailure


def double(values: np.ndarray) -> np.ndarray:
    return values * 2


def process_id() -> int:
    return os.getpid()


def environment() -> dict[str, str]:
    return dict(os.environ)


def shout() -> str:
    sys.stdout.write("noise on the standard output\n")
    return "done"


def hang() -> None:
    time.sleep(600)


def hang_in_native_code() -> None:
    ctypes.PyDLL(None).sleep(600)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(7)


def allocate(size: int) -> int:
    return len(bytearray(size))


def refuse() -> None:
    raise ValueError("distance is negative")


def stumble() -> None:
    raise ZeroDivisionError("a table\nwithout rows")


def fail() -> None:
    raise PartFailure("model.onnx: is broken")


def answer_with_code() -> Any:
    return Payload()


def leave_a_child(seconds: int) -> int:
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"]).pid


class Payload:
    """A pickle of it runs a command where it is read."""

    def __reduce__(self) -> Any:
        return os.system, ("touch taken-over",)
