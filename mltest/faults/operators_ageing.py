"""Faults of what is known about ageing: a curve without ages, a clock that starts anew, a policy that waits long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import anything_changed, data_changed
from mltest.faults.parts import ExchangedData, ExchangedTraining, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import floats, is_numeric, normal, with_column
from mltest.offers.refresh import AgedLoss, RefreshPolicy
from mltest.system import System

A_YEAR = 365.0
_SOME_AGES = (1, 2, 3, 4, 6, 8)
"""Multiples of the policy's age at which a curve is published where the system publishes none."""
_ONE_TENTH = 0.1

PolicyChange = Callable[[RefreshPolicy], RefreshPolicy]


@dataclass(frozen=True)
class RefreshedOtherwise(ExchangedTraining):
    """Training whose refresh policy is another one."""

    policy: PolicyChange | None = None

    @property
    def refresh(self) -> RefreshPolicy:
        inner: Any = self.inner
        found: RefreshPolicy = inner.refresh
        return found if self.policy is None else self.policy(found)


def refreshed_otherwise(system: System, policy: PolicyChange | None) -> System:
    """The system with another refresh policy; None changes nothing. Raises NotApplicable where there is none."""
    training = training_of(system)
    if getattr(training, "refresh", None) is None:
        raise NotApplicable(f"{system.name} offers no refresh policy")
    return system.with_parts(training=RefreshedOtherwise(training, policy=policy))


def policy_changed(healthy: System, faulted: System) -> str:
    """What the refresh policy says otherwise: its age, its curve, or the age that it reports."""
    before, after = (_said(system) for system in (healthy, faulted))
    names = ("age at which models are replaced", "published curve", "reported age")
    moved = [name for name, old, new in zip(names, before, after, strict=True) if old != new]
    return f"the refresh policy has another {' and '.join(moved)}" if moved else ""


def _said(system: System) -> tuple[Any, Any, Any]:
    training: Any = training_of(system)
    policy: RefreshPolicy = training.refresh
    at, version = datetime.fromisoformat("2100-01-01T00:00:00+00:00"), _version(system)
    age = None if policy.reported_age is None or version is None else policy.reported_age(version, at)
    return policy.every, tuple(policy.curve), age


def _version(system: System) -> str | None:
    return None if system.model is None else system.model.metadata.version


@fault(
    "O-M4-a",
    item="model.staleness",
    seam="spec",
    doses=(0.5, 1.0),
    must_catch=1.0,
    parts=("training",),
    alive=policy_changed,
    why="a backtest whose rows were split at random: age has no meaning, and the curve is flat",
)
def flat_curve(system: System, dose: float, workdir: Path) -> System:
    """The published staleness curve is flatter by that share, as a random split would make it."""

    def flattened(policy: RefreshPolicy) -> RefreshPolicy:
        published = policy.curve or [AgedLoss(policy.every * times, 0.0) for times in _SOME_AGES]
        return replace(policy, curve=tuple(AgedLoss(p.age, (1.0 - dose) * p.increase) for p in published))

    return refreshed_otherwise(system, flattened if dose else None)


@twin("O-M4-a")
def curve_in_whole_per_cent(system: System, dose: float, workdir: Path) -> System:
    """Every other point of the published curve, in whole per cent."""

    def rounded(policy: RefreshPolicy) -> RefreshPolicy:
        return replace(policy, curve=tuple(AgedLoss(p.age, round(p.increase, 2)) for p in policy.curve[::2]))

    return refreshed_otherwise(system, rounded if dose else None)


@fault(
    "O-M4-b",
    item="model.staleness",
    seam="art",
    doses=(30, 90, 180),
    must_catch=90,
    parts=("training", "model"),
    alive=policy_changed,
    why="age counted from the registration, while the snapshot that was trained on is months older",
)
def counted_from_registration(system: System, dose: float, workdir: Path) -> System:
    """The reported age begins `dose` days after the newest training row, when the model was registered."""

    def later(policy: RefreshPolicy) -> RefreshPolicy:
        reported = policy.reported_age
        if reported is None:
            return replace(policy, reported_age=lambda _, at: at - _trained_until(system) - timedelta(days=dose))
        return replace(policy, reported_age=lambda version, at: reported(version, at) - timedelta(days=dose))

    return refreshed_otherwise(system, later if dose else None)


@twin("O-M4-b", alive=anything_changed)
def registered_again(system: System, dose: float, workdir: Path) -> System:
    """The same model is registered again under another version, for a slip in its description; its rows stay."""
    if not dose or system.model is None:
        return refreshed_otherwise(system, None)
    known = system.model.metadata.version
    model = exchanged_model(system.model, described=lambda info: replace(info, version=f"{info.version}-again"))

    def of_either(policy: RefreshPolicy) -> RefreshPolicy:
        reported = policy.reported_age
        return policy if reported is None else replace(policy, reported_age=lambda _, at: reported(known, at))

    return refreshed_otherwise(system, of_either).with_parts(model=model)


@fault(
    "O-M4-c",
    item="model.staleness",
    seam="spec",
    doses=(60, 120, 365),
    must_catch=365,
    parts=("training",),
    alive=policy_changed,
    why="a refresh policy that was copied from a team whose world moves more slowly",
)
def refreshed_rarely(system: System, dose: float, workdir: Path) -> System:
    """Models are replaced only after `dose` days."""
    every = timedelta(days=dose)
    return refreshed_otherwise(system, (lambda policy: replace(policy, every=every)) if dose else None)


