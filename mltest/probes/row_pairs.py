"""Rows of two tables found again by their key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mltest.probes import row_keys
from mltest.probes.row_digests import row_digests

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class RowPairs:
    """Rows with equal keys in two tables, in one order."""

    keys: tuple[str, ...]
    before: pa.Table
    after: pa.Table

    @classmethod
    def of(cls, before: pa.Table, after: pa.Table, names: Sequence[str]) -> RowPairs:
        """The pairs by the key columns `names`."""
        own, theirs = paired(before, after, names)
        rows = before.take(np.array(own, dtype=np.int64))
        return cls(tuple(row_keys.of_table(rows, names)), rows, after.take(np.array(theirs, dtype=np.int64)))

    def moved(self, name: str) -> set[str]:
        """Keys of the pairs whose values in one column differ."""
        if name not in self.after.column_names:
            return set()
        apart = row_digests(self.before, [name]) != row_digests(self.after, [name])
        return {self.keys[at] for at in np.flatnonzero(apart).tolist()}


def paired(left: pa.Table, right: pa.Table, keys: Sequence[str]) -> tuple[list[int], list[int]]:
    """Positions of rows with equal keys in both tables; a key that is not unique in either says nothing."""
    ours, theirs = row_keys.of_table(left, keys), row_keys.of_table(right, keys, left)
    counts, others = Counter(ours), Counter(theirs)
    place = {key: number for number, key in enumerate(ours) if counts[key] == 1}
    pairs = [(place[key], number) for number, key in enumerate(theirs) if key in place and others[key] == 1]
    return [own for own, _ in pairs], [their for _, their in pairs]
