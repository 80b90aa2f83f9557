"""The positive control: an input follows the raw columns that the catalogue declares as its source.

One that follows none of them is made from something else, a file of another day perhaps, and would stay the same
whatever happened to the future.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from mltest.evidence import PartFailure
from mltest.offers.governance import Governance
from mltest.probes import feature_policy, raw_future, scrambling
from mltest.probes.governed_rows import GovernedRows
from mltest.probes.time_travel import Compute, Present, computed
from mltest.system import RawColumn

if TYPE_CHECKING:
    import pyarrow as pa

AROUND = timedelta(days=1)
"""How far a row may be moved in time by other values of its columns and still be found again."""
_VARIES = 0.1


@dataclass(frozen=True)
class Followed:
    """Inputs that were tried with other values in the columns they are declared to come from, and those that stayed."""

    tried: tuple[str, ...]
    inert: tuple[str, ...]


def followed(
    present: Present, rows: GovernedRows, found: Governance, compute: Compute, random: np.random.Generator
) -> Followed:
    """Replaces all declared columns at once, then empties those of each input that stayed.

    Keys, instants, who a row is about and words beside it say which row is which, and are not replaced; inputs made of
    nothing else are not tried, nor those that hardly vary.
    """
    own = _changeable(present, rows, found)
    varied = [name for name in own if own[name] and _varies(present.features, name)]
    every = list(dict.fromkeys(column for name in varied for column in own[name]))
    change = _Change(present, rows, compute)
    moved = change.moved(every, random)
    inert = [name for name in varied if name not in moved and name not in change.moved(own[name], None)]
    return Followed(tuple(varied), tuple(inert))


@dataclass(frozen=True, eq=False)
class _Change:
    present: Present
    rows: GovernedRows
    compute: Compute

    def moved(self, columns: Sequence[RawColumn], random: np.random.Generator | None) -> set[str]:
        """Inputs that move when the columns hold other values; without `random`, when they hold none."""
        tables = dict(self.present.tables)
        for column in columns:
            table, names = tables[column.table], [column.column]
            tables[column.table] = (
                scrambling.emptied(table, names) if random is None else scrambling.replaced(table, names, random)[0]
            )
        begin, end = self.present.moment.window
        wider = replace(self.present.moment, window=(begin - AROUND, end + AROUND))
        try:
            after = computed(self.compute, tables, wider, self.rows)
        except PartFailure:
            # Raising is a way of noticing.
            return set(self.rows.inputs) if random is None else set()
        found = self.rows.moves(self.present.features, after)
        return set(self.rows.inputs) if random is None and not found.rows else set(found.moved)


def _changeable(present: Present, rows: GovernedRows, found: Governance) -> Mapping[str, list[RawColumn]]:
    tables = {name: table.column_names for name, table in present.tables.items()}
    barred, entity = set(found.policy.forbidden), rows.roles.entity
    named = {entry.name: feature_policy.declared_columns(entry, tables) for entry in found.catalogue}

    def may_change(column: RawColumn) -> bool:
        values = present.tables[column.table].column(column.column)
        beside = entity is not None and column.table == entity.table and not _is_number(values)
        return not (beside or column in barred or column.column in rows.roles.keys or raw_future.is_instant(values))

    return {name: [c for c in named.get(name, ()) if may_change(c)] for name in rows.inputs}


def _is_number(column: pa.ChunkedArray) -> bool:
    import pyarrow.types as pt

    return bool(pt.is_integer(column.type) or pt.is_floating(column.type) or pt.is_decimal(column.type))


def _varies(features: pa.Table, name: str) -> bool:
    """Whether at least a tenth of the rows differ from the most frequent value."""
    import pyarrow.compute as pc

    counts = pc.value_counts(scrambling.flat(features.column(name))).field("counts").to_numpy()
    return bool(len(counts) and counts.max() <= (1 - _VARIES) * counts.sum())
