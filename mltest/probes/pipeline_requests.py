"""What a pipeline's server is asked: the same requests in three names, some of them alone, and one malformed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes.nonce import Planting
from mltest.probes.raw_changes import RawChanges
from mltest.probes.row_digests import row_digests
from mltest.probes.row_pairs import RowPairs
from mltest.system import ServingHandle
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

Record = Mapping[str, Any]

ALONE = 16
"""Requests of the batch that are also sent one by one, twice."""

NO_NUMBER = "three"
_PATIENCE_S = 3.0
_TRIED = 6


@dataclass(frozen=True)
class Alone:
    """Two answers to the request at `position` of the batch, sent as a request of its own."""

    position: int
    first: Record
    second: Record


@dataclass(frozen=True)
class Malformed:
    """A record with a word in the number `field`, and what the server answered; None where it refused."""

    field: str
    answer: Record | None


@dataclass(frozen=True)
class Changed:
    """Logged rows of requests with other values in `fields`, none of which is part of their key or moment."""

    fields: tuple[str, ...]
    log: pa.Table


@dataclass(frozen=True)
class Served:
    """What the server said: answers to the same requests in three names, and its log of them.

    `ordinary_log` is the log before anything else was asked than the ordinary requests, `alone_log` has the rows of
    requests that were sent one by one.
    """

    ordinary: Sequence[Record]
    plain: Sequence[Record]
    marked: Sequence[Record]
    ordinary_log: pa.Table
    log: pa.Table
    alone: tuple[Alone, ...]
    alone_log: pa.Table
    changed: Changed | None
    malformed: Malformed | None

    @property
    def answers(self) -> tuple[Record, ...]:
        return (*self.ordinary, *self.plain, *self.marked)


def ask(
    handle: ServingHandle,
    records: Sequence[Record],
    planting: Planting,
    changes: RawChanges | None,
    numbers: Sequence[str],
) -> Served:
    """Asks a running server. A word stands in place of the first of `numbers`, fields that hold numbers.

    Raises ValueError when an answer lacks what every answer must have.
    """
    ordinary = _answered(handle, records)
    ordinary_log = _complete_log(handle, len(records))
    plain = _answered(handle, [{**record, planting.column: planting.plain} for record in records])
    marked = _answered(handle, [{**record, planting.column: planting.marked} for record in records])
    log = _complete_log(handle, 3 * len(records))
    positions = np.unique(np.linspace(0, len(records) - 1, ALONE).round().astype(int)).tolist()
    first = {position: _answered(handle, [records[position]])[0] for position in positions}
    alone_log = new_rows(log, _complete_log(handle, log.num_rows + len(positions)))
    second = {position: _answered(handle, [records[position]])[0] for position in positions}
    return Served(
        ordinary=ordinary,
        plain=plain,
        marked=marked,
        ordinary_log=ordinary_log,
        log=log,
        alone=tuple(Alone(position, first[position], second[position]) for position in positions),
        alone_log=alone_log,
        changed=None if changes is None else _changed(handle, changes, ordinary_log, alone_log),
        malformed=_malformed(handle, records[0], numbers),
    )


def _answered(handle: ServingHandle, records: Sequence[Record]) -> Sequence[Record]:
    answers = handle.predict(records)
    if len(answers) != len(records) or not all({"prediction", "version"} <= set(answer) for answer in answers):
        raise ValueError("it must answer each record with a `prediction` and a `version`")
    return answers


def _complete_log(handle: ServingHandle, rows: int) -> pa.Table:
    """The log once it has so many rows, or as it is when patience ends: servers may write it later."""
    deadline = time.monotonic() + _PATIENCE_S
    log = to_arrow(handle.request_log())
    while log.num_rows < rows and time.monotonic() < deadline:
        time.sleep(0.1)
        log = to_arrow(handle.request_log())
    return log


def _changed(handle: ServingHandle, changes: RawChanges, ordinary: pa.Table, repeated: pa.Table) -> Changed | None:
    """Tries every field by itself on a few requests, then sends all of them with other values in all that may be.

    A field that the server refuses to see exchanged is left out. So is one that changes the key or the moment of most
    requests: at another moment another past is known, in which a server may find the very event that it is asked about.
    """
    if not changes.keys or not set(changes.keys) <= set(ordinary.column_names):
        return None
    moments = _moments(ordinary, repeated, changes)
    if not moments:
        return None
    free = [field for field in changes.values if _is_free(handle, changes, field, ordinary, moments)]
    log = _logged(handle, changes.requests(free)) if free else None
    return None if log is None else Changed(tuple(free), log)


def _moments(ordinary: pa.Table, repeated: pa.Table, changes: RawChanges) -> list[str]:
    """Columns of the log that say which moment was answered for: instants that are the same when asked again."""
    import pyarrow.types as pt

    pairs = RowPairs.of(ordinary, repeated, changes.keys)
    instants = [field.name for field in ordinary.schema if pt.is_temporal(field.type) or field.name == changes.time]
    return [name for name in instants if pairs.keys and not pairs.moved(name)]


def _is_free(
    handle: ServingHandle, changes: RawChanges, field: str, ordinary: pa.Table, moments: Sequence[str]
) -> bool:
    tried = _logged(handle, changes.requests([field])[:_TRIED])
    if tried is None or not tried.num_rows:
        return False
    pairs = RowPairs.of(ordinary, tried, changes.keys)
    moved = set[str]().union(*(pairs.moved(name) for name in moments))
    return bool(2 * (len(pairs.keys) - len(moved)) > tried.num_rows)


def _logged(handle: ServingHandle, records: Sequence[Record]) -> pa.Table | None:
    """The new rows of the log after these requests; None where the server refuses them, in whatever way it does."""
    before = to_arrow(handle.request_log())
    try:
        _answered(handle, records)
    except Exception:
        return None
    return new_rows(before, _complete_log(handle, before.num_rows + len(records)))


def new_rows(before: pa.Table, after: pa.Table) -> pa.Table:
    """The rows of a log that were not in it before; a row that is there once more counts as new."""
    import pyarrow.types as pt

    nested = {field.name for field in after.schema if pt.is_nested(field.type)}
    names = [name for name in after.column_names if name in before.column_names and name not in nested]
    known = Counter(row_digests(before, names).tolist())
    fresh: list[int] = []
    for place, digest in enumerate(row_digests(after, names).tolist()):
        known[digest] -= 1
        if known[digest] < 0:
            fresh.append(place)
    return after.take(np.array(fresh, dtype=np.int64))


def _malformed(handle: ServingHandle, record: Record, numbers: Sequence[str]) -> Malformed | None:
    if not numbers:
        return None
    try:
        answers = handle.predict([{**record, numbers[0]: NO_NUMBER}])
    except Exception:
        return Malformed(numbers[0], None)
    return Malformed(numbers[0], answers[0] if answers else None)
