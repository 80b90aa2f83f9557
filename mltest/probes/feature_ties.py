"""How closely a feature belongs to the others of its declared group: whether they are one thing in several columns.

A declared group says that its members stand or fall together. That holds for parts of one feature (a sine and its
cosine, the indicators of one category, a temperature and its dew point) and not for whatever came in one change. The
tie is Cramer's V between tenths of the values, which sees relations of any shape: 0.6 for a sine and its cosine, 0.1
for two normal numbers with a correlation of 0.3, and 0 for unrelated ones. Being unknown in the same rows is a loose
tie too: it says that two features come from one source, and nothing about being one feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mltest.probes import feature_encoding, feature_units
from mltest.probes.feature_units import TOGETHER, Associations

Codes = npt.NDArray[np.intp]

TENTHS = 10
LEAST_TIE = 0.1
CLOSE_TIE = 0.5
_UNKNOWN = -1


class Tie(IntEnum):
    """How a feature is tied to its declared group: not at all, loosely, or as a part of one feature."""

    NONE = 0
    LOOSE = 1
    CLOSE = 2


def ties(rows: pa.Table, groups: Mapping[str, Sequence[str]], known: Associations) -> dict[str, Tie]:
    """The tie of every member of a declared group to the mate that it is tied to most."""
    sample = feature_units.sample(rows)
    found: dict[str, Tie] = {}
    for members in groups.values():
        alive = [name for name in members if name in known.names]
        codes = {name: _tenths(sample.column(name)) for name in alive}
        block = set(_indicators_of_one_category(sample, alive))
        for name in alive:
            tie = Tie.CLOSE if name in block else max((_tie(name, other, codes, known) for other in alive), default=0)
            found[name] = max(Tie(tie), found.get(name, Tie.NONE))
    return found


def _tie(name: str, other: str, codes: Mapping[str, Codes], known: Associations) -> Tie:
    if name == other:
        return Tie.NONE
    one, two = codes[name], codes[other]
    both = (one != _UNKNOWN) & (two != _UNKNOWN)
    enough = np.count_nonzero(both) > TENTHS**2
    known_alike = _strength(one[both], two[both]) if enough else 0.0
    if known_alike >= CLOSE_TIE or known.of(name, other) > TOGETHER:
        return Tie.CLOSE
    return Tie.LOOSE if max(known_alike, _strength(one, two)) >= LEAST_TIE else Tie.NONE


def _strength(one: Codes, two: Codes) -> float:
    return feature_units.cramers_v(*(np.unique(codes, return_inverse=True)[1].astype(np.intp) for codes in (one, two)))


def _tenths(column: pa.ChunkedArray) -> Codes:
    """The tenth of every number, or the code of every category; -1 where unknown; shape (rows,)."""
    if feature_encoding.is_category(column):
        codes = feature_encoding.words(column).combine_chunks().dictionary_encode().indices.fill_null(_UNKNOWN)
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.intp)
    values = feature_encoding.numbers(column)
    finite = np.isfinite(values)
    if not finite.any():
        return np.full(len(values), _UNKNOWN, dtype=np.intp)
    edges = np.unique(np.quantile(values[finite], np.linspace(0, 1, TENTHS + 1)[1:-1]))
    # A value so frequent that it is an edge (no rain at all) is apart from both sides of it.
    places = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
    return np.where(finite, places, _UNKNOWN)


def _indicators_of_one_category(rows: pa.Table, members: Sequence[str]) -> list[str]:
    """Members that are 0 or 1 and never 1 together: with many levels hardly correlated, and one feature all the same.

    At least half of the rows have one of them, so that rare flags that merely never met are none.
    """
    flags = {}
    for name in members:
        column = rows.column(name)
        if feature_encoding.is_category(column):
            continue
        values = feature_encoding.numbers(column)
        if np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
            flags[name] = values == 1.0
    if len(flags) < 3:
        return []
    together = np.sum(list(flags.values()), axis=0)
    return list(flags) if together.max() <= 1 and float(together.mean()) >= 0.5 else []
