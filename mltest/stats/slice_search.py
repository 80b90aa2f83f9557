"""Where two columns meet there are too many slices to judge each: those that look bad on the discovery days are found.

What is found here is a suspicion and no more. It was chosen for its looks, so only days that the search never saw may
judge it: `compare_slices` with the same seed does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import AnyArray, BoolArray, FloatArray, IndexArray
from mltest.stats.clusters import cluster
from mltest.stats.slice_candidates import Slice
from mltest.stats.slices import discovery_half

_SUSPICION = 0.05
_MOST_SUSPECTS = 40
_MOST_CROSSED = 45
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
        bins = max((after for _, after in self.spans), default=0)
        counts = np.bincount(self.codes + 1, minlength=bins + 1)[1:]
        return np.array([counts[first:after].sum() for first, after in self.spans], dtype=np.float64)


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


def pair_sums(
    one: Cut, other: Cut, weights: Sequence[FloatArray], parts: AnyArray | None = None, n_parts: int = 1
) -> list[FloatArray]:
    """Sums of each of the `weights` where a level of `one` and one of `other` meet, by part of the rows.

    Codes, weights and parts have shape (rows,); the sums (levels of one, levels of other, parts).
    """
    if not one.names or not other.names:
        return [np.zeros((len(one.names), len(other.names), n_parts)) for _ in weights]
    # Rows without a bin get one of their own in front, which no level spans.
    n_one, n_other = (max(after for _, after in cut.spans) + 1 for cut in (one, other))
    cells = (one.codes + 1) * n_other + (other.codes + 1)
    if parts is not None:
        cells = cells * n_parts + parts
    found = []
    for each in weights:
        sums = np.bincount(cells, weights=each, minlength=n_one * n_other * n_parts).astype(np.float64, copy=False)
        found.append(_over(_over(sums.reshape(n_one, n_other, n_parts)[1:, 1:], one.spans, 0), other.spans, 1))
    return found


def _over(sums: FloatArray, spans: Sequence[tuple[int, int]], axis: int) -> FloatArray:
    """Sums over the bins of every span, along that axis."""
    if all(span == (number, number + 1) for number, span in enumerate(spans)):
        return sums
    moved = np.moveaxis(sums, axis, 0)
    return np.moveaxis(np.stack([moved[first:after].sum(axis=0) for first, after in spans]), 0, axis)


def suspected(
    loss: FloatArray,
    references: Sequence[FloatArray],
    clusters: npt.ArrayLike,
    named: Mapping[str, Cut],
    crossed: Mapping[str, Cut],
    *,
    limit: float,
    n_min: int,
    seed: int,
) -> tuple[Suspects, ...]:
    """Where a level of `crossed` meets one of `named` or of another column of `crossed`: pairs with a loss ratio that
    looks above `limit` on the discovery days.

    Losses, those of every reference and clusters have shape (n,); each reference has suspects of its own. One-sided p
    below 0.05 by the first-order jackknife over days (many of them are put together to 200 first), from `n_min` rows
    on; the 40 most suspicious ones. Of `crossed` the first 45 columns meet each other.
    """
    grouping = cluster(clusters)
    rows = np.flatnonzero(discovery_half(grouping.count, seed)[grouping.codes])
    days = grouping.codes[rows] % _MOST_DAYS if grouping.count > _MOST_DAYS else grouping.codes[rows]
    present, days = np.unique(days, return_inverse=True)
    weights = [np.ones(len(rows)), loss[rows], *(reference[rows] for reference in references)]
    found: list[list[_Suspicion]] = [[] for _ in references]
    searched = 0
    whole = {**named, **crossed}
    early = {name: cut.among(rows) for name, cut in whole.items()}
    for first, second in (*product(named, crossed), *combinations(list(crossed)[:_MOST_CROSSED], 2)):
        one, other = early[first], early[second]
        sizes, of_model, *of_references = pair_sums(one, other, weights, days, len(present))
        known = _known(sizes, one, other, n_min / 2)
        searched += int(np.count_nonzero(known))
        for suspicions, of_reference in zip(found, of_references, strict=True):
            p_values = _p_values(of_model[known], of_reference[known], sizes[known], limit)
            chosen = np.argwhere(known)[p_values < _SUSPICION].tolist()
            looks = zip(p_values[p_values < _SUSPICION].tolist(), chosen, strict=True)
            suspicions += [(p_value, first, second, *place) for p_value, place in looks]
    return tuple(Suspects(_worst(suspicions, whole, n_min), searched) for suspicions in found)


_Suspicion = tuple[float, str, str, int, int]


def _worst(suspicions: Sequence[_Suspicion], cuts: Mapping[str, Cut], n_min: int) -> tuple[Slice, ...]:
    slices: list[Slice] = []
    for _, first, second, level, span in sorted(suspicions):
        members = np.flatnonzero(cuts[first].mask(level) & cuts[second].mask(span))
        if len(members) >= n_min:
            slices.append(Slice(((first, cuts[first].names[level]), (second, cuts[second].names[span])), members))
        if len(slices) == _MOST_SUSPECTS:
            break
    return tuple(slices)


def _known(sizes: FloatArray, one: Cut, other: Cut, n_min: float) -> BoolArray:
    """Where levels meet often enough, and neither implies the other; shape (levels of one, levels of other)."""
    pairs, days = sizes.sum(axis=2), np.count_nonzero(sizes, axis=2)
    implied = (pairs == one.sizes()[:, None]) | (pairs == other.sizes()[None, :])
    return np.asarray((pairs >= n_min) & (days >= _FEWEST_DAYS) & ~implied)


def _p_values(loss: FloatArray, reference: FloatArray, sizes: FloatArray, limit: float) -> FloatArray:
    """One-sided, for ratios above the limit, shape (pairs,), from sums of shape (pairs, days); NaN without an error."""
    from scipy.special import stdtr

    days, total = np.count_nonzero(sizes, axis=1), reference.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = loss.sum(axis=1, keepdims=True) / total
        residuals = (loss - ratio * reference) / (total - reference)
        error = np.sqrt((days - 1) / days * np.square(residuals).sum(axis=1)) / ratio[:, 0]
        p_values = stdtr(days - 1, (np.log(limit) - np.log(ratio[:, 0])) / error)
    return np.where(error > 0.0, p_values, np.nan)
