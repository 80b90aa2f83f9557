"""What a pipeline's server is asked: the same requests in three names, some of them alone, and one malformed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes.nonce import Planting
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

    `ordinary_log` is the log before anything else was asked than the ordinary requests.
    """

    ordinary: Sequence[Record]
    plain: Sequence[Record]
    marked: Sequence[Record]
    ordinary_log: pa.Table
    log: pa.Table
    alone: tuple[Alone, ...]
    malformed: Malformed | None

    @property
    def answers(self) -> tuple[Record, ...]:
        return (*self.ordinary, *self.plain, *self.marked)


def ask(handle: ServingHandle, records: Sequence[Record], planting: Planting, numbers: Sequence[str]) -> Served:
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
    second = {position: _answered(handle, [records[position]])[0] for position in positions}
    return Served(
        ordinary=ordinary,
        plain=plain,
        marked=marked,
        ordinary_log=ordinary_log,
        log=log,
        alone=tuple(Alone(position, first[position], second[position]) for position in positions),
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


def _malformed(handle: ServingHandle, record: Record, numbers: Sequence[str]) -> Malformed | None:
    if not numbers:
        return None
    try:
        answers = handle.predict([{**record, numbers[0]: NO_NUMBER}])
    except Exception:
        return Malformed(numbers[0], None)
    return Malformed(numbers[0], answers[0] if answers else None)
