"""Intervals, and the two for a share that stay honest near 0 and 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mltest.stats.arrays import require_share


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval at `level`; NaN ends say that none could be computed."""

    low: float
    high: float
    level: float

    @property
    def known(self) -> bool:
        """Whether both ends are numbers (an infinite end is one)."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def width(self) -> float:
        """Distance between the ends, in the unit of the measurement."""
        return self.high - self.low

    def contains(self, value: float) -> bool:
        """Whether `value` lies inside, ends included; never so for an unknown interval."""
        return self.low <= value <= self.high


def unknown_interval(level: float) -> Interval:
    """The interval of a statistic that could not be computed: no decision can rest on it."""
    return Interval(math.nan, math.nan, level)


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Exact interval of a share (Clopper and Pearson 1934): covers at least `level`, at the price of width.

    No trials give [0, 1]. ValueError unless 0 <= successes <= trials.
    """
    from scipy.special import betaincinv

    _require_counts(successes, trials)
    require_share("level", level)
    tail = (1.0 - level) / 2.0
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1.0 - tail))
    return Interval(low, high, level)


def wilson(successes: float, trials: float, level: float = 0.95) -> Interval:
    """Score interval of a share (Wilson 1927): close to `level` on average, narrower than Clopper-Pearson.

    Counts may be fractional, so that an effective sample size can stand in for dependent rows. No trials give
    [0, 1]. ValueError unless 0 <= successes <= trials.
    """
    from scipy.special import ndtri

    _require_counts(successes, trials)
    require_share("level", level)
    if trials == 0:
        return Interval(0.0, 1.0, level)
    quantile = float(ndtri(0.5 + level / 2.0))
    share, spread = successes / trials, quantile**2 / trials
    centre = (share + spread / 2.0) / (1.0 + spread)
    reach = math.sqrt(spread * (share * (1.0 - share) + spread / 4.0)) / (1.0 + spread)
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == trials else min(1.0, centre + reach)
    return Interval(low, high, level)


def _require_counts(successes: float, trials: float) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials: give 0 <= successes <= trials")
