"""Which group a fault takes when nobody names one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import newest_rows
from mltest.system import System

TYPICAL_SHARE = 0.05
FEW = 50
"""Rows of the newest split below which nothing can be said about a group."""


@dataclass(frozen=True)
class Slice:
    """Rows in which every named column has the given value."""

    values: tuple[tuple[str, Any], ...]

    def mask(self, rows: pa.Table) -> np.ndarray:
        """Which rows belong to it; none where a column is absent; shape (rows,)."""
        inside = np.ones(rows.num_rows, dtype=bool)
        for column, wanted in self.values:
            if column not in rows.column_names:
                return np.zeros(rows.num_rows, dtype=bool)
            inside &= np.array([value == wanted for value in rows.column(column).to_pylist()], dtype=bool)
        return inside


def typical(system: System) -> Slice:
    """The group whose share of the rows is nearest to one in twenty, among those with enough of the newest rows."""
    found = [
        (abs(share - TYPICAL_SHARE), column, value)
        for column in columns.slice_columns(system)
        for value, share in _shares(columns.learned_from(columns.data_of(system)), column)
    ]
    _, column, value = min(found, key=lambda entry: (entry[0], entry[1], str(entry[2])))
    return Slice(((column, value),))


def rarest(system: System) -> Slice:
    """The smallest group. Raises NotApplicable when even that one has enough rows to be judged."""
    column, value, share = min(
        ((c, v, s) for c in columns.slice_columns(system) for v, s in _all_shares(system, c)), key=lambda e: e[2]
    )
    newest = list(columns.splits_of(columns.data_of(system)).values())[-1]
    seen = Slice(((column, value),)).mask(newest).sum()
    if seen > FEW or share > TYPICAL_SHARE / 5:
        raise NotApplicable(f"{system.name} has no group too small to be judged")
    return Slice(((column, value),))


def sorted_by_size(system: System) -> tuple[str, list[tuple[Any, float]]]:
    """The slice column with most values, and its values with their share of the rows, smallest first."""
    ranked = [(column, _all_shares(system, column)) for column in columns.slice_columns(system)]
    column, shares = max(ranked, key=lambda entry: (len(entry[1]), entry[0]))
    return column, shares


def crossing(system: System) -> Slice:
    """Two groups of different columns that meet in a share of the rows nearest to one in twenty."""
    names = columns.slice_columns(system)
    if len(names) < 2:
        raise NotApplicable(f"{system.name} has one column to slice by: groups cannot meet")
    rows = newest_rows(system)
    found: list[tuple[float, str, Slice]] = []
    for first, second in combinations(names, 2):
        pairs = Counter(zip(rows.column(first).to_pylist(), rows.column(second).to_pylist(), strict=True))
        for (a, b), count in pairs.items():
            if a is not None and b is not None:
                chosen = Slice(((first, a), (second, b)))
                found.append((abs(count / rows.num_rows - TYPICAL_SHARE), str(chosen), chosen))
    if not found:
        raise NotApplicable(f"{system.name} has no two groups that meet in the newest rows")
    return min(found, key=lambda entry: entry[:2])[2]


def _all_shares(system: System, column: str) -> list[tuple[Any, float]]:
    return _shares(columns.learned_from(columns.data_of(system)), column)


def _shares(rows: pa.Table, column: str) -> list[tuple[Any, float]]:
    """Values with their share of the rows, smallest first."""
    counts = Counter(value for value in rows.column(column).to_pylist() if value is not None)
    if not counts:
        raise NotApplicable(f"the column {column!r} holds no value to slice by")
    return sorted(((v, n / rows.num_rows) for v, n in counts.items()), key=lambda entry: (entry[1], str(entry[0])))
