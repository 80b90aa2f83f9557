"""Which features are dead, say the same as another one, or belong together: what has to be known before any is dropped.

Association is Spearman's rank correlation between numbers, the correlation ratio of ranks between a category and a
number, and Cramer's V between categories; the last two are corrected for the bias that many levels bring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mltest.probes import feature_encoding

Ranks = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

SAMPLE = 6_000
TOGETHER = 0.8
"""Association above which features stand in for each other, so that they are dropped together as well."""
SAME = 0.9999
"""Association above which two features are one: a unit, a scale or a name apart."""
ALIKE_MISSING = 0.999


@dataclass(frozen=True)
class Associations:
    """Association of every pair of features, shape (features, features), in the order of `names`."""

    names: tuple[str, ...]
    strength: npt.NDArray[np.float64] = field(repr=False)

    def of(self, first: str, second: str) -> float:
        return float(self.strength[self.names.index(first), self.names.index(second)])

    def strongest(self, name: str, among: Sequence[str]) -> float:
        """The strongest association of `name` with any other of `among`; 0 if there is none."""
        return max((self.of(name, other) for other in among if other != name), default=0.0)


def dead(rows: pa.Table, features: Sequence[str]) -> dict[str, str]:
    """Features without two different values, with what they hold instead."""
    found = {}
    for name in features:
        column = rows.column(name)
        if feature_encoding.is_category(column):
            levels = feature_encoding.words(column).drop_null().unique()
            distinct, example = len(levels), levels[0].as_py() if len(levels) else None
        else:
            values = feature_encoding.numbers(column)
            known = values[np.isfinite(values)]
            distinct = 0 if known.size == 0 else 1 if known.min() == known.max() else 2
            example = f"{known[0]:g}" if known.size else None
        if distinct < 2:
            found[name] = "missing in every row" if distinct == 0 else f"{example} in every row"
    return found


def sample(rows: pa.Table) -> pa.Table:
    """About 6,000 of the rows, spread evenly."""
    return rows.take(pa.array(np.arange(0, rows.num_rows, max(1, rows.num_rows // SAMPLE))))


def associations(rows: pa.Table, features: Sequence[str]) -> Associations:
    """Associations on a sample of the rows."""
    chosen = sample(rows)
    columns = {name: _comparable(chosen.column(name)) for name in features}
    strength = np.eye(len(features))
    for i, first in enumerate(features):
        for j, second in enumerate(features[:i]):
            strength[i, j] = strength[j, i] = _association(columns[first], columns[second])
    return Associations(tuple(features), strength)


def duplicates(rows: pa.Table, known: Associations) -> tuple[tuple[str, str], ...]:
    """Pairs of features of which either says exactly what the other says, in the order of the features.

    Numbers do when their ranks agree. Where a category is one of the two, each has to determine the other: a plot
    determines its region, and the region tells less than the plot.
    """
    pairs = []
    for i, second in enumerate(known.names):
        for first in known.names[:i]:
            if known.of(first, second) > SAME and _say_the_same(rows.column(first), rows.column(second)):
                pairs.append((first, second))
    return tuple(pairs)


def clusters(known: Associations) -> tuple[tuple[str, ...], ...]:
    """Features that stand in for each other, directly or through others; only those of two and more."""
    left = list(known.names)
    found = []
    while left:
        members, frontier = [left[0]], [left.pop(0)]
        while frontier:
            name = frontier.pop()
            near = [other for other in left if known.of(name, other) > TOGETHER]
            left = [other for other in left if other not in near]
            members += near
            frontier += near
        if len(members) > 1:
            found.append(tuple(members))
    return tuple(found)


def declared_groups(catalogue: Sequence[Any], features: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Features of two and more that the catalogue puts under one name."""
    groups: dict[str, list[str]] = {}
    for entry in catalogue:
        if entry.group and entry.name in features:
            groups.setdefault(entry.group, []).append(entry.name)
    return {name: tuple(members) for name, members in groups.items() if len(members) > 1}


@dataclass(frozen=True)
class _Codes:
    """A category as codes from 0; unknown is a level of its own."""

    values: Codes


@dataclass(frozen=True)
class _Ranks:
    """A number as ranks, unknown in the middle."""

    values: Ranks


