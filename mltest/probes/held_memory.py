"""Memory that is still held after a call: what Python and numpy allocated, what Arrow did, and what neither told.

What was allocated and given back does not count, whether or not the allocator returned it to the system.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import sysconfig
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

UNTOLD_FLOOR = 16 * 2**20
"""Bytes of growth that the process must show before memory is believed that no allocator tells of."""


@dataclass
class Held:
    """Bytes more than before; installed packages that were imported meanwhile are not counted."""

    bytes: int = 0


@contextmanager
def traced() -> Iterator[None]:
    """Inside, `held` sees allocations; older objects are left out of the garbage collections that it needs."""
    own = not tracemalloc.is_tracing()
    gc.collect()
    gc.freeze()
    if own:
        tracemalloc.start()
    try:
        yield
    finally:
        if own:
            tracemalloc.stop()
        gc.unfreeze()


@contextmanager
def held() -> Iterator[Held]:
    """What is held after the block and was not before it."""
    found = Held()
    told, resident, modules = _told(), resident_bytes(), set(sys.modules)
    yield found
    gc.collect()
    imported = [sys.modules[name] for name in set(sys.modules) - modules]
    found.bytes = max(0, _told() - told - _of_packages(imported))
    grown = resident_bytes() - resident
    if grown > UNTOLD_FLOOR + found.bytes and not imported:
        give_back()
        grown = resident_bytes() - resident
        found.bytes = max(found.bytes, grown if grown > UNTOLD_FLOOR else 0)


def _of_packages(imported: Sequence[Any]) -> int:
    """Bytes that installed packages among the modules took for themselves: code is no copy of any data."""
    if not imported:
        return 0
    installed = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    files = {str(getattr(module, "__file__", None)) for module in imported}
    taken = tracemalloc.take_snapshot().statistics("filename")
    names = ((statistic.traceback[0].filename, statistic.size) for statistic in taken)
    return sum(size for name, size in names if "importlib" in name or (name in files and name.startswith(installed)))


def resident_bytes() -> int:
    """Memory of this process that is its own, in bytes; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def give_back() -> None:
    """Asks the C library to return free memory to the system, where it can."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pa.default_memory_pool().release_unused()


def _told() -> int:
    return int(tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes())
