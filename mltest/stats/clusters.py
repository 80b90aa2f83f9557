"""Rows that depend on each other form a cluster (flights of one day): sums per cluster, and errors from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray, IndexArray, as_column, is_missing

ENOUGH_CLUSTERS = 30
"""Below this many clusters an interval rests on too few independent units to be a demonstration."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Every row's cluster as a number from 0 to `count` - 1, in the sort order of the labels."""

    codes: IndexArray
    count: int

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum of `values` (one per row) in each cluster; shape (count,)."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)

    def sizes(self) -> FloatArray:
        """Rows in each cluster; shape (count,)."""
        return np.bincount(self.codes, minlength=self.count).astype(np.float64)


def cluster(labels: npt.ArrayLike) -> Clusters:
    """Number the clusters that `labels` (one per row: days, say, as text, dates or integers) name.

    ValueError when a row has no label: such a row would have to be dropped, or be a cluster with strangers.
    """
    column = as_column("clusters", labels)
    missing = int(np.count_nonzero(is_missing(column)))
    if missing:
        raise ValueError(
            f"{missing} of {len(column)} rows have no cluster: give every row its cluster, such as its day"
        )
    try:
        distinct, codes = np.unique(column, return_inverse=True)
    except TypeError:
        raise ValueError("clusters mix types that do not sort: give one type, such as ISO dates") from None
    return Clusters(codes.astype(np.intp), len(distinct))


def ratio_error(numerators: FloatArray, denominators: FloatArray) -> tuple[float, float]:
    """Ratio of two totals and its standard error, from sums per cluster.

    The error is that of the jackknife over clusters ("CR3"; Bell and McCaffrey 2002), to first order: the
    residual numerator - ratio * denominator of every cluster, enlarged by its leverage. A large cluster draws the
    ratio towards itself and would else look as if it had no error. Clusters of equal size give the error of the
    mean of their means. Fewer than two clusters that count, or a total of zero below the line, give NaN.
    """
    count, total = len(numerators), float(denominators.sum())
    if count == 0 or total == 0.0:
        return float("nan"), float("nan")
    ratio = float(numerators.sum()) / total
    others = total - denominators
    if count < 2 or not (others > 0.0).all():
        return ratio, float("nan")
    residuals = (numerators - ratio * denominators) / others
    return ratio, float(np.sqrt((count - 1) / count * np.square(residuals).sum()))
