"""Large raw tables cut down to the days around a moment and a few days of all the rest, near and far future alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from mltest.probes.raw_future import is_instant

if TYPE_CHECKING:
    import pyarrow as pa

LARGE = 20_000
"""Rows from which on a table is cut down."""

BEFORE, AFTER, ELSEWHERE = 2, 1, 12
"""Whole days kept before and after the moment, and at even distances over everything else."""

_EPOCH = datetime(1970, 1, 1).date()


@dataclass(frozen=True)
class ThinnedTables:
    """Which days of which tables are kept, by a column of instants that is never missing; other tables stay whole.

    An instant that is blank at the moment is no such column: rows would be lost by it that were there.
    """

    columns: Mapping[str, str]
    days: Mapping[str, frozenset[int]]

    @classmethod
    def around(cls, moment: datetime, tables: Mapping[str, pa.Table], known: Mapping[str, pa.Table]) -> ThinnedTables:
        """What to keep of these tables, the whole ones and those known at the moment, for a look at it."""
        columns: dict[str, str] = {}
        days: dict[str, frozenset[int]] = {}
        for name, table in tables.items():
            instants = [n for n in table.column_names if all(_is_always_known(t, n) for t in (table, known[name]))]
            if table.num_rows < LARGE or not instants:
                continue
            present = np.unique(_days(table, instants[0]))
            spread = present[np.linspace(0, len(present) - 1, ELSEWHERE).round().astype(int)]
            middle = (moment.date() - _EPOCH).days
            columns[name] = instants[0]
            days[name] = frozenset((*spread.tolist(), *range(middle - BEFORE, middle + AFTER + 1)))
        return cls(columns, days)

    @property
    def cuts(self) -> bool:
        """Whether anything is left out at all."""
        return bool(self.columns)

    def of(self, tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
        """These tables, or the same at another time, with the kept days alone."""
        return {name: self._kept(name, table) for name, table in tables.items()}

    def _kept(self, name: str, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        column = self.columns.get(name)
        if column is None or column not in table.column_names:
            return table
        return table.filter(pa.array(np.isin(_days(table, column), list(self.days[name]))))


def _is_always_known(table: pa.Table, name: str) -> bool:
    return name in table.column_names and is_instant(table.column(name)) and not table.column(name).null_count


def _days(table: pa.Table, column: str) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.cast(
        pc.cast(pc.cast(table.column(column), pa.timestamp("us"), safe=False), pa.date32(), safe=False), pa.int32()
    )
    return np.asarray(pc.fill_null(days, -1).to_numpy())
