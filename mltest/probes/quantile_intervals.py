"""Intervals of quantiles by order statistics: no shape is assumed, which times of calls never have.

The number of values below the true quantile is binomial (Conover, Practical Nonparametric Statistics, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bounds:
    """An estimate between its bounds; a bound that the number of values does not allow is infinite."""

    low: float
    value: float
    high: float

    def less(self, other: Bounds) -> Bounds:
        """This minus `other`: between the bounds at least as surely as both are together."""
        return Bounds(self.low - other.high, self.value - other.value, self.high - other.low)

    def times(self, factor: float) -> Bounds:
        """All three times a positive factor."""
        return Bounds(self.low * factor, self.value * factor, self.high * factor)


def quantile(values: Sequence[float], share: float, alpha: float) -> Bounds:
    """The quantile at `share` (0.5 is the median) with bounds that are both right with probability 1 - `alpha`.

    Raises ValueError without values.
    """
    from scipy.stats import binom

    count = len(values)
    if count == 0:
        raise ValueError("a quantile of nothing: at least one value is needed")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    lower = int(binom.ppf(alpha / 2, count, share))
    upper = int(binom.ppf(1 - alpha / 2, count, share)) + 1
    return Bounds(
        low=float(ordered[lower - 1]) if lower >= 1 else -math.inf,
        value=float(np.quantile(ordered, share)),
        high=float(ordered[upper - 1]) if upper <= count else math.inf,
    )
