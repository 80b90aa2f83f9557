"""What a backtest says about a refresh policy: the curve as table and figure, what it cannot show, and what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np

from mltest import figures
from mltest.evidence import Measurement, ReasonCode
from mltest.offers.refresh import AgedLoss, RefreshPolicy
from mltest.probes import direction
from mltest.probes.ageing_backtest import Backtest, Control
from mltest.probes.ageing_curve import AgePoint, AtAge, Curve
from mltest.probes.ageing_rows import instant_of
from mltest.probes.model_age import BEYOND, DAY, OF_TRAININGS, REPORTED, ClockReading, allowed
from mltest.system import Model

INCREASE, YOUNGER, PUBLISHED = (
    "loss_increase_at_refresh_age",
    "younger_ages_beyond_limit",
    "published_curve_too_low_by",
)
MOST_INCREASE = 2.0
"""Per cent by which the loss of a model about to be replaced may exceed a fresh one's."""
_NEAR = 1.35
"""A published age speaks about the nearest measured one up to this ratio."""

Why = tuple[str, ReasonCode]


def days_of(policy: RefreshPolicy) -> float:
    """The policy's age in days."""
    return policy.every / DAY


def blindness(tested: Backtest, curve: Curve, champion: Model | None, limit: float) -> Why | None:
    """Why the backtest cannot show ageing at all; None when it can."""
    if tested.identical:
        return (
            "models trained up to different dates answer alike on every row, so no age was compared: make the training "
            "learn from the rows that it is given",
            ReasonCode.CIRCULAR,
        )
    if not curve.is_defined:
        return "the loss of a fresh model is zero or no number, so nothing can be relative to it", ReasonCode.WITHHELD
    control = tested.control
    if not 100.0 * control.increase > limit:
        return (
            f"a model that learned permuted outcomes loses {100.0 * control.increase:.3g} % more than the usual one on "
            f"its own rows, and more than {limit:.3g} % is needed to see ageing: make the training learn from the rows "
            "that it is given",
            ReasonCode.WITHHELD,
        )
    contradiction = _contradiction(control, champion)
    return None if contradiction is None else (contradiction, ReasonCode.WITHHELD)


def _contradiction(control: Control, champion: Model | None) -> str | None:
    served = None if champion is None else np.asarray(champion.predict(control.rows))
    return direction.contradiction(served, np.asarray(control.answers), control.metrics)


def interval_at(curve: Curve, every: float) -> tuple[AtAge, tuple[float, float | None]]:
    """The curve at the policy's age. Beyond the oldest age that can be seen nothing bounds it from above."""
    found = curve.at(every)
    return found, (found.low, None if every > found.age + 1e-6 else found.high)


def too_old_before(curve: Curve, every: float, limit: float) -> list[AgePoint]:
    """Ages below the policy's at which models surely lose more than the limit, all ages taken together."""
    return [point for point in curve.points if point.age < every - 1e-6 and point.surely > limit]


def understatement(policy: RefreshPolicy, curve: Curve) -> float | None:
    """How far the published curve lies below what is surely measured at such an age, in per cent; None without one."""
    return max((gap for gap, _, _ in _gaps(policy, curve)), default=None)


def _gaps(policy: RefreshPolicy, curve: Curve) -> list[tuple[float, AgedLoss, AgePoint]]:
    gaps = []
    for said in policy.curve:
        near = min(curve.points, key=lambda point: abs(math.log(max(said.age / DAY, 1e-9) / point.age)))
        if 1.0 / _NEAR <= said.age / DAY / near.age <= _NEAR:
            gaps.append((near.surely - 100.0 * said.increase, said, near))
    return gaps


def safe_age(curve: Curve, limit: float) -> float:
    """The oldest age in days up to which every model surely stays inside the limit; 0 when there is none."""
    safe = 0.0
    for age in curve.ages:
        if curve.at(age).high > limit:
            break
        safe = age
    return safe


def advice(curve: Curve, policy: RefreshPolicy, limit: float) -> str:
    """One sentence for a policy that waits too long."""
    every, (found, bounds) = days_of(policy), interval_at(curve, days_of(policy))
    early = too_old_before(curve, every, limit)
    if found.low > limit or not early:
        high = "..." if bounds[1] is None else f"{bounds[1]:.3g}"
        seen = f"models {found.age:.3g} days older than a fresh one lose {found.value:.3g} % [{found.low:.3g}, {high}]"
    else:
        seen = f"models {early[0].age:.3g} days older than a fresh one lose {early[0].increase:.3g} %"
    safe = safe_age(curve, limit)
    remedy = f"refresh every {safe:.3g} days" if safe else f"refresh more often than every {curve.ages[0]:.3g} days"
    return (
        f"{seen} more on the same rows, allowed is at most {limit:.3g} %, and the policy replaces them after "
        f"{every:.3g} days: {remedy}, or find inputs that age less"
    )


def unconfirmed(found: AtAge) -> str:
    """Why an increase beyond the limit is not called one: one half of the days does not show it."""
    return (
        f"models {found.age:.3g} days old lose {found.value:.3g} % more, but one half of the days gives "
        f"{min(found.halves):.3g} % and the other {max(found.halves):.3g} %: offer more history to confirm it"
    )


