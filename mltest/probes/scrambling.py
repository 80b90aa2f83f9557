"""Other values for chosen cells of a table: of the same type, seen in that column, and where it matters not earlier.

A fact of the future must stay one when it is changed: a later or larger value keeps `lands in 40 minutes` in the
future, a smaller one may not. Which way that is for a column nobody declares, so both ways are at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Direction = Literal["up", "down", "any"]


def scrambled(column: Any, mask: Mask, random: np.random.Generator, direction: Direction = "any") -> tuple[Any, int]:
    """The column with another seen value in the cells under the mask, shape (rows,), and how many cells changed.

    Missing cells stay missing, nested columns as they are. In a direction, cells without a larger (or smaller) value
    stay as well; text has none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = flat(column)
    if pa.types.is_nested(plain.type) or pa.types.is_null(plain.type):
        return column, 0
    levels = pc.unique(plain.drop_null())
    if not pa.types.is_boolean(levels.type):
        levels = levels.take(pc.sort_indices(levels))
    codes = pc.fill_null(pc.index_in(plain, levels), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    chosen = np.flatnonzero(mask & (codes >= 0))
    ordered = _is_ordered(plain.type)
    new = codes.copy()
    new[chosen] = _others(codes[chosen], len(levels), random, direction if ordered else "any")
    changed = int((new != codes).sum())
    if not changed:
        return column, 0
    return levels.take(pa.array(new, mask=new < 0)).cast(plain.type), changed


def emptied(table: pa.Table, names: list[str]) -> pa.Table:
    """The table with nothing but missing values in the named columns."""
    import pyarrow as pa

    for name in names:
        kind = flat(table.column(name)).type
        table = table.set_column(table.column_names.index(name), name, pa.nulls(table.num_rows, kind))
    return table


def replaced(
    table: pa.Table, names: list[str], random: np.random.Generator, mask: Mask | None = None
) -> tuple[pa.Table, int]:
    """The table with other values in the named columns, in all rows or those under the mask; and the cells changed."""
    cells = 0
    for name in names:
        rows = np.ones(table.num_rows, dtype=bool) if mask is None else mask
        values, changed = scrambled(table.column(name), rows, random)
        table = table.set_column(table.column_names.index(name), name, values)
        cells += changed
    return table, cells


def flat(column: Any) -> Any:
    """One array of plain values."""
    import pyarrow as pa

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _is_ordered(kind: Any) -> bool:
    import pyarrow.types as pt

    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_temporal(kind))


def _others(
    codes: npt.NDArray[np.int64], levels: int, random: np.random.Generator, direction: Direction
) -> npt.NDArray[np.int64]:
    """For each position among sorted levels another one: above it, below it, or anywhere."""
    share = random.random(len(codes))
    if direction == "up":
        above = levels - 1 - codes
        return np.where(above > 0, codes + 1 + np.floor(share * above).astype(np.int64), codes)
    if direction == "down":
        return np.where(codes > 0, np.floor(share * codes).astype(np.int64), codes)
    if levels < 2:
        return codes
    return (codes + 1 + np.floor(share * (levels - 1)).astype(np.int64)) % levels
