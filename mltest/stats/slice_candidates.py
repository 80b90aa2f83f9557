"""Candidate slices: every level of declared columns, missingness, and pairs of levels of two columns.

Missing is a level like any other, so the rows of a column's slices always sum to all rows: a group that a careless
group-by would drop stays visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import AnyArray, IndexArray, as_column, is_missing
from mltest.stats.binning import MISSING, quantile_edges

_LEVELS_OF_A_NUMBER = 20
_BINS_OF_A_NUMBER = 4


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """The rows (positions, ascending) in which every named column has the named level."""

    levels: tuple[tuple[str, str], ...]
    rows: IndexArray

    @property
    def name(self) -> str:
        """How a person reads it: `carrier = MQ and daytime = night`."""
        return " and ".join(f"{column} = {level}" for column, level in self.levels)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that define it."""
        return tuple(column for column, _ in self.levels)


@dataclass(frozen=True, slots=True, eq=False)
class SliceCandidates:
    """Slices to judge over `n_rows` rows. `pairs_left_out` pairs of levels had too few rows to be worth a test."""

    slices: tuple[Slice, ...]
    n_rows: int
    pairs_left_out: int = 0

    def rows_of(self, column: str) -> int:
        """Rows in all slices of `column` alone: `n_rows`, unless slices were lost."""
        return sum(len(candidate.rows) for candidate in self.slices if candidate.columns == (column,))


def find_candidates(
    columns: Mapping[str, npt.ArrayLike],
    *,
    missing_of: Mapping[str, npt.ArrayLike] | None = None,
    pairs: bool = True,
    pair_rows: int = 50,
) -> SliceCandidates:
    """Slices from `columns` (name -> one value per row) and from where the columns of `missing_of` are missing.

    Floats with more than 20 distinct values are cut at their quartiles. Pairs combine levels of two columns and are
    kept from `pair_rows` rows on, unless one column's level implies the other's. ValueError without columns, and
    when they differ in length.
    """
    coded = {name: _levels(as_column(name, values)) for name, values in columns.items()}
    for name, values in (missing_of or {}).items():
        absent = is_missing(as_column(name, values))
        if absent.any():
            coded.setdefault(f"{name} is missing", (["no", "yes"], absent.astype(np.intp)))
    lengths = {len(codes) for _, codes in coded.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns have {len(lengths)} different lengths: give at least one, all of the same rows")
    singles = [single for name, (levels, codes) in coded.items() for single in _singles(name, levels, codes)]
    combined, left_out = _pairs(coded, pair_rows) if pairs else ([], 0)
    return SliceCandidates((*singles, *combined), lengths.pop(), left_out)


def _levels(values: AnyArray) -> tuple[list[str], IndexArray]:
    missing = is_missing(values)
    present = values[~missing]
    if values.dtype.kind == "f" and len(np.unique(present)) > _LEVELS_OF_A_NUMBER:
        edges = quantile_edges(present, _BINS_OF_A_NUMBER)
        bounds = ["-inf", *(f"{edge:g}" for edge in edges), "inf"]
        names = [f"[{low}, {high})" for low, high in pairwise(bounds)]
        codes = np.searchsorted(np.array(edges), present, side="right")
    else:
        distinct, codes = np.unique(np.array([str(value) for value in present.tolist()]), return_inverse=True)
        names = [str(level) for level in distinct]
    everywhere = np.full(len(values), len(names), dtype=np.intp)
    everywhere[~missing] = codes
    return [*names, MISSING], everywhere


def _singles(column: str, levels: list[str], codes: IndexArray) -> Iterator[Slice]:
    for code, rows in _groups(codes):
        yield Slice(((column, levels[code]),), rows)


def _pairs(coded: Mapping[str, tuple[list[str], IndexArray]], pair_rows: int) -> tuple[list[Slice], int]:
    kept: list[Slice] = []
    left_out = 0
    for (first, (first_levels, first_codes)), (second, (second_levels, second_codes)) in combinations(coded.items(), 2):
        first_sizes, second_sizes = np.bincount(first_codes), np.bincount(second_codes)
        for code, rows in _groups(first_codes * len(second_levels) + second_codes):
            one, other = divmod(code, len(second_levels))
            if len(rows) in (first_sizes[one], second_sizes[other]):
                continue
            if len(rows) < pair_rows:
                left_out += 1
                continue
            kept.append(Slice(((first, first_levels[one]), (second, second_levels[other])), rows))
    return kept, left_out


def _groups(codes: IndexArray) -> Iterator[tuple[int, IndexArray]]:
    order = np.argsort(codes, kind="stable").astype(np.intp)
    present, starts = np.unique(codes[order], return_index=True)
    for code, rows in zip(present, np.split(order, starts[1:]), strict=True):
        yield int(code), rows