def failures(measured: Sequence[Measurement], curve: Curve, policy: RefreshPolicy, clock: ClockReading) -> str | None:
    """What is wrong, in one sentence each; None when nothing is, or when one half of the days does not show it."""
    limits = {m.name: m.limit for m in measured if m.limit is not None}
    failed = {m.name for m in measured if m.failed}
    limit = limits[INCREASE]
    said = []
    if failed & {INCREASE, YOUNGER} and min(curve.at(_judged_age(curve, policy, limit)).halves) > limit:
        said.append(advice(curve, policy, limit))
    said += [sentence for name, sentence in _clock_sentences(policy, clock).items() if name in failed]
    if PUBLISHED in failed:
        said.append(_published_sentence(policy, curve, limits[PUBLISHED]))
    return "; ".join(said) or None


def _judged_age(curve: Curve, policy: RefreshPolicy, limit: float) -> float:
    """The policy's age, or the first younger one that is beyond the limit where the policy's is not."""
    every = days_of(policy)
    early = too_old_before(curve, every, limit)
    return early[0].age if early and curve.at(every).low <= limit else every


def _published_sentence(policy: RefreshPolicy, curve: Curve, limit: float) -> str:
    gap, said, near = max(_gaps(policy, curve), key=lambda each: each[0])
    return (
        f"the published curve says {100.0 * said.increase:.3g} % at {said.age / DAY:.3g} days, and models "
        f"{near.age:.3g} days older lose {near.increase:.3g} % more, at least {near.surely:.3g} %, so it is too low by "
        f"{gap:.3g} %, allowed is at most {limit:.3g} %: split its backtest by time, for a random split gives rows no "
        "age"
    )


def _clock_sentences(policy: RefreshPolicy, clock: ClockReading) -> dict[str, str]:
    most = allowed(policy)
    return {
        OF_TRAININGS: (
            f"a model trained here says it was trained until {clock.of_trainings or 0.0:.1f} days after the newest row "
            "that it was given, allowed is at most 1 day: take the date from the rows, not from the training's clock"
        ),
        BEYOND: (
            f"the served model says it was trained until {clock.beyond or 0.0:.1f} days after the newest row that it "
            f"can have learned from ({clock.newest:%Y-%m-%d}), allowed are {most:.3g} days: take the date from the "
            "rows, not from a registration"
        ),
        REPORTED: (
            f"the reported age of the served model is {clock.reported or 0.0:.1f} days less than the age of its newest "
            f"training row ({clock.newest:%Y-%m-%d}), allowed are {most:.3g} days: count from that row, not from "
            f"{_start(policy)}"
        ),
    }


def _start(policy: RefreshPolicy) -> str:
    return "a registration or deployment" if policy.counted_from == "data_end" else policy.counted_from


def curve_table(curve: Curve, policy: RefreshPolicy) -> str:
    """The curve as JSON rows, one an age."""
    return json.dumps(
        [
            {
                "days_older": round(point.age, 2),
                "training_ends": point.origins,
                "days_judged": point.days,
                "more_loss_percent": _short(point.increase),
                "low": _short(point.low),
                "high": _short(point.high),
                "worst_tenth_percent": _short(point.worst_tenth),
                "policy": "refreshed before" if point.age > days_of(policy) + 1e-6 else "in use",
            }
            for point in curve.points
        ]
    )


def matrix_table(tested: Backtest) -> str:
    """The backtest matrix as JSON rows: training end by judged period, per cent more loss than the fresh model's."""
    records: list[dict[str, object]] = []
    for end in tested.grid.ends:
        record: dict[str, object] = {"rows_until": f"{instant_of(end):%Y-%m-%d}", "rows": tested.training_rows}
        for cell in tested.cells:
            if cell.end == end:
                increase = 100.0 * (float(cell.stale.sum()) / float(cell.fresh.sum()) - 1.0)
                record[f"from {instant_of(cell.place):%Y-%m-%d}"] = _short(increase)
        records.append(record)
    return json.dumps(records)


def basis_table(tested: Backtest, policy: RefreshPolicy, curve: Curve) -> str:
    """What the curve rests on, as one JSON row."""
    return json.dumps(
        [
            {
                "trainings": tested.tally,
                "rows_each": tested.training_rows,
                "window_days": round(tested.grid.window, 1),
                "judged_days": round(tested.grid.judged, 1),
                "deviation_between_trainings_percent": _short(100.0 * math.sqrt(curve.chance)),
                "policy_days": round(days_of(policy), 2),
                "counted_from": policy.counted_from,
                "reason": policy.reason,
            }
        ]
    )


def figure(curve: Curve, limit: float) -> str | None:
    """The curve with its band and the limit."""
    drawn = [figures.BandPoint(p.age, p.increase, p.low, p.high) for p in curve.points]
    return figures.line_with_band(
        "Loss beyond that of a fresh model", drawn, limit, unit="%", at="days older than a fresh model"
    )


def _short(number: float) -> float | None:
    return None if not math.isfinite(number) else float(f"{number:.4g}")
