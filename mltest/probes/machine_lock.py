"""One timing at a time on one machine: what two probes time at once is mostly each other.

The lock is a file in the folder for temporary files, held by `flock`, so that it is free again when its holder dies.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltest.evidence import Withheld

PATIENCE = 120.0
"""Seconds after which a probe gives up waiting for others that time."""

_PAUSE = 0.05


def default_path() -> Path:
    """One file a user: nobody can hold up, or be made to write to, what belongs to somebody else."""
    return Path(tempfile.gettempdir()) / f"mltest-timing-{os.getuid()}.lock"


@contextmanager
def alone(path: Path | None = None, patience: float = PATIENCE) -> Iterator[None]:
    """Holds the lock inside. Raises Withheld when others hold it for longer than `patience` seconds."""
    descriptor = os.open(path or default_path(), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, patience)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Withheld(
                    f"other probes have been timing on this machine for {patience:.0f} s: run again when they are done"
                ) from None
            time.sleep(_PAUSE)
        else:
            return
