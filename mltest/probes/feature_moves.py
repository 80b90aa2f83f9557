"""The same rows computed twice: which inputs differ, and whether their targets do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes.row_digests import row_digests
from mltest.probes.row_pairs import RowPairs

if TYPE_CHECKING:
    import pyarrow as pa

ROUNDING = 1e-9
"""Relative difference up to which two numbers are the same: sums of other rows may be added up in another order."""


@dataclass(frozen=True)
class Moves:
    """Keys of the rows that differ, by input; `rows` are in both tables, `targets` of them have another target."""

    rows: int
    inputs: Mapping[str, frozenset[str]]
    targets: int

    @property
    def moved(self) -> dict[str, frozenset[str]]:
        """The inputs that differ in some row."""
        return {name: keys for name, keys in self.inputs.items() if keys}

    def also_in(self, other: Moves) -> Moves:
        """What differs here and there."""
        both = {name: keys & other.inputs[name] for name, keys in self.inputs.items()}
        return Moves(min(self.rows, other.rows), both, max(self.targets, other.targets))


def between(before: pa.Table, after: pa.Table, keys: Sequence[str], inputs: Sequence[str], target: str) -> Moves:
    """Differences of the rows with equal keys; a row that is in one table alone is not compared."""
    pairs = RowPairs.of(before, after, keys)
    found = {name: frozenset(pairs.keys[at] for at in np.flatnonzero(_apart(pairs, name)).tolist()) for name in inputs}
    known = target in before.column_names and target in after.column_names
    return Moves(len(pairs.keys), found, int(_apart(pairs, target).sum()) if known else 0)


def _apart(pairs: RowPairs, name: str) -> np.ndarray:
    one, other = pairs.before.column(name), pairs.after.column(name)
    differs = np.asarray(row_digests(pairs.before, [name]) != row_digests(pairs.after, [name]))
    if differs.any() and _is_float(one) and _is_float(other):
        first, second = (np.asarray(c.to_numpy(zero_copy_only=False), dtype=np.float64) for c in (one, other))
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.abs(first), np.abs(second))
            differs &= ~(np.abs(first - second) <= ROUNDING * size)
    return differs


def _is_float(column: Any) -> bool:
    import pyarrow.types as pt

    return bool(pt.is_floating(column.type))
