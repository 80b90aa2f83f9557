"""Shares of trials with what they prove: "0 of n" is a bound, not a zero, and so is "all of n"."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mltest.stats.arrays import require_share
from mltest.stats.intervals import Interval, clopper_pearson, wilson


@dataclass(frozen=True, slots=True)
class Rate:
    """Events in trials; `value` is NaN and `reason` set when there was no trial."""

    events: int
    trials: int
    value: float
    interval: Interval
    reason: str | None = None


def event_rate(events: int, trials: int, *, level: float = 0.95) -> Rate:
    """Share of trials with the event and its exact (Clopper-Pearson) interval: false alarms, mismatches, detections."""
    interval = clopper_pearson(events, trials, level)
    if trials == 0:
        return Rate(0, 0, math.nan, interval, "there was no trial")
    return Rate(events, trials, events / trials, interval)


def upper_bound(events: int, trials: int, *, level: float = 0.95) -> float:
    """One-sided bound: with confidence `level` the true rate is no higher. 0 of 59 gives 0.05, 3 of 60 gives 0.124."""
    return clopper_pearson(events, trials, 2.0 * level - 1.0).high if level > 0.5 else _refuse(level)


def lower_bound(events: int, trials: int, *, level: float = 0.95) -> float:
    """One-sided bound: with confidence `level` the true rate is no lower. 30 of 30 gives 0.905."""
    return clopper_pearson(events, trials, 2.0 * level - 1.0).low if level > 0.5 else _refuse(level)


def trials_for_none(rate: float, *, level: float = 0.95) -> int:
    """Trials without one event that prove a rate of at most `rate`: 59 for 5 %, 299 for 1 %, 2,995 for 0.1 %."""
    require_share("rate", rate)
    require_share("level", level)
    return math.ceil(math.log1p(-level) / math.log1p(-rate))


def kill_ratio(killed: int, mutants: int, *, equivalent: int = 0, level: float = 0.95) -> Rate:
    """Share of mutants that a check noticed, with Wilson's interval: its lower end is what is proven.

    Mutants that change nothing observable (`equivalent`, reviewed) leave the denominator. ValueError when the
    counts contradict each other.
    """
    if equivalent < 0:
        raise ValueError(f"{equivalent} equivalent mutants: give a count that is not negative")
    live = mutants - equivalent
    if not 0 <= killed <= live:
        raise ValueError(f"{killed} killed of {mutants} mutants, {equivalent} equivalent: the counts do not fit")
    interval = wilson(killed, live, level)
    if live == 0:
        return Rate(0, 0, math.nan, interval, "there was no mutant that could be killed")
    return Rate(killed, live, killed / live, interval)


def _refuse(level: float) -> float:
    raise ValueError(f"level is {level}: give a confidence above 0.5 and below 1")
