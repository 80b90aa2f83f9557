"""The small part of history that a pipeline is run on: a stretch to learn from, and a stretch after it to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from mltest.system import Data, Effort, Window
from mltest.tables.rows import to_arrow

ROWS: Mapping[Effort, int] = {"quick": 12_000, "standard": 40_000, "thorough": 100_000}
"""Rows of both stretches together."""

SERVED_SHARE = 0.2
_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class PipelineSlice:
    """Windows of learning and serving, `share` of all training rows; without a time, everything and None."""

    learn: Window | None
    serve: Window
    share: float

    @property
    def whole(self) -> Window | None:
        """Both stretches."""
        return None if self.learn is None else (self.learn[0], self.serve[1])

    @property
    def before(self) -> Window | None:
        """The day before both."""
        return None if self.learn is None else (self.learn[0] - timedelta(days=1), self.learn[0])

    @property
    def served_from(self) -> datetime | None:
        """The moment at which the server starts."""
        return None if self.learn is None else self.serve[0]


def newest(data: Data, rows: int) -> PipelineSlice:
    """The newest rows of the split `train`, so that whatever is judged later was not learnt from."""
    instants = _instants(data)
    if instants is None:
        return PipelineSlice(None, _EVER, 1.0)
    taken = min(rows, instants.size)
    begin = _moment(instants[-taken])
    served = _moment(instants[-max(1, round(taken * SERVED_SHARE))])
    if begin < _midnight(served):
        served = _midnight(served)
    return PipelineSlice((begin, served), (served, _moment(instants[-1] + 1)), taken / instants.size)


def earliest(data: Data, rows: int) -> PipelineSlice:
    """The first rows of the split `train`, of which little history has to be known."""
    instants = _instants(data)
    if instants is None:
        return PipelineSlice(None, _EVER, 1.0)
    taken = min(rows, instants.size)
    begin, end = _moment(instants[0]), _moment(instants[taken - 1] + 1)
    served = _moment(instants[round((taken - 1) * (1 - SERVED_SHARE))])
    if begin < _midnight(served):
        served = _midnight(served)
    return PipelineSlice((begin, served), (served, end), taken / instants.size)


def _instants(data: Data) -> Any:
    """When the training rows happened, in microseconds, in order; None where there is no time to go by."""
    import pyarrow as pa

    time = data.roles.time
    if time is None:
        return None
    column = to_arrow(data.dataset("train"), [time]).column(time)
    if not pa.types.is_timestamp(column.type):
        return None
    known = column.cast(pa.timestamp("us")).drop_null()
    instants = np.sort(known.cast(pa.int64()).to_numpy())
    return instants if instants.size >= 2 else None


def _moment(microseconds: np.int64) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
