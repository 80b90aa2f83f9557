"""Which raw rows became evidence? A filter on a gap or on the end of a range removes the rows that would tell.

Levels cannot be counted on both sides here, as a pipeline may fill gaps and change units: rows are recognised by their
keys, and grouped by what the raw table says of them. Rows that training leaves out are no evidence that was removed;
those that the holdout leaves out are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest import tables
from mltest.probes import design_matrix
from mltest.probes.row_digests import Digests, row_digests
from mltest.probes.slice_coverage import (
    FEWEST_OF_A_PAIR,
    LEAST_HELD_OUT,
    Coverage,
    columns_of,
    existing_splits,
    span_of,
    worst,
)
from mltest.stats.arrays import BoolArray
from mltest.stats.slice_search import Cut, cut_levels, cut_mask, cut_number, pair_sums
from mltest.system import Data, Roles

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST_RECOGNISED = 0.8
_FEWEST_ROWS = 50


@dataclass(frozen=True, eq=False)
class _Source:
    """The raw table that has keys and outcome: its name, the column of the outcome, and the columns to group by."""

    table: str
    outcome: str
    grouped: tuple[str, ...]
    keys: tuple[str, ...]

    def rows(self, raw: Any) -> pa.Table:
        """Its rows with a known outcome."""
        import pyarrow as pa

        wanted = dict.fromkeys((*self.keys, self.outcome, *self.grouped))
        rows = tables.to_arrow(raw[self.table], list(wanted))
        return rows.filter(pa.array(~_absent(rows.column(self.outcome))))

    def digests(self, rows: pa.Table) -> Digests:
        return row_digests(rows, self.keys)


def worst_kept(data: Data, declared: Sequence[str], inputs: Sequence[str]) -> Coverage | None:
    """The slice of raw rows that the data set, or its holdout, keeps worst; None where rows cannot be recognised.

    Slices are gaps and ranges of the inputs that a raw table has under their name, alone and where they meet a
    declared column. One counts when it has a hundredth of the rows and 50 of them would be kept if they were kept
    like the others. All splits are set against all raw rows with an outcome; with a time also the holdout against
    those that arrived since it began.
    """
    raw, roles, splits = data.raw(), data.roles, existing_splits(data)
    source = _source(raw, roles, (*declared, *inputs))
    if source is None or not all(set(roles.keys) <= set(columns_of(split)) for split in splits):
        return None
    arrived = source.rows(raw)
    known = source.digests(arrived)
    kept = np.concatenate([source.digests(tables.to_arrow(split, list(roles.keys))) for split in splits])
    if not len(kept) or np.isin(kept, known).mean() < _LEAST_RECOGNISED:
        return None
    looks = [*_slices(arrived, np.isin(known, kept), declared, inputs)]
    holdout = data.dataset("holdout")
    learned, judged = span_of(data.dataset("train"), roles), span_of(holdout, roles)
    if learned is not None and judged is not None:
        before = source.digests(source.rows(data.raw((learned[0], judged[0]))))
        since = ~np.isin(known, before)
        held_out = np.isin(known[since], source.digests(tables.to_arrow(holdout, list(roles.keys))))
        looks += _slices(_chosen(arrived, since), held_out, declared, inputs)
    return worst(looks)


def _source(raw: Any, roles: Roles, columns: Sequence[str]) -> _Source | None:
    pointers = [pointer.table for pointer in (roles.entity, roles.outcome) if pointer is not None]
    for name in (*(name for name in pointers if name in raw), *(name for name in raw if name not in pointers)):
        there = set(columns_of(raw[name]))
        named = roles.outcome is not None and roles.outcome.table == name
        outcome = roles.outcome.column if named and roles.outcome is not None else roles.target
        if roles.keys and {*roles.keys, outcome} <= there:
            grouped = tuple(dict.fromkeys(column for column in columns if column in there and column != outcome))
            return _Source(name, outcome, grouped, tuple(roles.keys))
    return None


def _slices(rows: pa.Table, kept: BoolArray, declared: Sequence[str], inputs: Sequence[str]) -> Iterator[Coverage]:
    """Every gap and range of the inputs, alone and with every level of the declared columns, that has enough rows."""
    there = set(rows.column_names)
    named = {"": cut_mask(np.ones(rows.num_rows, dtype=np.bool_), "")}
    for name in declared:
        if name in there and not design_matrix.is_number_like(rows.column(name)):
            named[name] = cut_levels(*design_matrix.level_codes(rows.column(name)), fewest=_FEWEST_ROWS)
    for column in (name for name in inputs if name in there and name not in declared):
        for crossed, other in _cuts_of(column, rows.column(column)):
            for name, one in named.items():
                yield from _where_they_meet(name, one, crossed, other, kept)


def _cuts_of(name: str, values: Any) -> Iterator[tuple[str, Cut]]:
    absent = _absent(values)
    if 0 < np.count_nonzero(absent) < len(absent):
        yield f"{name} is missing", cut_mask(absent, "yes")
    if design_matrix.is_number_like(values):
        yield name, cut_number(design_matrix.numbers_of(values))


def _where_they_meet(name: str, one: Cut, crossed: str, other: Cut, kept: BoolArray) -> Iterator[Coverage]:
    sums = pair_sums(one, other, [np.ones(len(kept)), kept.astype(np.float64)])
    arrived, there = (each[:, :, 0] for each in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = arrived * (np.count_nonzero(kept) - there) / (len(kept) - arrived)
    enough = (expected >= FEWEST_OF_A_PAIR) & (arrived >= LEAST_HELD_OUT * len(kept))
    for level, span in np.argwhere(enough).tolist():
        alone = f"{crossed} = {other.names[span]}"
        told = f"{name} = {one.names[level]} and {alone}" if name else alone
        ratio = min(1.0, float(there[level, span] / expected[level, span]))
        yield Coverage(told, ratio, int(arrived[level, span]), int(there[level, span]))


def _absent(values: Any) -> BoolArray:
    if design_matrix.is_number_like(values):
        return np.isnan(design_matrix.numbers_of(values))
    return np.asarray(values.is_null().to_numpy(), dtype=np.bool_)


def _chosen(rows: pa.Table, mask: BoolArray) -> pa.Table:
    import pyarrow as pa

    return rows.filter(pa.array(mask))
