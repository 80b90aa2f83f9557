"""Lookups of the buoys that show too little or cost too much in ways that are hard to see, and odd ones that are well.

Each name is a function of a SystemRef that gives a System.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from mltest.system import System, SystemRef
from tests.suites.buoys import BUDGETS, INPUTS, BuoyFeatures, BuoyLookup, with_features

Records = Sequence[Mapping[str, Any]]
Values = Mapping[str, Sequence[Any]]


def spin(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@dataclass
class Everything(BuoyLookup):
    """Computes all features whatever is named, in 1 ms a request, and gives the named ones."""

    def values(self, records: Records, names: Sequence[str]) -> Values:
        spin(0.00095)
        found = super().values(records, INPUTS)
        return {name: found[name] for name in names}


@dataclass
class SlowShared(BuoyLookup):
    """Does 5 ms of work for every request that no feature asked for."""

    def values(self, records: Records, names: Sequence[str]) -> Values:
        spin(0.005)
        return super().values(records, names)


@dataclass
class MadeUp(BuoyLookup):
    """Is fast, and answers what nobody ever computed."""

    def made(self, name: str, record: Mapping[str, Any]) -> Any:
        return "elsewhere" if name == "sea" else 0.123


@dataclass
class SlowWhenNew(BuoyLookup):
    """Takes 2 ms for the depth of a report that it has not seen, and remembers its answers."""

    known: set[str] = field(default_factory=set)

    def made(self, name: str, record: Mapping[str, Any]) -> Any:
        if name == "depth" and repr(record) not in self.known:
            spin(0.002)
            self.known.add(repr(record))
        return super().made(name, record)


@dataclass
class SlowAtTimes(BuoyLookup):
    """Takes 2 ms for the depth in one of five requests."""

    asked: int = 0

    def made(self, name: str, record: Mapping[str, Any]) -> Any:
        if name == "depth":
            self.asked += 1
            if self.asked % 5 == 0:
                spin(0.002)
        return super().made(name, record)


@dataclass
class Raising(BuoyLookup):
    def values(self, records: Records, names: Sequence[str]) -> Values:
        raise AssertionError("the store is gone")


@dataclass
class MoreThanAsked(BuoyLookup):
    """Gives all columns whatever is named."""

    def values(self, records: Records, names: Sequence[str]) -> Values:
        return super().values(records, INPUTS)


@dataclass
class ReadByNativeCode(BuoyLookup):
    """Reads a file through Arrow for every depth, which no audit hook hears."""

    def made(self, name: str, record: Mapping[str, Any]) -> Any:
        if name == "depth":
            with pa.OSFile(str(Path(__file__)), "r") as file:
                file.read(64)
        return super().made(name, record)


@dataclass
class ArrowTable(BuoyLookup):
    """Hands over Arrow tables, as a server does whose model reads them."""

    def values(self, records: Records, names: Sequence[str]) -> Any:
        return pa.table(dict(super().values(records, names)))


@dataclass
class NewModule(BuoyLookup):
    """Imports something large when it is first asked for a depth."""

    def made(self, name: str, record: Mapping[str, Any]) -> Any:
        if name == "depth":
            import xml.dom.minidom  # noqa: F401
        return super().made(name, record)


def _with(lookup: Any) -> Callable[[SystemRef], System]:
    return lambda ref: with_features(ref, BuoyFeatures(lookup=lookup))


everything, slow_shared, made_up = _with(Everything), _with(SlowShared), _with(MadeUp)
slow_when_new, slow_at_times, raising = _with(SlowWhenNew), _with(SlowAtTimes), _with(Raising)
more_than_asked, read_by_native_code = _with(MoreThanAsked), _with(ReadByNativeCode)
arrow_table, new_module = _with(ArrowTable), _with(NewModule)


def no_budget(ref: SystemRef) -> System:
    return with_features(ref, BuoyFeatures(budgets={**BUDGETS, "wind": None}))


@dataclass(frozen=True)
class BatchOnly:
    """Features that nobody looks up."""

    inner: BuoyFeatures = field(default_factory=BuoyFeatures)

    @property
    def catalogue(self) -> Any:
        return self.inner.catalogue

    def compute(self, raw: Mapping[str, Any], at: Any = None) -> pa.Table:
        return self.inner.compute(raw, at)


def batch_only(ref: SystemRef) -> System:
    return with_features(ref, BatchOnly())
