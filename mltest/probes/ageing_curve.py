"""The staleness curve: by how much a model of some age loses more than a fresh one, on the same rows, with intervals.

The response is loss(stale) - loss(fresh) over loss(fresh), so that a hard season counts for both (a fixed effect of
the place where they are judged). Days are resampled whole. Models trained on other windows also differ by chance; what
the cells of one age vary beyond their days is that variance (the method of moments of Hedges 1983, pooled over ages),
and every training gets its share of it in each draw. A curve rises with age, so at an age it is the highest mean that
reaches up to it: the right end of the isotonic fit to all younger ages (Barlow et al. 1972), which later ages cannot
pull down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.probes.ageing_backtest import Cell
from mltest.stats.arrays import FloatArray
from mltest.stats.bootstrap import t_interval
from mltest.stats.clusters import cluster, ratio_error

DRAWS = 1000


@dataclass(frozen=True)
class AgePoint:
    """One age in days: the increase in per cent of the fresh loss, its 95 % interval, the simultaneous lower bound over
    all ages (Bonferroni), and the increase of the loss that a tenth of the rows exceeds."""

    age: float
    origins: int
    days: int
    increase: float
    low: float
    high: float
    surely: float
    worst_tenth: float


@dataclass(frozen=True)
class AtAge:
    """The curve at one age: per cent more loss, its 95 % interval, and the two halves of the days apart."""

    age: float
    value: float
    low: float
    high: float
    halves: tuple[float, float]
    days: int


class Curve:
    """The curve over the ages that at least `origins` places show. `points` are the ages by themselves."""

    def __init__(self, cells: Sequence[Cell], *, origins: int, seed: int) -> None:
        self._cells = [cell for cell in cells if sum(other.age == cell.age for other in cells) >= origins]
        self.ages = tuple(sorted({cell.age for cell in self._cells}))
        blocks = cluster(np.concatenate([cell.blocks for cell in self._cells]))
        self._blocks, codes = blocks.count, np.split(blocks.codes, np.cumsum([len(c.blocks) for c in self._cells])[:-1])
        pairs = list(zip(self._cells, codes, strict=True))
        self._extra = np.array([np.bincount(code, cell.stale - cell.fresh, blocks.count) for cell, code in pairs])
        self._fresh = np.array([np.bincount(code, cell.fresh, blocks.count) for cell, code in pairs])
        self._of_age = np.array([[float(cell.age == age) for cell in self._cells] for age in self.ages])
        self.chance = self._variance_between_trainings()
        self._draws = self._replicates(seed)
        self._seed = seed

    @property
    def is_defined(self) -> bool:
        """Whether fresh models make any error, and every number is one."""
        totals = self._of_age @ self._fresh.sum(axis=1)
        return bool((totals > 0.0).all() and np.isfinite(self._extra).all())

    @property
    def points(self) -> tuple[AgePoint, ...]:
        return tuple(self._point(index) for index in range(len(self.ages)))

    def at(self, age: float) -> AtAge:
        """The curve at the youngest age of the grid that is at least `age`, or at the oldest one there is."""
        index = next((i for i, known in enumerate(self.ages) if known >= age - 1e-6), len(self.ages) - 1)
        value = right_end(self._means(np.ones(self._blocks))[None, :], self._weights, index)[0]
        drawn = right_end(self._draws, self._weights, index)
        days = self._days(index)
        interval = t_interval(float(value), float(drawn.std(ddof=1)), days, 0.95)
        first = np.random.default_rng((self._seed, 1)).permutation(self._blocks) < self._blocks // 2
        halves = [right_end(self._means(h.astype(float))[None, :], self._weights, index)[0] for h in (first, ~first)]
        return AtAge(
            self.ages[index],
            100.0 * float(value),
            100.0 * interval.low,
            100.0 * interval.high,
            (100.0 * float(halves[0]), 100.0 * float(halves[1])),
            days,
        )

    def _point(self, index: int) -> AgePoint:
        age, value = self.ages[index], float(self._means(np.ones(self._blocks))[index])
        spread, days = float(self._draws[:, index].std(ddof=1)), self._days(index)
        interval = t_interval(value, spread, days, 0.95)
        surely = t_interval(value, spread, days, 1.0 - 0.1 / len(self.ages)).low
        cells = [cell for cell in self._cells if cell.age == age]
        stale, fresh = (np.quantile(np.concatenate(each), 0.9) for each in zip(*_losses(cells), strict=True))
        worst = 100.0 * float(stale / fresh - 1.0) if fresh > 0.0 else float("nan")
        bounds = 100.0 * interval.low, 100.0 * interval.high
        return AgePoint(age, len(cells), days, 100.0 * value, *bounds, 100.0 * surely, worst)

    @property
    def _weights(self) -> FloatArray:
        return np.asarray(self._of_age @ self._fresh.sum(axis=1))

    def _days(self, index: int) -> int:
        return int(np.count_nonzero(self._of_age[index] @ self._fresh))

    def _means(self, weights: npt.NDArray[np.float64]) -> FloatArray:
        """The increase at every age under weights of the days, shape (ages,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self._of_age @ (self._extra @ weights) / (self._of_age @ (self._fresh @ weights)))

    def _variance_between_trainings(self) -> float:
        """Variance of cells of one age beyond that of their days, 0 where there is none."""
        found = [
            ratio_error(extra[fresh != 0.0], fresh[fresh != 0.0])
            for extra, fresh in zip(self._extra, self._fresh, strict=True)
        ]
        values, errors = (np.array(each) for each in zip(*found, strict=True))
        usable = np.isfinite(values) & np.isfinite(errors)
        beyond, freedom = 0.0, 0
        for of_age in self._of_age.astype(bool):
            chosen = of_age & usable
            count = int(chosen.sum())
            if count > 1:
                own = float(np.square(values[chosen] - values[chosen].mean()).sum())
                beyond += own - float(np.square(errors[chosen]).sum()) * (count - 1) / count
                freedom += count - 1
        return max(0.0, beyond / freedom) if freedom else 0.0

    def _replicates(self, seed: int) -> FloatArray:
        """The increase at every age in draws of days and of what trainings owe to chance, shape (draws, ages)."""
        random = np.random.default_rng((seed, 2))
        times = random.multinomial(self._blocks, np.full(self._blocks, 1.0 / self._blocks), size=DRAWS)
        extra, fresh = times @ self._extra.T, times @ self._fresh.T
        models = {end: number for number, end in enumerate({e for c in self._cells for e in (c.end, c.place)})}
        chance = random.normal(0.0, np.sqrt(self.chance / 2.0), (DRAWS, len(models)))
        stale, new = ([models[getattr(cell, name)] for cell in self._cells] for name in ("end", "place"))
        extra = extra + fresh * (chance[:, stale] - chance[:, new])
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = (extra @ self._of_age.T) / (fresh @ self._of_age.T)
        return np.asarray(np.where(np.isfinite(drawn), drawn, self._means(np.ones(self._blocks))))


def _losses(cells: Sequence[Cell]) -> list[tuple[FloatArray, FloatArray]]:
    return [(cell.stale, cell.fresh) for cell in cells]


def right_end(curves: FloatArray, weights: FloatArray, index: int) -> FloatArray:
    """The isotonic fit to ages 0 to `index` at its right end: the highest mean that reaches up to it; shape (curves,).

    `curves` has shape (curves, ages), `weights` (ages,).
    """
    part, mass = curves[:, : index + 1][:, ::-1], weights[: index + 1][::-1]
    means = np.cumsum(part * mass, axis=1) / np.cumsum(mass)
    return np.asarray(means.max(axis=1))
