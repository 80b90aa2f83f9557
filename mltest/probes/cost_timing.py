"""How long each feature takes, alone and in batches, beside requests without any.

Each call is on records that the feature was not asked about before: a cache of answers helps nobody then. What looks
like a failure is timed again on fresh records, and counts only if it fails twice; what stays open is timed longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from mltest.evidence import Withheld
from mltest.probes import calibration, interleaved_timing
from mltest.probes.cost_ledger import LARGE, MOST_SAME_APART, SMALL, FeatureCost
from mltest.probes.interleaved_timing import Call
from mltest.probes.lookup_requests import Requests
from mltest.probes.quantile_intervals import Bounds, quantile
from mltest.system import Effort, FeatureInfo

ROUNDS: Mapping[Effort, int] = {"quick": 50, "standard": 150, "thorough": 400}
BATCHES: Mapping[Effort, int] = {"quick": 6, "standard": 24, "thorough": 60}
SECONDS: Mapping[Effort, float] = {"quick": 4.0, "standard": 20.0, "thorough": 60.0}
"""Wall time after which no further round of one kind begins."""

ALPHA = 0.05
"""Chance of a wrong bound. A lower end accuses, and one of many may do so: it is shared out among features and views
(Bonferroni). An upper end acquits, and all of them have to: each stands for itself (Berger's intersection-union test).
"""

TRIES = 5
"""How often at most a timing is gone on with, until the same does not differ from the same and nothing is open."""

TYPICAL, TAIL = 0.5, 0.95
"""Quantiles that costs are judged by: what is slow at times only shows in the second."""

_NONE, _ALL, _LOOP = "", "\0all", "\0loop"


@dataclass(frozen=True)
class Timed:
    """The timings of a ledger, as `CostLedger` describes them; `slowness` has no unit, `calls` counts single ones."""

    features: Mapping[str, FeatureCost]
    shared: Bounds
    whole: Bounds
    whole_growth: float
    slowness: float
    same_apart: float
    calls: int


def timed(asked: Requests, infos: Sequence[FeatureInfo], effort: Effort, seed: int) -> Timed:
    """Times every feature. Raises Withheld where the machine is too noisy to time anything on."""
    alpha = ALPHA / (4 * len(infos))
    turns = count(seed)
    alone, apart = _quiet(asked, infos, effort, turns)
    costs = {info.name: _alone(info, alone, alpha) for info in infos}
    pooled = alone
    for _ in range(TRIES - 1):
        open_ones = [info for info in infos if costs[info.name].open]
        if not open_ones:
            break
        more, _ = _quiet(asked, open_ones, effort, turns)
        pooled = {name: taken + more.get(name, []) for name, taken in pooled.items()}
        costs |= {info.name: _alone(info, pooled, alpha) for info in open_ones}
    suspects = [info for info in infos if costs[info.name].over_budget]
    if suspects:
        again, _ = _quiet(asked, suspects, effort, turns)
        for info in suspects:
            costs[info.name] = _milder(costs[info.name], _alone(info, again, alpha))
    cheap = [info for info in infos if not costs[info.name].over_budget]
    whole_growth = 1.0
    if cheap:
        costs, whole_growth = _in_batches(asked, cheap, costs, effort, turns, alpha)
    slowness = _slowness(alone)
    return Timed(
        features=costs,
        shared=quantile(alone[_NONE], TYPICAL, alpha).times(1 / slowness),
        whole=quantile(alone[_ALL], TYPICAL, alpha).times(1 / slowness),
        whole_growth=whole_growth if len(cheap) == len(infos) else 1.0,
        slowness=slowness,
        same_apart=apart,
        calls=sum(len(taken) for taken in pooled.values()),
    )


def _quiet(
    asked: Requests, infos: Sequence[FeatureInfo], effort: Effort, turns: Iterator[int]
) -> tuple[dict[str, list[float]], float]:
    """Times of single requests, more and more until the same does not differ from the same. Raises Withheld.

    What a request without features takes may differ by that share of the smallest budget, where it takes less.
    """
    apart, least = float("inf"), min(info.cost_budget_us or 0.0 for info in infos)
    taken: dict[str, list[float]] = {}
    for _ in range(TRIES):
        found = interleaved_timing.times(
            {**_makers(asked, infos, 1), _LOOP: lambda: calibration.loop},
            {_NONE: 4, _ALL: 2},
            ROUNDS[effort],
            next(turns),
            SECONDS[effort],
            fewest=12,
        )
        taken = {name: taken.get(name, []) + more for name, more in found.items()}
        apart = max(interleaved_timing.difference_of_same(taken[name], least) for name in (_NONE, _LOOP))
        if apart <= MOST_SAME_APART:
            return taken, apart
    raise Withheld(
        f"the same calls differ from themselves by {apart:.0%} in the median, {MOST_SAME_APART:.0%} are allowed: this "
        "machine is too busy to time anything on, run again when it is quiet"
    )


def _slowness(taken: Mapping[str, list[float]]) -> float:
    """How many times slower the machine was, while these times were taken, than the one that budgets are meant for."""
    return float(np.median(taken[_LOOP])) / calibration.STATED_US


def _makers(asked: Requests, infos: Sequence[FeatureInfo], size: int) -> dict[str, Callable[[], Call]]:
    batches = asked.fresh(size)

    def maker(names: Sequence[str]) -> Callable[[], Call]:
        def prepared() -> Call:
            records = next(batches)
            return lambda: asked.lookup.values(records, names)

        return prepared

    arms = {info.name: maker((info.name,)) for info in infos}
    return {_NONE: maker(()), **arms, _ALL: maker([info.name for info in infos])}


def _alone(info: FeatureInfo, taken: Mapping[str, list[float]], alpha: float) -> FeatureCost:
    scale = 1 / _slowness(taken)
    one, tail = (_beyond(taken[info.name], taken[_NONE], share, alpha).times(scale) for share in (TYPICAL, TAIL))
    return FeatureCost(info, one=one, tail=tail)


def _beyond(with_it: list[float], without: list[float], share: float, alpha: float) -> Bounds:
    """The difference of two quantiles; its lower end is wrong with the chance `alpha`, its upper with ALPHA."""
    strict = _bounded(with_it, share, alpha).less(_bounded(without, share, alpha))
    usual = _bounded(with_it, share, ALPHA).less(_bounded(without, share, ALPHA))
    return Bounds(strict.low, strict.value, usual.high)


def _in_batches(
    asked: Requests,
    cheap: Sequence[FeatureInfo],
    costs: Mapping[str, FeatureCost],
    effort: Effort,
    turns: Iterator[int],
    alpha: float,
) -> tuple[dict[str, FeatureCost], float]:
    """The costs of a row in large and small batches added, for what is within its budget alone; and how all grow."""
    taken = _batch_times(asked, cheap, effort, turns)
    found = {**costs, **{info.name: _per_row(costs[info.name], taken, info.name, alpha) for info in cheap}}
    suspects = [info for info in cheap if found[info.name].suspicious]
    if suspects:
        again = _batch_times(asked, suspects, effort, turns)
        for info in suspects:
            second = _per_row(costs[info.name], again, info.name, alpha)
            found[info.name] = found[info.name] if second.suspicious else second
    allowed = sum(info.cost_budget_us or 0.0 for info in cheap)
    everything = replace(costs[cheap[0].name], info=replace(cheap[0], cost_budget_us=allowed))
    return found, _per_row(everything, taken, _ALL, alpha).growth


def _batch_times(
    asked: Requests, infos: Sequence[FeatureInfo], effort: Effort, turns: Iterator[int]
) -> dict[str, list[float]]:
    """Times of small and large batches in the same rounds: `64 name` and `256 name`."""
    makers = {f"{size} {name}": made for size in (SMALL, LARGE) for name, made in _makers(asked, infos, size).items()}
    twice = {f"{size} {_NONE}": 2 for size in (SMALL, LARGE)}
    makers[_LOOP] = lambda: calibration.loop
    return interleaved_timing.times(makers, {**twice, _LOOP: 3}, BATCHES[effort], next(turns), SECONDS[effort])


def _per_row(cost: FeatureCost, taken: Mapping[str, list[float]], arm: str, alpha: float) -> FeatureCost:
    def of(size: int) -> Bounds:
        found = _beyond(taken[f"{size} {arm}"], taken[f"{size} {_NONE}"], TYPICAL, alpha)
        return found.times(1 / (_slowness(taken) * size))

    return replace(cost, large=of(LARGE), small=of(SMALL))


def _bounded(values: list[float], share: float, alpha: float) -> Bounds:
    """The quantile between its bounds, or between the ends of the values where they are too few for any."""
    found = quantile(values, share, alpha)
    return Bounds(max(found.low, min(values)), found.value, min(found.high, max(values)))


def _milder(first: FeatureCost, second: FeatureCost) -> FeatureCost:
    """Of two timings of one feature the one that says less against it."""
    return first if first.surely <= second.surely else second
