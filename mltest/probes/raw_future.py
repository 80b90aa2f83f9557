"""What of a raw table is the future of a moment: the difference between all of it and what was known then.

Rows are found again by their content; where cells were filled in later, by the columns that were there before. Nobody
has to declare keys or instants of raw tables for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest.probes.row_digests import Digests, row_digests
from mltest.probes.scrambling import Direction, Mask, flat, scrambled

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_DROPPED = 6
_NEARLY_UNIQUE = 0.9

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FutureCells:
    """For one table: rows that were not there yet, and by column the cells that were filled in later; masks (rows,).

    `lost` counts known rows that are found nowhere among all rows.
    """

    rows: Mask
    cells: Mapping[str, Mask]
    lost: int

    def of(self, column: str) -> Mask:
        """Everything in a column that was not known."""
        return self.rows | self.cells[column] if column in self.cells else self.rows

    @property
    def count(self) -> int:
        """Rows and cells that were not known."""
        return int(self.rows.sum()) + sum(int(mask.sum()) for mask in self.cells.values())


def of_table(whole: pa.Table, known: pa.Table) -> FutureCells:
    """What `known`, a part of `whole` with cells that may be blank or older, does not hold yet."""
    names = [name for name in whole.column_names if name in known.column_names]
    absent = [name for name in whole.column_names if name not in names]
    left, asked = _unmatched(row_digests(whole, names), row_digests(known, names))
    rest, olds = whole.select(names).take(left), known.select(names).take(asked)
    pairs = _paired(rest, olds)
    rows = np.zeros(whole.num_rows, dtype=bool)
    rows[np.delete(left, pairs[0])] = True
    cells = dict.fromkeys(absent, ~rows)
    for name in names:
        apart = row_digests(rest.take(pairs[0]), [name]) != row_digests(olds.take(pairs[1]), [name])
        if apart.any():
            cells[name] = np.zeros(whole.num_rows, dtype=bool)
            cells[name][left[pairs[0][apart]]] = True
    return FutureCells(rows, cells, len(asked) - len(pairs[1]))


def with_another_future(
    table: pa.Table, future: FutureCells, kept: Sequence[str], random: np.random.Generator, direction: Direction
) -> tuple[pa.Table, dict[str, int]]:
    """The table with other values in the cells that were not known, and by column how many changed.

    Rows that were not there yet keep their instants, the columns in `kept` and what identifies them.
    """
    changed: dict[str, int] = {}
    for name in table.column_names:
        stays = name in kept or is_instant(table.column(name)) or _identifies(table.column(name))
        mask = future.cells.get(name, np.zeros(table.num_rows, dtype=bool)) if stays else future.of(name)
        if mask.any():
            values, changed[name] = scrambled(table.column(name), mask, random, direction)
            table = table.set_column(table.column_names.index(name), name, values)
    return table, changed


def is_instant(column: Any) -> bool:
    """Whether a column holds timestamps or days."""
    import pyarrow.types as pt

    return bool(pt.is_timestamp(column.type) or pt.is_date(column.type))


def _identifies(column: Any) -> bool:
    """Text or whole numbers of which hardly any occurs twice."""
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if len(column) == 0 or pt.is_floating(column.type):
        return False
    return bool(pc.count_distinct(flat(column)).as_py() > _NEARLY_UNIQUE * len(column))


def _unmatched(whole: Digests, known: Digests) -> tuple[Positions, Positions]:
    """Positions on either side that the other one does not have; a row that occurs twice needs two partners."""
    ours, theirs = _numbered(whole), _numbered(known)
    return np.flatnonzero(~np.isin(ours, theirs)), np.flatnonzero(~np.isin(theirs, ours))


def _numbered(digests: Digests) -> Digests:
    """Digests that tell the first, second ... row of the same content apart."""
    order = np.argsort(digests, kind="stable")
    ranked = digests[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.zeros(0, dtype=np.int64)
    occurrence = np.zeros(len(digests), dtype=np.uint64)
    lengths = np.diff(np.r_[starts, len(ranked)])
    occurrence[order] = (np.arange(len(ranked)) - np.repeat(starts, lengths)).astype(np.uint64)
    with np.errstate(over="ignore"):
        return np.asarray(digests ^ (occurrence * np.uint64(0x9E3779B97F4A7C15)), dtype=np.uint64)


def _paired(rest: pa.Table, olds: pa.Table) -> tuple[Positions, Positions]:
    """Rows of both tables that agree in the columns that did not change since, by position."""
    import pyarrow as pa

    nothing = np.zeros(0, dtype=np.int64)
    if olds.num_rows == 0 or rest.num_rows == 0:
        return nothing, nothing
    plain = [name for name in rest.column_names if not pa.types.is_nested(rest.column(name).type)]
    ours = {name: row_digests(rest, [name]) for name in plain}
    theirs = {name: row_digests(olds, [name]) for name in plain}
    stable = [n for n in plain if olds.column(n).null_count == 0 and np.isin(theirs[n], ours[n]).all()]
    best = _agreeing(ours, theirs, stable)
    for _ in range(_MOST_DROPPED):
        if len(best[0]) == olds.num_rows or len(stable) < 2:
            break
        tried = {name: _agreeing(ours, theirs, [n for n in stable if n != name]) for name in stable}
        dropped = max(tried, key=lambda name: len(tried[name][0]))
        if len(tried[dropped][0]) <= len(best[0]):
            break
        best, stable = tried[dropped], [n for n in stable if n != dropped]
    return best


def _agreeing(
    ours: Mapping[str, Digests], theirs: Mapping[str, Digests], names: Sequence[str]
) -> tuple[Positions, Positions]:
    if not names:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    one, other = (_numbered(_combined(side, names)) for side in (ours, theirs))
    _, mine, yours = np.intersect1d(one, other, return_indices=True)
    return mine.astype(np.int64), yours.astype(np.int64)


def _combined(side: Mapping[str, Digests], names: Sequence[str]) -> Digests:
    state = np.zeros(len(side[names[0]]), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in names:
            state = (state ^ side[name]) * np.uint64(0x100000001B3)
            state ^= state >> np.uint64(29)
    return state
