"""Rows of a table: how many there are, and fetching them without filling the memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BUDGET_BYTES = 4 << 30
_NESTED_WIDTH = 256
_SIMPLE_WIDTH = 16


class TooLarge(ValueError):  # noqa: N818 - it reads as what happened
    """A table that does not fit into memory when it is fetched whole."""


def as_ibis(table: Any) -> Any:
    """The table as an Ibis table; an Ibis table as it is."""
    import ibis
    import pyarrow as pa

    return ibis.memtable(table) if isinstance(table, pa.Table) else table


def row_count(table: Any) -> int:
    """The number of rows."""
    import pyarrow as pa

    return int(table.num_rows if isinstance(table, pa.Table) else table.count().to_pyarrow().as_py())


def to_arrow(
    table: Any, columns: Sequence[str] | None = None, limit: int | None = None, budget: int = BUDGET_BYTES
) -> pa.Table:
    """The rows in memory: chosen columns, at most `limit` rows (which ones is up to the engine).

    The size is measured by the engine before anything is fetched, for the sizes that a file declares can lie. Raises
    TooLarge above `budget` bytes, and KeyError for a column that the table does not have.
    """
    import pyarrow as pa

    names = list(table.column_names if isinstance(table, pa.Table) else table.columns)
    for column in columns or ():
        if column not in names:
            raise KeyError(f"the table has no column {column!r}; it has {', '.join(names[:20])}")
    wanted = list(names if columns is None else columns)
    if isinstance(table, pa.Table):
        return table.select(wanted).slice(0, limit)
    chosen = table.select(*wanted) if wanted else table
    chosen = chosen if limit is None else chosen.limit(limit)
    size = _size(chosen)
    if size > budget:
        seen = f"the rows take about {size >> 20} MB, allowed are {budget >> 20} MB"
        raise TooLarge(f"{seen}; ask for fewer rows or columns")
    fetched: pa.Table = chosen.to_pyarrow()
    return fetched


def _size(table: Any) -> int:
    """Bytes of the rows in memory: texts and lists as long as they are, everything else at its fixed width."""
    width = 0
    measured: dict[str, Any] = {}
    for name, kind in table.schema().items():
        if kind.is_string() or kind.is_binary():
            measured[f"m{len(measured)}"] = (table[name].length().cast("int64") * (4 if kind.is_string() else 1)).sum()
        elif kind.is_array():
            measured[f"m{len(measured)}"] = (table[name].length() * _SIMPLE_WIDTH).sum()
        else:
            width += _NESTED_WIDTH if kind.is_nested() else _SIMPLE_WIDTH
    row = table.aggregate(rows=table.count(), **measured).to_pyarrow().to_pylist()[0]
    rows = row.pop("rows")
    return int(rows * (width + 8 * len(measured)) + sum(value or 0 for value in row.values()))
