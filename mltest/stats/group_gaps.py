"""A group against everybody else: the difference of two means, or their ratio, with an error that resamples days.

Both sides share their days, so that a storm that hits all of them leaves the comparison alone. The error is that of the
jackknife over clusters (Efron and Stein 1981; Bell and McCaffrey 2002 for clusters): each day is left out in turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import BoolArray, FloatArray, as_floats
from mltest.stats.clusters import cluster
from mltest.stats.intervals import Interval, unknown_interval


@dataclass(frozen=True, slots=True)
class GroupGap:
    """`value` is mean(group) - mean(rest), or their ratio; `n` rows on `n_clusters` clusters are in the group.

    `error` is its standard error with `n_clusters` - 1 degrees of freedom, NaN where it could not be computed.
    """

    value: float
    error: float
    n: int
    n_clusters: int

    def interval(self, level: float) -> Interval:
        """The two-sided t interval at `level`."""
        from scipy.special import stdtrit

        if self.n_clusters < 2 or not math.isfinite(self.value) or not math.isfinite(self.error):
            return unknown_interval(level)
        reach = float(stdtrit(self.n_clusters - 1, 0.5 + level / 2.0)) * self.error
        return Interval(self.value - reach, self.value + reach, level)

    def p_beyond(self, limit: float) -> float:
        """One-sided p-value of "the value is no higher than `limit`"; NaN where nothing is known."""
        from scipy.special import stdtr

        if self.n_clusters < 2 or not math.isfinite(self.value) or not math.isfinite(self.error):
            return math.nan
        if self.error == 0.0:
            return 0.0 if self.value > limit else 1.0
        return float(1.0 - stdtr(self.n_clusters - 1, (self.value - limit) / self.error))

    def mirrored(self) -> GroupGap:
        """The same with the opposite sign, so that a lower limit becomes an upper one."""
        return GroupGap(-self.value, self.error, self.n, self.n_clusters)


def group_gap(
    values: npt.ArrayLike,
    members: BoolArray,
    clusters: npt.ArrayLike,
    *,
    statistic: Literal["difference", "ratio"] = "difference",
    rest: BoolArray | None = None,
) -> GroupGap:
    """The gap between the rows under `members` and those under `rest` (default: all others); shapes (n,).

    An empty side, or a rest whose mean is zero under "ratio", gives NaN. ValueError for an unknown statistic and for
    values that are not finite.
    """
    if statistic not in ("difference", "ratio"):
        raise ValueError(f"unknown statistic {statistic!r}: give 'difference' or 'ratio'")
    numbers, days = as_floats("values", values), cluster(clusters)
    others = ~members if rest is None else rest
    if not np.isfinite(numbers[members | others]).all():
        raise ValueError("values hold something that is not finite: leave such rows out on both sides")
    clean = np.where(members | others, numbers, 0.0)
    inside, around = (days.sums(clean * side) for side in (members, others))
    sizes, around_sizes = (days.sums(side.astype(np.float64)) for side in (members, others))
    present = int(np.count_nonzero(sizes))
    value = _compared(inside.sum(), sizes.sum(), around.sum(), around_sizes.sum(), statistic)
    without = _compared(
        inside.sum() - inside,
        sizes.sum() - sizes,
        around.sum() - around,
        around_sizes.sum() - around_sizes,
        statistic,
    )
    count = len(sizes)
    error = math.nan
    if count > 1 and np.isfinite(without).all():
        error = math.sqrt((count - 1) / count * float(np.square(without - without.mean()).sum()))
    return GroupGap(float(value), error, int(np.count_nonzero(members)), present)


def winsorised(values: FloatArray, share: float = 0.05) -> FloatArray:
    """The values with those beyond the quantiles `share` and 1 - `share` set to them (Dixon 1960), shape (n,)."""
    low, high = np.quantile(values, (share, 1.0 - share))
    return np.asarray(np.clip(values, low, high))


def _compared(inside: FloatArray, size: FloatArray, around: FloatArray, rest: FloatArray, statistic: str) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = np.asarray(inside) / size, np.asarray(around) / rest
        return np.asarray(one - other if statistic == "difference" else one / other)
