"""Events arranged for look-up: one lane per kind of event and set of keys, one log per key value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reference_system.declarations import EVENTS, WINDOW_FEATURES, EventKind
from reference_system.event_log import EventLog
from reference_system.records import Row

Key = tuple[object, ...]


@dataclass(frozen=True)
class Lane:
    """The logs of all key values. ``columns`` are the event values that some declared feature reads."""

    events: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    logs: dict[Key, EventLog] = field(default_factory=dict)

    @property
    def kind(self) -> EventKind:
        """The raw table and the instant that make an event of this lane."""
        return EVENTS[self.events]

    def fill(self, happened: pa.Table) -> None:
        """Take in a whole history at once: events ``in_order``; those whose key is unknown in part belong to no log."""
        happened = happened.select(list(dict.fromkeys((self.kind.time, "flight_id", *self.keys, *self.columns))))
        for key in self.keys:
            if happened[key].null_count:
                happened = happened.filter(happened[key].is_valid())
        codes = _codes(happened, self.keys)
        order = np.argsort(codes, kind="stable")
        edges = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
        sorted_table = happened.take(pa.array(order))
        times = sorted_table[self.kind.time].to_numpy()
        ids = sorted_table["flight_id"].to_pylist()
        values = {name: sorted_table[name].to_numpy() for name in self.columns}
        first = sorted_table.select(list(self.keys)).take(pa.array(edges[:-1])).to_pylist()
        for row, (start, until) in zip(first, pairwise(edges.tolist()), strict=True):
            part = {name: column[start:until] for name, column in values.items()}
            self.logs[tuple(row[key] for key in self.keys)] = EventLog(times[start:until], ids[start:until], part)

    def insert(self, event: Row, time: int, values: Mapping[str, float]) -> None:
        """Add one event; one whose key is unknown in part belongs to no log."""
        key = self.key_of(event)
        if None in key:
            return
        if key not in self.logs:
            self.logs[key] = EventLog((), (), dict.fromkeys(self.columns, ()))
        self.logs[key].insert(time, str(event["flight_id"]), values)

    def key_of(self, row: Row) -> Key:
        """The key values of a flight or an event."""
        return tuple(row[name] for name in self.keys)


def declared_lanes() -> tuple[Lane, ...]:
    """One empty lane for each kind of event and set of keys among the declarations."""
    columns: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for feature in WINDOW_FEATURES:
        read = columns.setdefault((feature.events, feature.keys), set())
        if feature.event_value is not None:
            read.add(feature.event_value)
    return tuple(Lane(events, keys, tuple(sorted(read))) for (events, keys), read in columns.items())


def in_order(table: pa.Table, kind: EventKind) -> pa.Table:
    """The rows of ``table`` that are events of a kind, in order of time, then id."""
    known = table.filter(table[kind.time].is_valid())
    return known.sort_by([(kind.time, "ascending"), ("flight_id", "ascending")])


def _codes(table: pa.Table, columns: Sequence[str]) -> npt.NDArray[np.int64]:
    combined = np.zeros(table.num_rows, dtype=np.int64)
    for name in columns:
        encoded = pc.dictionary_encode(table[name]).combine_chunks()
        combined = combined * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy().astype(np.int64)
    return combined
