"""Adjusted p-values: many comparisons must not add up to a false alarm.

Both hold for the dependent features of one table (Benjamini-Hochberg: for the positive dependence usual there);
Fisher's combination would not. A NaN p-value was no test: it stays NaN and does not count in the family.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray, as_floats


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """Adjusted p-values, shape (m,), that control the chance of any false rejection (Holm 1979)."""
    return _adjust(p_values, _holm_sorted)


def benjamini_hochberg(p_values: npt.ArrayLike) -> FloatArray:
    """Adjusted p-values, shape (m,), that control the share of false rejections (Benjamini and Hochberg 1995)."""
    return _adjust(p_values, _benjamini_hochberg_sorted)


def _adjust(p_values: npt.ArrayLike, adjust_sorted: Callable[[FloatArray], FloatArray]) -> FloatArray:
    given = as_floats("p_values", p_values)
    tested = ~np.isnan(given)
    family = given[tested]
    if family.size and not ((family >= 0.0) & (family <= 1.0)).all():
        raise ValueError("p_values leave the range 0 to 1: give probabilities")
    order = np.argsort(family, kind="stable")
    adjusted_family = np.empty_like(family)
    adjusted_family[order] = np.minimum(1.0, adjust_sorted(family[order]))
    adjusted = np.full_like(given, np.nan)
    adjusted[tested] = adjusted_family
    return adjusted


def _holm_sorted(ascending: FloatArray) -> FloatArray:
    remaining = np.arange(ascending.size, 0, -1)
    return np.asarray(np.maximum.accumulate(ascending * remaining), dtype=np.float64)


def _benjamini_hochberg_sorted(ascending: FloatArray) -> FloatArray:
    ranks = np.arange(1, ascending.size + 1)
    scaled = ascending * ascending.size / ranks
    return np.asarray(np.minimum.accumulate(scaled[::-1])[::-1], dtype=np.float64)
