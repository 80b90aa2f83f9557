"""When a model is to be replaced, and what is known about its ageing: what a training part may offer as `refresh`.

    class MyTraining:
        refresh = mltest.RefreshPolicy(
            every=timedelta(days=30), reported_age=lambda version, at: at - newest_row_of(version)
        )

The policy is measured, not believed: models trained up to several dates are judged on the same later rows, and the age
that the system reports is compared with the newest row that it learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

HOW_TO_OFFER = (
    "give the training part a `refresh`: mltest.RefreshPolicy(every=timedelta(days=...)) with the age at which a model "
    "is replaced, and `reported_age(version, at)` with the age that the system would report"
)


@dataclass(frozen=True)
class AgedLoss:
    """A point of a staleness curve that a system publishes: the share (0.05 is 5 %) by which the loss of a model of
    that age exceeds the loss of a fresh one."""

    age: timedelta
    increase: float


@dataclass(frozen=True)
class RefreshPolicy:
    """A model older than `every` is replaced.

    `counted_from` says in words what starts the clock: the newest training row (`data_end`), a registration, a
    deployment. `reported_age(version, at)` is the age that the system itself would report or alert on; where it is
    absent, the age follows from what the model says it was trained until. `curve` is what the system publishes about
    its own ageing, `reason` why the policy is what it is.
    """

    every: timedelta
    counted_from: str = "data_end"
    reported_age: Callable[[str, datetime], timedelta] | None = None
    curve: Sequence[AgedLoss] = ()
    reason: str = ""


@runtime_checkable
class RefreshedTraining(Protocol):
    """A training whose models are replaced by a rule."""

    @property
    def refresh(self) -> RefreshPolicy: ...
