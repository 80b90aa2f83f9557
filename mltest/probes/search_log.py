"""What a search log shows by itself: trials that differ, the best of them shipped, away from every edge of the range.

Values close to the best one count as the best: a search cannot tell them apart, and the simpler of two equals may be
shipped. How close is the smallest gain that matters anyway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.search import HOW_TO_OFFER, Choices, Range, SearchLog, SearchTrial, Space

CLOSE = 0.01
"""Share of the best value by which another trial may be worse and count as equally good."""
EDGE = 0.01
"""Share of a range, by its own scale, that is its edge."""
NEAR = 0.1
"""Share of a range within which a setting counts as the one that was tried."""
FEWEST = 10
"""Trials that a search has at least, unless its whole space is smaller."""
_NATURAL = (0.0, 1.0)


@dataclass(frozen=True)
class LogReading:
    """What the log shows: trials with a value, how many differ in setting and in value, how many are asked for, and
    the keys whose best value lies at an edge or is not the shipped one."""

    finished: int
    settings: int
    values: int
    asked: int
    at_edge: tuple[str, ...]
    not_shipped: tuple[str, ...]
    best: SearchTrial


def require(log: SearchLog | None, config: Mapping[str, Any]) -> SearchLog:
    """The log. Raises Withheld when it holds no finished trial, or speaks of keys that the training does not know, and
    PartFailure when it is none."""
    if log is None:
        raise Withheld(HOW_TO_OFFER, ReasonCode.PART_MISSING)
    if not isinstance(getattr(log, "space", None), Mapping) or not hasattr(log, "trials"):
        raise PartFailure(f"the part `training` offers a search log of type {type(log).__name__}: {HOW_TO_OFFER}")
    unknown = [key for key in log.space if key not in config]
    if unknown:
        raise Withheld(
            f"the search log speaks of {unknown[0]!r}, which the configuration of the training does not have: offer "
            "the log of the search that led to this training",
            ReasonCode.STALE,
        )
    if not log.space or not finished(log):
        raise Withheld(
            f"the search log has {len(log.trials)} trials, none of which has a value, over {len(log.space)} keys: "
            f"{HOW_TO_OFFER}",
            ReasonCode.PART_MISSING,
        )
    return log


def finished(log: SearchLog) -> list[SearchTrial]:
    """Trials that have a finite value and name every key of the space, best first."""
    done = [
        trial
        for trial in log.trials
        if trial.value is not None and math.isfinite(trial.value) and set(log.space) <= set(trial.params)
    ]
    return sorted(done, key=lambda trial: _loss(trial, log))


def read(log: SearchLog, config: Mapping[str, Any]) -> LogReading:
    """What the trials show, beside the shipped `config`."""
    done = finished(log)
    equals = [trial for trial in done if _loss(trial, log) - _loss(done[0], log) <= CLOSE * abs(_value(done[0]))]
    shipped = {key: config[key] for key in log.space}
    nearest = min(equals, key=lambda trial: len(_differing(trial.params, shipped, log.space)))
    settings = {tuple(repr(trial.params[key]) for key in log.space) for trial in done}
    return LogReading(
        finished=len(done),
        settings=len(settings),
        values=len({trial.value for trial in done}),
        asked=min(FEWEST, size(log.space)),
        at_edge=tuple(key for key in log.space if all(_at_edge(t.params[key], log.space[key]) for t in equals)),
        not_shipped=_differing(nearest.params, shipped, log.space),
        best=done[0],
    )


def size(space: Space) -> int:
    """How many settings there are, at most a million."""
    number = 1
    for values in space.values():
        if isinstance(values, Choices):
            number *= max(1, len(values.values))
        elif values.whole:
            number *= int(values.high - values.low) + 1
        else:
            return 1_000_000
    return min(number, 1_000_000)


def position(value: Any, within: Range) -> float:
    """Where a number lies in its range by its own scale, 0 at the low end and 1 at the high one; NaN for no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    scale = math.log if within.log and min(value, within.low) > 0.0 else float
    width = scale(within.high) - scale(within.low)
    return (scale(value) - scale(within.low)) / width if width > 0.0 else 0.5


def expected_best(log: SearchLog) -> list[tuple[int, float]]:
    """The value that the best of k trials drawn from these has on average, for each k (Dodge et al. 2019)."""
    values = np.array([_value(trial) for trial in finished(log)])
    count = len(values)
    ranks = np.arange(count, 0, -1) / count
    return [(k, float(np.sum(values * (ranks**k - (ranks - 1.0 / count).clip(0.0) ** k)))) for k in range(1, count + 1)]


def _differing(params: Mapping[str, Any], shipped: Mapping[str, Any], space: Space) -> tuple[str, ...]:
    return tuple(key for key in space if not same(params[key], shipped[key], space[key]))


def same(first: Any, second: Any, values: Range | Choices) -> bool:
    """Whether two settings are the same: equal choices, or numbers close to each other by the scale of their range."""
    if isinstance(values, Choices):
        return bool(_plain(first) == _plain(second))
    if isinstance(first, bool | str) or isinstance(second, bool | str):
        return bool(first == second)
    return bool(first == second) or abs(position(first, values) - position(second, values)) <= NEAR


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def _at_edge(value: Any, values: Range | Choices) -> bool:
    """At an end that cuts the search off. Of a range of a few whole numbers only the ends themselves count."""
    if isinstance(values, Choices):
        return False
    place = position(value, values)
    return (place <= EDGE and not natural(values.low, values)) or (
        place >= 1.0 - EDGE and not natural(values.high, values)
    )


def natural(end: float, values: Range) -> bool:
    """Whether nothing lies beyond an end by its meaning: 0 and 1 of a share, 1 of a number of things."""
    return end == 1.0 if values.log and values.whole else end in _NATURAL and not values.log


def _value(trial: SearchTrial) -> float:
    return float(trial.value) if trial.value is not None else math.nan


def _loss(trial: SearchTrial, log: SearchLog) -> float:
    return _value(trial) if log.direction == "minimize" else -_value(trial)