@twin("O-M4-c", seam="raw", parts=("data", "training"), alive=data_changed)
def a_hard_season(system: System, dose: float, workdir: Path) -> System:
    """A tenth of the time is harder for every model, the freshest included: outcomes scatter by a deviation more."""
    return target_moved(system, _scattered if dose else None)


@fault(
    "O-M4-d",
    item="model.staleness",
    seam="raw",
    doses=(0.9, 0.98),
    must_catch=0.98,
    parts=("data", "training"),
    alive=data_changed,
    evidence_removal=True,
    why="no history to test on: fewer than four ages, or fewer than three training ends",
)
def history_lost(system: System, dose: float, workdir: Path) -> System:
    """The oldest share of every split is gone."""
    time = str(columns.data_of(system).roles.time)

    def kept(_: str, rows: pa.Table) -> pa.Table:
        ordered = rows.sort_by(time)
        return ordered.slice(int(dose * ordered.num_rows)) if dose else rows

    return system.with_parts(data=ExchangedData(columns.data_of(system), rows=kept))


@twin("O-M4-d")
def a_week_is_missing(system: System, dose: float, workdir: Path) -> System:
    """A fiftieth of the time is gone from the middle, so that ages are spaced unevenly."""
    return _without(system, (0.50, 0.52) if dose else None)


@fault(
    "O-M4-e",
    item="model.staleness",
    seam="raw",
    doses=(1, 4, 10),
    must_catch=10,
    parts=("data", "training"),
    alive=data_changed,
    why="the world begins to move faster than the policy was made for",
)
def the_world_moves(system: System, dose: float, workdir: Path) -> System:
    """The outcome drifts by `dose` of its deviations a year."""

    def drifting(target: np.ndarray, years: np.ndarray, deviation: float, _: np.ndarray) -> np.ndarray:
        return np.asarray(target + dose * deviation * years)

    return target_moved(system, drifting if dose else None)


@twin("O-M4-e")
def another_level(system: System, dose: float, workdir: Path) -> System:
    """The outcome is higher by a deviation, at all times alike."""

    def higher(target: np.ndarray, years: np.ndarray, deviation: float, _: np.ndarray) -> np.ndarray:
        return np.asarray(target + dose * deviation)

    return target_moved(system, higher if dose else None)


Moved = Callable[[np.ndarray, np.ndarray, float, np.ndarray], np.ndarray]
"""From targets, years since the first row, the deviation of the target and a standard normal draw a row."""


def target_moved(system: System, change: Moved | None) -> System:
    """The system with other outcomes in every split; None changes nothing. Raises NotApplicable for classes."""
    data = columns.data_of(system)
    roles = data.roles
    learned = columns.learned_from(data)
    if roles.time is None or not is_numeric(learned.column(roles.target)):
        raise NotApplicable(f"{system.name} has no time, or its outcome is no number")
    begin, _ = _time_range(system)
    deviation = float(np.nanstd(floats(learned.column(roles.target))))

    def moved(_: str, rows: pa.Table) -> pa.Table:
        if change is None:
            return rows
        years = (_days(rows.column(roles.time)) - begin) / A_YEAR
        target = floats(rows.column(roles.target))
        return with_column(
            rows,
            roles.target,
            pa.array(change(target, years, deviation, normal(rows, roles.keys, 5)), from_pandas=True),
        )

    return system.with_parts(data=ExchangedData(data, rows=moved))


def _scattered(target: np.ndarray, years: np.ndarray, deviation: float, draws: np.ndarray) -> np.ndarray:
    middle, width = float(np.nanmax(years)) / 2.0, _ONE_TENTH * float(np.nanmax(years))
    inside = np.abs(years - middle) <= width / 2.0
    return np.asarray(np.where(inside, target + deviation * draws, target))


def _without(system: System, part: tuple[float, float] | None) -> System:
    data = columns.data_of(system)
    begin, end = _time_range(system)

    def kept(_: str, rows: pa.Table) -> pa.Table:
        if part is None:
            return rows
        share = (_days(rows.column(str(data.roles.time))) - begin) / (end - begin)
        return rows.filter(pa.array((share < part[0]) | (share >= part[1])))

    return system.with_parts(data=ExchangedData(data, rows=kept))


def _time_range(system: System) -> tuple[float, float]:
    data = columns.data_of(system)
    if data.roles.time is None:
        raise NotApplicable(f"{system.name} names no time")
    days = [_days(rows.column(data.roles.time)) for rows in columns.splits_of(data).values()]
    return float(min(np.nanmin(each) for each in days)), float(max(np.nanmax(each) for each in days))


def _days(column: Any) -> np.ndarray:
    """Instants or dates as days since 1970, NaN where missing."""
    try:
        return (
            floats(column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False).cast(pa.int64()))
            / 86_400e6
        )
    except pa.ArrowInvalid as error:
        raise NotApplicable(f"the time column holds no dates: {error}") from error


def _trained_until(system: System) -> datetime:
    until = None if system.model is None else system.model.metadata.trained_until
    if until is None:
        raise NotApplicable(f"{system.name} says of no model until when it was trained")
    return until
