"""Counts of two samples over bins that only the reference decides, with missing and unseen values kept apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import AnyArray, IndexArray, as_column, as_floats, is_missing

MISSING = "(missing)"
UNSEEN = "(unseen)"
RARE = "(rare)"


@dataclass(frozen=True, slots=True)
class BinnedPair:
    """Rows per bin in a reference and a current sample; bins that neither fills are left out.

    Built here from arrays, or directly from counts that a database returned.
    """

    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]

    def __post_init__(self) -> None:
        if not len(self.labels) == len(self.reference) == len(self.current):
            raise ValueError("labels, reference and current differ in length: give one count per bin and sample")
        if min((*self.reference, *self.current), default=0) < 0:
            raise ValueError("counts are negative: give the number of rows in each bin")

    @property
    def n_reference(self) -> int:
        """Rows of the reference."""
        return sum(self.reference)

    @property
    def n_current(self) -> int:
        """Rows of the current sample."""
        return sum(self.current)


def quantile_edges(reference: npt.ArrayLike, n_bins: int = 10) -> tuple[float, ...]:
    """Ascending inner edges of `n_bins` bins of equal mass; the outer bins are open, a bin holds its lower edge.

    A value that alone fills more than a bin's share (most visibilities are 10 miles) gets a bin of its own, so that
    a shift off it in either direction shows, even for a constant reference. Missing values are ignored; a
    reference without values has no edges. ValueError below two bins.
    """
    if n_bins < 2:
        raise ValueError(f"n_bins is {n_bins}: give at least 2")
    values = as_floats("reference", reference)
    values = values[~np.isnan(values)]
    if values.size == 0:
        return ()
    # An order statistic, not an interpolation: an edge must be a value that occurs, or infinities would make NaN.
    cuts = np.quantile(values, np.arange(1, n_bins) / n_bins, method="higher")
    atoms = [cut for cut in np.unique(cuts) if np.count_nonzero(values == cut) > values.size / n_bins]
    return tuple(float(edge) for edge in np.unique([*cuts, *np.nextafter(atoms, np.inf)]))


def bin_numbers(reference: npt.ArrayLike, current: npt.ArrayLike, n_bins: int = 10) -> BinnedPair:
    """Counts over the reference's quantile bins, with a bin of their own for missing values."""
    edges = np.array(quantile_edges(reference, n_bins))
    bounds = ["-inf", *(f"{edge:g}" for edge in edges), "inf"]
    labels = [f"[{low}, {high})" for low, high in pairwise(bounds)]
    return _pair(
        (*labels, MISSING),
        _number_counts(as_floats("reference", reference), edges),
        _number_counts(as_floats("current", current), edges),
    )


def bin_categories(reference: npt.ArrayLike, current: npt.ArrayLike, *, rare_below: float = 0.01) -> BinnedPair:
    """Counts per category of the reference, with bins of their own for missing and for unseen values.

    Categories that hold less than `rare_below` of the reference share one bin: each of them is mostly noise.
    Values are compared as text, so that 1 and "1" read from different files are one category.
    """
    known, extra = _category_counts(as_column("reference", reference)), _category_counts(as_column("current", current))
    total = sum(known.values())
    kept = sorted(level for level, count in known.items() if level != MISSING and count >= rare_below * total)
    bin_of = dict.fromkeys(known, RARE) | {level: level for level in (*kept, MISSING)}
    labels = (*kept, RARE, UNSEEN, MISSING)
    return _pair(labels, _merged(known, bin_of, labels), _merged(extra, bin_of, labels))


def _pair(labels: tuple[str, ...], reference: IndexArray, current: IndexArray) -> BinnedPair:
    filled = np.flatnonzero(reference + current)
    return BinnedPair(
        tuple(labels[index] for index in filled),
        tuple(int(count) for count in reference[filled]),
        tuple(int(count) for count in current[filled]),
    )


def _number_counts(values: AnyArray, edges: AnyArray) -> IndexArray:
    missing = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~missing], side="right"), minlength=len(edges) + 1)
    return np.append(counts, np.count_nonzero(missing)).astype(np.intp)


def _category_counts(values: AnyArray) -> Counter[str]:
    missing = is_missing(values)
    counts = Counter(str(value) for value in values[~missing].tolist())
    if missing.any():
        counts[MISSING] += int(np.count_nonzero(missing))
    return counts


def _merged(counts: Counter[str], bin_of: dict[str, str], labels: tuple[str, ...]) -> IndexArray:
    merged: Counter[str] = Counter()
    for level, count in counts.items():
        merged[bin_of.get(level, UNSEEN)] += count
    return np.array([merged[label] for label in labels], dtype=np.intp)
