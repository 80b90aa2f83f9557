"""A smaller set of rows that every process chooses alike: whole days, evenly spread, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mltest.system import Roles

if TYPE_CHECKING:
    import pyarrow as pa


def whole_days(table: pa.Table, roles: Roles, rows: int) -> pa.Table:
    """About `rows` rows (0: all), as whole blocks of `roles.block`, else calendar days of `roles.time`, else every
    k-th row. The order of the rows stays."""
    import pyarrow.compute as pc

    if rows <= 0 or table.num_rows <= rows:
        return table
    days = _days(table, roles)
    if days is None:
        return table.take(np.linspace(0, table.num_rows - 1, rows).round().astype(np.int64))
    present = sorted(day for day in set(days.to_pylist()) if day is not None)
    wanted = max(1, round(len(present) * rows / table.num_rows))
    chosen = {present[position] for position in np.linspace(0, len(present) - 1, wanted).round().astype(int).tolist()}
    return table.filter(pc.is_in(days, value_set=_like(days, chosen)))


def evenly(table: pa.Table, rows: int) -> pa.Table:
    """About `rows` of the rows, evenly spread over the table."""
    if table.num_rows <= rows:
        return table
    return table.take(np.linspace(0, table.num_rows - 1, rows).round().astype(np.int64))


def _days(table: pa.Table, roles: Roles) -> pa.ChunkedArray | None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    name = roles.block or roles.time
    if name is None or name not in table.column_names:
        return None
    column = table.column(name)
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.cast(column, pa.date32(), safe=False) if pt.is_timestamp(column.type) else column


def _like(days: pa.ChunkedArray, chosen: set[object]) -> pa.Array:
    import pyarrow as pa

    return pa.array(sorted(chosen, key=str), type=days.type)
