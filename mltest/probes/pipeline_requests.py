"""What a pipeline's server is asked: the same requests in three names, some of them alone, and one malformed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes.nonce import Planting
from mltest.probes.raw_changes import RawChanges
from mltest.probes.row_digests import row_digests
from mltest.system import ServingHandle
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

Record = Mapping[str, Any]

ALONE = 16
"""Requests of the batch that are also sent one by one, twice."""

NO_NUMBER = "three"
_PATIENCE_S = 3.0


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
class Served:
    """What the server said: answers to the same requests in three names, and its log of them.

    `ordinary_log` is the log before anything else was asked than the ordinary requests, `alone_log` has the rows of
    requests that were sent one by one, `changed` those of requests with other values in one field, by field.
    """

    ordinary: Sequence[Record]
    plain: Sequence[Record]
    marked: Sequence[Record]
    ordinary_log: pa.Table
    log: pa.Table
    alone: tuple[Alone, ...]
    alone_log: pa.Table
    changed: tuple[tuple[str, pa.Table], ...]
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
        changed=() if changes is None else tuple(_changed(handle, changes)),
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


def _changed(handle: ServingHandle, changes: RawChanges) -> Iterator[tuple[str, pa.Table]]:
    for field in changes.values:
        before = to_arrow(handle.request_log())
        try:
            _answered(handle, changes.requests(field))
        except Exception:  # noqa: S112 - a server may refuse mixed requests in whatever way it refuses
            continue
        yield field, new_rows(before, _complete_log(handle, before.num_rows + len(changes.records)))


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
