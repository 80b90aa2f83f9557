"""Changes in a process what only the process itself can change: its clock, the order of its listings, its cores.

Only a process that was started for one training is ever altered, before it imports the system under test. Native code
that asks the operating system for the time (`now()` in SQL, `numpy.datetime64("now")`) still hears the true one, and
so do file systems: `perf_counter`, `monotonic` and times of files stay as they are.
"""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from mltest.probes.surroundings import Surroundings


def alter(place: Surroundings) -> None:
    """Makes this process differ as `place` says."""
    if place.clock_ahead:
        _move_clock(place.clock_ahead)
    if place.other_listings:
        _turn_listings()
    if place.one_core:
        _show_one_core()


def _move_clock(ahead: timedelta) -> None:
    """Every way in which Python code asks for the time of day answers `ahead` of it."""
    seconds, nanoseconds = ahead.total_seconds(), round(ahead.total_seconds() * 1e9)
    true_seconds, true_nanoseconds = time.time, time.time_ns
    _move_functions(lambda: true_seconds() + seconds, lambda: true_nanoseconds() + nanoseconds)

    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        return cls.fromtimestamp(time.time(), tz)

    def utcnow(cls: type[datetime]) -> datetime:
        return cls.fromtimestamp(time.time(), UTC).replace(tzinfo=None)

    def today(cls: type[date]) -> date:
        return cls.fromtimestamp(time.time())

    _exchange(datetime, now=classmethod(now), utcnow=classmethod(utcnow), today=classmethod(today))
    _exchange(date, today=classmethod(today))


def _move_functions(now: Callable[[], float], nanoseconds: Callable[[], int]) -> None:
    """The functions of the module `time`: those that may be given a moment take the moved one when none is given."""
    module: Any = time
    module.localtime, module.gmtime, module.ctime = (
        _at_moved(function, now) for function in (time.localtime, time.gmtime, time.ctime)
    )
    strftime, asctime, local = time.strftime, time.asctime, module.localtime
    module.strftime = lambda form, moment=None: strftime(form, local() if moment is None else moment)
    module.asctime = lambda moment=None: asctime(local() if moment is None else moment)
    module.time, module.time_ns = now, nanoseconds
    for name, moved in (("clock_gettime", now), ("clock_gettime_ns", nanoseconds)):
        if hasattr(time, name):
            setattr(module, name, _of_day(getattr(time, name), moved))


def _at_moved(function: Callable[..., Any], now: Callable[[], float]) -> Callable[..., Any]:
    return lambda seconds=None: function(now() if seconds is None else seconds)


def _of_day(function: Callable[[int], Any], moved: Callable[[], Any]) -> Callable[[int], Any]:
    return lambda clock: moved() if clock == time.CLOCK_REALTIME else function(clock)


def _exchange(kind: type, **methods: object) -> None:
    """Exchanges methods of a type that is written in C.

    The type itself has to stay: a subclass under its name is refused by native code that makes instances, and missed
    by every module that imported the type before.
    """
    (namespace,) = (found for found in gc.get_referents(kind.__dict__) if isinstance(found, dict))
    namespace.update(methods)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def _turn_listings() -> None:
    """`os.listdir` and `os.scandir`, and so glob, walk and pathlib, give every folder the other way round.

    Turned round, and not shuffled or sorted: two files change places for certain, and the first is never the first.
    """
    module: Any = os
    listdir, scandir = os.listdir, os.scandir

    def listed(path: Any = ".") -> list[Any]:
        return listdir(path)[::-1]

    def scanned(path: Any = ".") -> _Scanned:
        with scandir(path) as entries:
            return _Scanned([*entries][::-1])

    module.listdir, module.scandir = listed, scanned


class _Scanned(Iterator[Any]):
    """Entries of a folder, to be used like what `os.scandir` gives."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Scanned:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def _show_one_core() -> None:
    """One core to run on, where the operating system lets a process choose; where there is only one, two are said."""
    there = os.cpu_count() or 1
    module: Any = os
    module.cpu_count = lambda: 1 if there > 1 else 2
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
