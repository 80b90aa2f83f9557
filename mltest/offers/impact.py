"""The two numbers that a release is decided by: the one computed offline, and the one that users feel.

Offline: a metric of a model on rows that the system evaluates candidates on. Online: what an answer is worth once its
outcome is known, on requests as they were served and labels as they arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from mltest.evidence import Better

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.stats.arrays import FloatArray
    from mltest.system import Model


@dataclass(frozen=True)
class OfflineMetric:
    """The metric that candidates are chosen by, as the system computes it.

    `rows()` are those that it evaluates on, with keys, time, inputs and target; `value(model, rows)` is the metric of a
    model that the training part loaded, on all or some of them.
    """

    name: str
    better: Better
    rows: Callable[[], pa.Table]
    value: Callable[[Model, pa.Table], float]


class MeasuresOffline(Protocol):
    """A `training` part that says what its candidates are chosen by."""

    @property
    def offline_metric(self) -> OfflineMetric: ...


@dataclass(frozen=True)
class OnlineImpact:
    """What answers were worth to those who acted on them.

    `per_row(answers, outcomes)` has one number a row, shape (rows,): answers of shape (rows,) for a number, (rows,
    classes) for classes, outcomes as numbers or positions of classes in sorted order. `simulated` says that nobody
    acted on these answers: whatever is computed on a replay is.
    """

    name: str
    better: Better
    simulated: bool
    per_row: Callable[[FloatArray, FloatArray], FloatArray]


class ReplayableLabels(Protocol):
    """A `labels` part whose labels can be set against requests that are replayed."""

    @property
    def impact(self) -> OnlineImpact: ...

    def requests(self) -> pa.Table:
        """Requests as they were served, in order of time: keys, time and inputs, whether or not a label came."""
        ...

    def arrived(self, at: datetime) -> pa.Table:
        """Labels that had arrived: keys, the outcome under the name of the target, and the instant `arrived_at`."""
        ...

    def joined(self, answers: pa.Table, at: datetime) -> pa.Table:
        """The system's own join: answers (keys, time, `prediction`) that have a label, and that under its name."""
        ...
