"""Forbidden raw columns under other values and under none: whatever a feature is called, it must not follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.governance import Governance
from mltest.probes import scrambling
from mltest.probes.governed_rows import GovernedRows
from mltest.probes.time_travel import Compute, Present, computed
from mltest.system import RawColumn

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Barred:
    """What followed the forbidden columns, by input; `rows` were compared and `cells` changed."""

    followed: Mapping[str, tuple[RawColumn, ...]]
    columns: int
    rows: int
    cells: int


def barred(
    presents: Sequence[Present], rows: GovernedRows, found: Governance, compute: Compute, random: np.random.Generator
) -> Barred:
    """Changes all forbidden columns at once, and one by one where something moved.

    Raises Withheld where the policy forbids nothing, or what no raw table has.
    """
    forbidden = found.policy.forbidden
    if not forbidden:
        raise Withheld(
            "the policy forbids no column: name as `forbidden` those that no feature may follow, such as what "
            "identifies persons or is not licensed for this use",
            ReasonCode.PART_MISSING,
        )
    for column in forbidden:
        if column.table not in presents[0].tables or column.column not in presents[0].tables[column.table].column_names:
            raise Withheld(
                f"the policy forbids {column.table}.{column.column}, which no raw table has: correct its name",
                ReasonCode.PART_MISSING,
            )
    followed: dict[str, list[RawColumn]] = {}
    compared = cells = 0
    for present in presents:
        seen = _Change(present, rows, compute, random)
        moved, changed = seen.other(forbidden)
        with suppress(PartFailure):  # a feed without a column may be refused; what it holds was changed above
            moved |= seen.empty(forbidden)
        cells += changed
        compared += seen.compared
        for column in forbidden if moved else ():
            for name in seen.alone(column):
                followed.setdefault(name, []).append(column)
        for name in moved - followed.keys():
            followed[name] = list(forbidden)
    once = {name: tuple(dict.fromkeys(columns)) for name, columns in followed.items()}
    return Barred(once, len(forbidden), compared, cells)


class _Change:
    """Features of one moment with some columns changed, against those without."""

    def __init__(self, present: Present, rows: GovernedRows, compute: Compute, random: np.random.Generator) -> None:
        self._present, self._rows, self._compute, self._random = present, rows, compute, random
        self.compared = 0

    def other(self, columns: Sequence[RawColumn]) -> tuple[set[str], int]:
        """Inputs that move when the columns hold other values, and how many cells changed."""
        tables, cells = dict(self._present.tables), 0
        for table, names in _by_table(columns).items():
            tables[table], changed = scrambling.replaced(tables[table], names, self._random)
            cells += changed
        return self._moved(tables), cells

    def empty(self, columns: Sequence[RawColumn]) -> set[str]:
        """Inputs that move when the columns hold nothing."""
        tables = dict(self._present.tables)
        for table, names in _by_table(columns).items():
            tables[table] = scrambling.emptied(tables[table], names)
        return self._moved(tables)

    def alone(self, column: RawColumn) -> set[str]:
        """Inputs that move with this column, whether it holds other values or none."""
        moved, _ = self.other([column])
        with suppress(PartFailure):
            moved |= self.empty([column])
        return moved

    def _moved(self, tables: Mapping[str, pa.Table]) -> set[str]:
        after = computed(self._compute, tables, self._present.moment, self._rows)
        found = self._rows.moves(self._present.features, after)
        self.compared = max(self.compared, found.rows)
        return set(found.moved)


def _by_table(columns: Sequence[RawColumn]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column in columns:
        found.setdefault(column.table, []).append(column.column)
    return found
