"""Where two columns meet there are too many slices to judge each: those that look bad on the discovery days are found.

What is found here is a suspicion and no more. It was chosen for its looks, so only days that the search never saw may
judge it: `compare_slices` with the same seed does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import AnyArray, BoolArray, FloatArray, IndexArray
from mltest.stats.clusters import cluster
from mltest.stats.slice_candidates import Slice
from mltest.stats.slices import discovery_half

_SUSPICION = 0.05
_MOST_SUSPECTS = 40
_MOST_DAYS = 200
_FEWEST_DAYS = 5
_MOST_LEVELS_OF_A_NUMBER = 20
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SPANS = ((0, 1), (0, 2), (2, 3), (3, 4), (4, 6), (5, 6))


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A column cut into bins: every row's bin (-1 for none), and the levels, each a span of bins (first, after last).

    Spans may overlap, as the highest twentieth lies in the highest quarter.
    """

    names: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    codes: IndexArray

    def mask(self, level: int) -> BoolArray:
        """The rows of a level, shape (rows,)."""
        first, after = self.spans[level]
        return (self.codes >= first) & (self.codes < after)

    def among(self, rows: IndexArray) -> Cut:
        """The same cut of the rows at these positions."""
        return Cut(self.names, self.spans, self.codes[rows])

    def sizes(self) -> FloatArray:
        """Rows of every level, shape (levels,)."""
        return np.array([np.count_nonzero(self.mask(level)) for level in range(len(self.names))], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Suspects:
    """The slices that looked worst, worst first, and how many were looked at."""

    slices: tuple[Slice, ...]
    searched: int


def cut_levels(names: Sequence[str], codes: IndexArray, *, fewest: int) -> Cut:
    """Every level that `fewest` rows have, from the position of every row's level in `names`, shape (rows,)."""
    frequent = np.bincount(codes, minlength=len(names)) >= fewest
    place = np.where(frequent, np.cumsum(frequent) - 1, -1)
    kept = tuple(name for name, often in zip(names, frequent.tolist(), strict=True) if often)
    return Cut(kept, tuple((code, code + 1) for code in range(len(kept))), place[codes].astype(np.intp))


def cut_mask(inside: BoolArray, name: str) -> Cut:
    """One level, which the rows of a mask have."""
    return Cut((name,), ((0, 1),), np.where(inside, 0, -1).astype(np.intp))


def cut_number(values: FloatArray) -> Cut:
    """Quarters of a number and its lowest and highest twentieth, each value for itself where there are few."""
    present = np.isfinite(values)
    distinct = np.unique(values[present])
    if len(distinct) <= _MOST_LEVELS_OF_A_NUMBER:
        codes = np.where(present, np.searchsorted(distinct, values), -1)
        singles = tuple((code, code + 1) for code in range(len(distinct)))
        return Cut(tuple(f"{value:g}" for value in distinct), singles, codes.astype(np.intp))
    # An order statistic, not an interpolation: an edge must be a value that occurs.
    edges = np.quantile(values[present], _QUANTILES, method="higher")
    codes = np.where(present, np.searchsorted(edges, values, side="right"), -1)
    bounds = ("-inf", *(f"{edge:g}" for edge in edges), "inf")
    return Cut(tuple(f"[{bounds[first]}, {bounds[after]})" for first, after in _SPANS), _SPANS, codes.astype(np.intp))


def tails(name: str, cut: Cut) -> Iterator[Slice]:
    """The lowest and the highest twentieth of a number as slices; none where its values are few."""
    if cut.spans == _SPANS:
        for level in (0, len(_SPANS) - 1):
            rows = np.flatnonzero(cut.mask(level))
            if len(rows):
                yield Slice(((name, cut.names[level]),), rows)


def pair_sums(one: Cut, other: Cut, weights: FloatArray, parts: AnyArray | None = None, n_parts: int = 1) -> FloatArray:
    """Sums of `weights` where a level of `one` and one of `other` meet, by part of the rows.

    Codes, weights and parts have shape (rows,); the sums (levels of one, levels of other, parts).
    """
    if not one.names or not other.names:
        return np.zeros((len(one.names), len(other.names), n_parts))
    # Rows without a bin get one of their own at the end, which no level spans.
    n_one, n_other = (max(after for _, after in cut.spans) + 1 for cut in (one, other))
    cells = (one.codes % n_one) * n_other + other.codes % n_other
    if parts is not None:
        cells = cells * n_parts + parts
    shape = (n_one, n_other, n_parts)
    sums = np.bincount(cells, weights=weights, minlength=n_one * n_other * n_parts).astype(np.float64).reshape(shape)
    over_one = np.stack([sums[first:after].sum(axis=0) for first, after in one.spans])
    return np.stack([over_one[:, first:after].sum(axis=1) for first, after in other.spans], axis=1)


def suspected(
    loss: FloatArray,
    reference_loss: FloatArray,
    clusters: npt.ArrayLike,
    named: Mapping[str, Cut],
    crossed: Mapping[str, Cut],
    *,
    limit: float,
    n_min: int,
    seed: int,
) -> Suspects:
    """Pairs of a level of `named` and a level of `crossed` whose loss ratio looks above `limit` on the discovery days.

    Losses and clusters have shape (n,). One-sided p below 0.05 by the first-order jackknife over days (many of them
    are put together to 200 first), from `n_min` rows on; the 40 most suspicious ones.
    """
    grouping = cluster(clusters)
    searched_days = discovery_half(grouping.count, seed)
    rows = np.flatnonzero(searched_days[grouping.codes])
    days = grouping.codes[rows] % _MOST_DAYS if grouping.count > _MOST_DAYS else grouping.codes[rows]
    days, n_days = np.unique(days, return_inverse=True)[1], len(np.unique(days))
    weights = (loss[rows], reference_loss[rows], np.ones(len(rows)))
    found: list[tuple[float, str, str, int, int]] = []
    searched = 0
    for first, one in named.items():
        for second, other in crossed.items():
            cells = _Cells.of(one, other, rows, days, n_days, weights)
            p_values = cells.p_values(limit, n_min / 2)
            searched += int(np.count_nonzero(~np.isnan(p_values)))
            for level, span in np.argwhere(p_values < _SUSPICION).tolist():
                found.append((float(p_values[level, span]), first, second, level, span))
    slices: list[Slice] = []
    for _, first, second, level, span in sorted(found):
        members = np.flatnonzero(named[first].mask(level) & crossed[second].mask(span))
        if len(members) >= n_min and len(slices) < _MOST_SUSPECTS:
            levels = ((first, named[first].names[level]), (second, crossed[second].names[span]))
            slices.append(Slice(levels, members))
    return Suspects(tuple(slices), searched)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Sums over the rows of two levels and a day: loss, reference loss and rows, each of shape (levels, spans, days).

    `implied` marks pairs that are as large as one of their levels alone.
    """

    loss: FloatArray
    reference: FloatArray
    sizes: FloatArray
    implied: BoolArray

    @classmethod
    def of(
        cls, one: Cut, other: Cut, rows: IndexArray, days: AnyArray, n_days: int, weights: Sequence[FloatArray]
    ) -> _Cells:
        one, other = one.among(rows), other.among(rows)
        loss, reference, sizes = (pair_sums(one, other, each, days, n_days) for each in weights)
        pairs = sizes.sum(axis=2)
        implied = (pairs == one.sizes()[:, None]) | (pairs == other.sizes()[None, :])
        return cls(loss, reference, sizes, implied)

    def p_values(self, limit: float, n_min: float) -> FloatArray:
        """One-sided, for ratios above the limit; NaN where too little is known; shape (levels, spans)."""
        from scipy.special import stdtr

        days = (self.sizes > 0.0).sum(axis=2)
        total = self.reference.sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.loss.sum(axis=2) / total
            left = total[:, :, None] - self.reference
            residuals = (self.loss - ratio[:, :, None] * self.reference) / left
            error = np.sqrt((days - 1) / days * np.square(residuals).sum(axis=2)) / ratio
            p_values = stdtr(np.maximum(days - 1, 1), (np.log(limit) - np.log(ratio)) / error)
        known = (self.sizes.sum(axis=2) >= n_min) & (days >= _FEWEST_DAYS) & (error > 0.0) & ~self.implied
        return np.where(known, p_values, np.nan)
