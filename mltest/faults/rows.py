"""Rows of a table, chosen and changed by what they contain and by nothing else.

Which rows a fault touches follows from a hash of their content, so that every process, and every path on which the
same row travels, agrees. Tables are pyarrow tables; masks and draws are numpy arrays with one entry a row.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt


def as_arrow(table: Any) -> pa.Table:
    """The rows of an Ibis or pyarrow table in memory."""
    return table if isinstance(table, pa.Table) else table.to_pyarrow()


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """A copy in which column `name` holds `values`, appended if it is new."""
    position = table.schema.get_field_index(name)
    if position < 0:
        return table.append_column(name, values)
    return table.set_column(position, name, values)


def is_numeric(column: Any) -> bool:
    """Whether values are integers or floats (booleans and instants are neither)."""
    return bool(pt.is_integer(column.type) or pt.is_floating(column.type))


def is_text(column: Any) -> bool:
    """Whether values are text, also when they are stored as a dictionary."""
    kind = column.type.value_type if pt.is_dictionary(column.type) else column.type
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def floats(column: Any) -> np.ndarray:
    """Values as float64, missing ones as NaN; shape (rows,)."""
    numbers = pc.cast(column, pa.float64(), safe=False)
    values = pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False)
    return np.array(values, dtype=np.float64)


def text(column: Any) -> Any:
    """A text column without its dictionary."""
    return column.cast(pa.string()) if pt.is_dictionary(column.type) else column


def uniform(table: pa.Table, columns: Sequence[str], salt: int) -> np.ndarray:
    """One draw in (0, 1) a row, from a hash of the named columns (of all columns if none is named); shape (rows,)."""
    names = [name for name in columns if name in table.column_names] or table.column_names
    state = np.full(table.num_rows, salt, dtype=np.uint64)
    for name in names:
        state = _mixed(state ^ _hashes(table.column(name)))
    return np.asarray((_mixed(state).astype(np.float64) + 0.5) / 2.0**64, dtype=np.float64)


def normal(table: pa.Table, columns: Sequence[str], salt: int) -> np.ndarray:
    """One standard normal draw a row (Box and Muller 1958), from a hash of the named columns; shape (rows,)."""
    radius = np.sqrt(-2.0 * np.log(uniform(table, columns, 2 * salt + 1)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(table, columns, 2 * salt + 2)), dtype=np.float64)


def share_of(table: pa.Table, columns: Sequence[str], share: float, salt: int = 1) -> np.ndarray:
    """A mask of that share of the rows, at least one row unless the share is 0; shape (rows,)."""
    if share <= 0 or table.num_rows == 0:
        return np.zeros(table.num_rows, dtype=bool)
    draws = uniform(table, columns, salt)
    return np.asarray((draws < share) | (draws == draws.min()), dtype=bool)


def latest(table: pa.Table, time: str | None, days: float) -> np.ndarray:
    """A mask of the rows of the last `days` days by `time`, else by the first column of instants; shape (rows,).

    A table without instants counts as 30 days of rows in their order.
    """
    if days <= 0 or table.num_rows == 0:
        return np.zeros(table.num_rows, dtype=bool)
    instants = _instants(table, time)
    if instants is None:
        count = max(1, round(table.num_rows * min(days / 30.0, 1.0)))
        return np.asarray(np.arange(table.num_rows) >= table.num_rows - count, dtype=bool)
    known = instants[~np.isnan(instants)]
    if known.size == 0:
        return np.zeros(table.num_rows, dtype=bool)
    return np.asarray(instants > known.max() - days * 86_400.0, dtype=bool)


def replaced(column: Any, mask: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A numeric column with `change` applied to the values under the mask; integers stay integers where they fit."""
    values = floats(column)
    changed = np.where(mask, change(values), values)
    result = pa.array(changed, mask=np.isnan(values) & np.isnan(changed), type=pa.float64())
    whole = changed[np.isfinite(changed)]
    if pt.is_integer(column.type) and np.array_equal(whole, np.round(whole)) and not np.isinf(changed).any():
        return _integers(result, column.type)
    return result.cast(column.type, safe=False) if pt.is_floating(column.type) else result


def overwritten(column: Any, mask: np.ndarray, value: Any) -> Any:
    """A column with one value (None for missing) under the mask; the type stays where it can."""
    plain = text(column)
    filler = pa.scalar(value, type=plain.type)
    return pc.if_else(pa.array(mask), filler, plain)


def _integers(result: Any, kind: Any) -> Any:
    try:
        return result.cast(kind)
    except pa.ArrowInvalid:
        return result.cast(pa.int64())


def _instants(table: pa.Table, time: str | None) -> np.ndarray | None:
    """Seconds since 1970, missing ones as NaN, or None for a table without instants."""
    names = [time] if time in table.column_names else []
    names += [field.name for field in table.schema if pt.is_timestamp(field.type) or pt.is_date(field.type)]
    for name in names:
        column = table.column(name)
        if pt.is_timestamp(column.type) or pt.is_date(column.type):
            return np.asarray(floats(pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())) / 1e6)
    return None


def _hashes(column: Any) -> np.ndarray:
    """A 64-bit hash of every value; equal values hash equally in every process."""
    plain = text(column)
    if is_numeric(plain):
        numbers = floats(plain)
        return _mixed(np.where(np.isnan(numbers), np.nan, numbers + 0.0).view(np.uint64))
    words = plain.cast(pa.string()) if not pt.is_nested(plain.type) else pa.array([str(v) for v in plain.to_pylist()])
    encoded = (words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words).dictionary_encode()
    codes = [0, *(zlib.crc32(word.encode()) + 1 for word in encoded.dictionary.to_pylist())]
    places = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return _mixed(np.array(codes, dtype=np.uint64)[places + 1])


def _mixed(state: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(state ^ (state >> np.uint64(31)), dtype=np.uint64)
