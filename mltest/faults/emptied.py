"""Every part at once: its tables and lists passed through one change, or no answer at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa

from mltest.faults.parts import (
    ExchangedData,
    ExchangedFeatures,
    ExchangedRegistry,
    ExchangedServing,
)
from mltest.faults.repositories import every_list
from mltest.faults.rows import as_arrow
from mltest.system import System


@dataclass(frozen=True)
class Rowwise:
    """One change of tables, and its counterpart for lists."""

    tables: Callable[[pa.Table], pa.Table]
    entries: Callable[[Sequence[Any]], Sequence[Any]]


class Silent:
    """A part whose attributes exist as far as they did before, and raise when they are used or read."""

    def __init__(self, part: str, inner: Any) -> None:
        object.__setattr__(self, "_names", (part, inner))

    def __getattr__(self, name: str) -> Any:
        part, inner = object.__getattribute__(self, "_names")
        if name.startswith("__"):
            raise AttributeError(name)
        if callable(getattr(inner, name)):
            return lambda *_, **__: _no_answer(part, name)
        return _no_answer(part, name)


class InjectedOutage(RuntimeError):  # noqa: N818 - named after what happens
    """A part was made to raise on purpose."""


def _no_answer(part: str, name: str) -> NoReturn:
    raise InjectedOutage(f"the part {part} does not answer to {name}: an outage was injected")


class _ChangedLabels:
    """Labels whose rows are changed."""

    def __init__(self, inner: Any, change: Rowwise) -> None:
        self.inner = inner
        self._change = change

    def arrived(self, at: Any) -> pa.Table:
        return self._change.tables(as_arrow(self.inner.arrived(at)))


class _ChangedMonitor:
    """A monitor whose alerts are changed."""

    def __init__(self, inner: Any, change: Rowwise) -> None:
        self.inner = inner
        self._change = change

    def check(self, window: Any, at: Any) -> Sequence[Any]:
        return self._change.entries(tuple(self.inner.check(window, at)))

    def heartbeat(self) -> Any:
        return self.inner.heartbeat()


def rows_exchanged(system: System, change: Rowwise) -> System:
    """The system with every table and every list that a part gives out passed through `change`."""
    table, entries = change.tables, change.entries
    makers: Mapping[str, Callable[[Any], Any]] = {
        "data": lambda p: ExchangedData(p, rows=lambda _, rows: table(rows), raw_rows=lambda _, rows: table(rows)),
        "features": lambda p: ExchangedFeatures(p, computed=table, listed=entries),
        "registry": lambda p: ExchangedRegistry(p, known=entries),
        "serving": lambda p: ExchangedServing(p, logged=table, recorded=entries),
        "monitor": lambda p: _ChangedMonitor(p, change),
        "labels": lambda p: _ChangedLabels(p, change),
        "repository": lambda p: every_list(p, entries),
    }
    offered = {name: make(getattr(system, name)) for name, make in makers.items() if name in system.parts()}
    return system.with_parts(**offered)
