"""Do two scores put the same things in the same order? Correlations of few pairs, with honest intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import as_floats, require_same_length, why_not_finite
from mltest.stats.intervals import Interval, unknown_interval

_NEAREST_TO_ONE = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation of `n` pairs; `reason` says why there is none, and then it and its interval are unknown."""

    value: float
    interval: Interval
    n: int
    reason: str | None = None


def correlation(
    first: npt.ArrayLike, second: npt.ArrayLike, *, kind: Literal["spearman", "pearson"], level: float = 0.95
) -> Correlation:
    """Correlation of pairs, shape (n,), with Fisher's z interval (1921).

    Its standard error is 1/sqrt(n - 3) for Pearson's r and sqrt((1 + r^2 / 2) / (n - 3)) for Spearman's (Bonett and
    Wright 2000). Fewer than four pairs, values that are not finite, or a side of equal values give a `reason`.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    one, other = as_floats("first", first), as_floats("second", second)
    require_same_length(first=one, second=other)
    if kind not in ("spearman", "pearson"):
        raise ValueError(f"unknown kind {kind!r}: give 'spearman' or 'pearson'")
    n = len(one)
    reason = why_not_finite("first", one) or why_not_finite("second", other)
    if n < 4:
        reason = reason or f"{n} pairs are too few for an interval"
    elif np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        reason = reason or "all values of one side are equal"
    if reason:
        return Correlation(math.nan, unknown_interval(level), n, reason)
    if kind == "spearman":
        one, other = rankdata(one), rankdata(other)
    value = float(np.clip(np.corrcoef(one, other)[0, 1], -1.0, 1.0))
    spread = math.sqrt((1.0 + (value**2 / 2.0 if kind == "spearman" else 0.0)) / (n - 3))
    centre = math.atanh(max(-_NEAREST_TO_ONE, min(_NEAREST_TO_ONE, value)))
    reach = float(ndtri(0.5 + level / 2.0)) * spread
    return Correlation(value, Interval(math.tanh(centre - reach), math.tanh(centre + reach), level), n)


def pairs_needed(value: float, floor: float, *, level: float = 0.95) -> int | None:
    """How many pairs would put the lower end of Spearman's interval above `floor`, if its value stays; None if none."""
    from scipy.special import ndtri

    distance = math.atanh(min(_NEAREST_TO_ONE, value)) - math.atanh(floor) if value > -1.0 else 0.0
    if not distance > 0.0:
        return None
    return 3 + math.ceil((1.0 + value**2 / 2.0) * (float(ndtri(0.5 + level / 2.0)) / distance) ** 2)
