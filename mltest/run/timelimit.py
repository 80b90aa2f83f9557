"""A time limit for the code of one probe, by a signal in the main thread.

A `ProbeTimeout` is no Exception, so that a broad `except` in a system cannot swallow it; it is one of pytest's own
outcomes, so that fixtures that it interrupts are torn down. A timer that somebody else set (pytest-timeout uses the
same one) is put back with what is left of it. Native code that never returns to Python
cannot be stopped this way: foreign models and tables run in a process of their own for that reason.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class ProbeTimeout(pytest.fail.Exception):  # type: ignore[name-defined, misc]  # pytest has no other public name
    """A probe did not finish within its time limit."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raises `ProbeTimeout` in the block after `seconds`. Does nothing outside the main thread or for 0."""
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: Any) -> None:
        raise ProbeTimeout(f"the probe did not finish within {seconds:g} s (--ml-score-timeout)")

    remaining, interval = signal.getitimer(signal.ITIMER_REAL)
    if 0 < remaining < seconds:
        yield
        return
    started = time.monotonic()
    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if remaining > 0:
            left = max(remaining - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
