"""The metamorphic test that names cannot fool: with another future, features of the past must be the same.

At each moment the raw tables are given to the batch path three times: as they are, as they stood at that moment, and
as they are but with everything that was not known then replaced (Kapoor and Narayanan 2023 count leaks of this kind in
17 fields). A changed fact may fall into the past, where it legitimately moves features: a feature counts as moved by a
replaced future only if it moves both when every fact of the future grows and when every one shrinks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import raw_future
from mltest.probes.feature_moves import Moves
from mltest.probes.governed_rows import GovernedRows
from mltest.probes.raw_future import FutureCells
from mltest.probes.row_pairs import RowPairs
from mltest.probes.scrambling import Direction
from mltest.probes.thinned_tables import ThinnedTables
from mltest.probes.travel_moments import Moment
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

EVER = datetime(1970, 1, 1, tzinfo=UTC)

Tables = Mapping[str, "pa.Table"]
Compute = Callable[[Mapping[str, Any], Any], Any]

_LEAST_FOUND = 0.9
_LEAST_KNOWN = 0.5


@dataclass(frozen=True, eq=False)
class Present:
    """Raw tables cut down around a moment, whole and as they stood then, and the features of the judged rows."""

    moment: Moment
    tables: Tables
    known: Tables
    futures: Mapping[str, FutureCells]
    features: pa.Table
    whole: bool


@dataclass(frozen=True, eq=False)
class Travel:
    """What one moment showed: cells replaced in all and in the outcome's column, and what moved."""

    present: Present
    cells: int
    outcomes: int
    deleted: Moves
    replaced: Moves

    @property
    def rows(self) -> int:
        """Rows whose features were compared."""
        return max(self.deleted.rows, self.replaced.rows)

    @property
    def open(self) -> int:
        """Rows whose target followed the future: their outcome was not known yet."""
        return max(self.deleted.targets, self.replaced.targets)

    @property
    def moved(self) -> dict[str, frozenset[str]]:
        """Rows by input that followed the future, in one variant or the other."""
        names = {**self.deleted.moved, **self.replaced.moved}
        return {n: self.deleted.inputs[n] | self.replaced.inputs[n] for n in names}


def visit(moment: Moment, rows: GovernedRows, data: Any, compute: Compute, tables: Tables) -> Present:
    """Reads what was known at a moment. Raises Withheld where nothing is the future of it."""
    known = {name: to_arrow(table) for name, table in data.raw((EVER, moment.at)).items()}
    absent = [name for name in tables if name not in known]
    if absent:
        raise Withheld(
            f"data.raw(window) has no table {', '.join(absent[:4])} at {moment.name}, which data.raw() has: give every "
            "table as it stood when the window ended",
            ReasonCode.PART_MISSING,
        )
    thinned = ThinnedTables.around(moment.at, tables, known)
    for cut in (thinned, ThinnedTables({}, {})):
        whole = cut.of(tables)
        features = computed(compute, whole, moment, rows)
        if not thinned.cuts or not cut.cuts or _is_faithful(features, rows, moment):
            break
    past = cut.of(known)
    futures = {name: raw_future.of_table(table, past[name]) for name, table in whole.items()}
    if not any(future.count for future in futures.values()):
        raise Withheld(
            f"data.raw(window) leaves nothing out of the raw tables at {moment.name}: give them as they stood when the "
            "window ended, without what was not known yet"
        )
    return Present(moment, whole, past, futures, features, whole=not cut.cuts)


def travel(present: Present, rows: GovernedRows, compute: Compute, random: np.random.Generator) -> Travel:
    """Gives the batch path the past alone, and the past with another future."""
    past = computed(compute, present.known, present.moment, rows)
    deleted = rows.moves(present.features, past)
    up, cells, outcomes = _with_another_future(present, rows, compute, random, "up")
    if up.moved:
        down, more, others = _with_another_future(present, rows, compute, random, "down")
        up, cells, outcomes = up.also_in(down), max(cells, more), max(outcomes, others)
    return Travel(present, cells, outcomes, deleted, up)


def computed(compute: Compute, tables: Mapping[str, Any], moment: Moment, rows: GovernedRows) -> pa.Table:
    """Features of the judged rows. Raises Withheld when an input or a key is not among them."""
    table = to_arrow(compute(tables, moment.window))
    absent = [name for name in (*rows.roles.keys, *rows.inputs) if name not in table.column_names]
    if absent:
        raise Withheld(
            f"features.compute does not give {', '.join(absent[:4])}, which the model reads or rows are known by: "
            "compute every input of the artefact",
            ReasonCode.PART_MISSING,
        )
    return table


def _with_another_future(
    present: Present, rows: GovernedRows, compute: Compute, random: np.random.Generator, direction: Direction
) -> tuple[Moves, int, int]:
    kept = (*rows.roles.keys, *((rows.roles.entity.column,) if rows.roles.entity else ()))
    tables = dict(present.tables)
    cells = outcomes = 0
    for name, future in present.futures.items():
        tables[name], changed = raw_future.with_another_future(tables[name], future, kept, random, direction)
        cells += sum(changed.values())
        outcome = rows.roles.outcome
        if outcome is not None and name == outcome.table:
            outcomes = changed.get(outcome.column, 0)
    try:
        after = computed(compute, tables, present.moment, rows)
    except PartFailure as error:
        raise Withheld(
            f"the batch path refuses raw tables with another future at {present.moment.name} ({error}): let it compute "
            "from any values that the columns have held"
        ) from error
    return rows.moves(present.features, after), cells, outcomes


def _is_faithful(features: pa.Table, rows: GovernedRows, moment: Moment) -> bool:
    """Whether the rows of the data set are found among these, with about as many known values."""
    wanted = rows.between(moment.window)
    pairs = RowPairs.of(wanted, features, rows.roles.keys)
    if len(pairs.keys) < _LEAST_FOUND * wanted.num_rows:
        return False
    counts = ((_known(pairs.before, name), _known(pairs.after, name)) for name in rows.inputs)
    return all(now >= _LEAST_KNOWN * then for then, now in counts)


def _known(table: pa.Table, name: str) -> int:
    column = table.column(name)
    missing = row_missing(column)
    return len(column) - missing


def row_missing(column: Any) -> int:
    """Missing values of a column, NaN among them."""
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if pt.is_floating(column.type):
        return int(pc.sum(pc.fill_null(pc.is_null(column, nan_is_null=True), True)).as_py() or 0)
    return int(column.null_count)


def unseen(travels: Sequence[Travel], inputs: Sequence[str]) -> tuple[str, ...]:
    """Inputs without a single known value in any judged row, of which nothing can be said."""
    return tuple(n for n in inputs if not any(_known(t.present.features, n) for t in travels))