def _comparable(column: pa.ChunkedArray) -> _Ranks | _Codes:
    from scipy.stats import rankdata

    if feature_encoding.is_category(column):
        return _Codes(levels(column))
    values = feature_encoding.numbers(column)
    finite = np.isfinite(values)
    middle = float(np.median(values[finite])) if finite.any() else 0.0
    return _Ranks(np.asarray(rankdata(np.where(finite, values, middle)), dtype=np.float64))


def _association(first: _Ranks | _Codes, second: _Ranks | _Codes) -> float:
    match first, second:
        case _Codes(), _Codes():
            return cramers_v(first.values, second.values)
        case _Codes(), _Ranks():
            return _correlation_ratio(first.values, second.values)
        case _Ranks(), _Codes():
            return _correlation_ratio(second.values, first.values)
    if first.values.std() == 0 or second.values.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(first.values, second.values)[0, 1]))


def _correlation_ratio(codes: Codes, ranks: Ranks) -> float:
    """Root of the share of variance between levels, corrected for their number (epsilon squared; Kelley 1935)."""
    sizes, sums = np.bincount(codes), np.bincount(codes, weights=ranks)
    rows, levels = len(codes), int(np.count_nonzero(sizes))
    whole = float(((ranks - ranks.mean()) ** 2).sum())
    if whole == 0 or rows <= levels:
        return 0.0
    within = float((ranks**2).sum() - (sums[sizes > 0] ** 2 / sizes[sizes > 0]).sum())
    return float(np.sqrt(max(0.0, 1.0 - (within / (rows - levels)) / (whole / (rows - 1)))))


def cramers_v(first: Codes, second: Codes) -> float:
    """Cramer's V with the correction of Bergsma (2013)."""
    rows, width = len(first), int(second.max()) + 1
    height = int(first.max()) + 1
    observed = np.bincount(first * width + second, minlength=height * width).reshape(height, width).astype(np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0, keepdims=True) / rows
    spread = float(((observed - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum()) / rows
    spread = max(0.0, spread - (height - 1) * (width - 1) / (rows - 1))
    smaller = min(height - (height - 1) ** 2 / (rows - 1), width - (width - 1) ** 2 / (rows - 1)) - 1
    return float(np.sqrt(min(1.0, spread / smaller))) if smaller > 0 else 0.0


def _say_the_same(first: pa.ChunkedArray, second: pa.ChunkedArray) -> bool:
    if not missing_alike(first, second):
        return False
    categories = [feature_encoding.is_category(column) for column in (first, second)]
    if not any(categories):
        return True
    both = _known(first) & _known(second)
    one, other = (levels(column)[both] for column in (first, second))
    pairs = len(np.unique(one * (int(other.max(initial=0)) + 1) + other))
    if pairs > len(np.unique(one)) or pairs > len(np.unique(other)):
        return False
    return all(categories) or _is_a_code(second if categories[0] else first)


def _is_a_code(column: pa.ChunkedArray) -> bool:
    """Whether numbers merely count, by being consecutive: the altitude of a plot says more than which plot it is."""
    values = np.unique(feature_encoding.numbers(column))
    values = values[np.isfinite(values)]
    return values.size > 1 and bool((np.diff(values) == 1.0).all())


def levels(column: pa.ChunkedArray) -> Codes:
    """The position of every value among the different ones; shape (rows,)."""
    if not feature_encoding.is_category(column):
        return np.unique(feature_encoding.numbers(column), return_inverse=True)[1].astype(np.intp)
    codes = feature_encoding.words(column).combine_chunks().dictionary_encode().indices.fill_null(-1)
    return np.unique(codes.to_numpy(zero_copy_only=False), return_inverse=True)[1].astype(np.intp)


def missing_alike(first: pa.ChunkedArray, second: pa.ChunkedArray) -> bool:
    """Whether two columns are unknown in the same rows, but for one in a thousand."""
    return float(np.mean(_known(first) == _known(second))) >= ALIKE_MISSING


def _known(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    if feature_encoding.is_category(column):
        return np.asarray(column.is_valid().to_numpy(), dtype=np.bool_)
    return np.asarray(np.isfinite(feature_encoding.numbers(column)), dtype=np.bool_)
