"""The type that a pandera column asks for, in the engine's words."""

from __future__ import annotations

from typing import Any


def wanted(column: Any) -> Any | None:
    """The Ibis type of a pandera column; None where the column asks for none, or the engine has no such type."""
    import ibis.expr.datatypes as dt

    if column.dtype is None:
        return None
    kind = column.dtype.type
    if isinstance(kind, dt.DataType):
        return kind
    for convert in (_from_polars, _from_pandas):
        try:
            found = convert(kind)
        except (ImportError, TypeError, KeyError, ValueError, NotImplementedError, AttributeError):
            continue
        if found is not None:
            return found
    return None


def fits(found: Any, asked: Any) -> bool:
    """Whether a column has the type; whether it may be null and how fine its clock ticks are other questions."""
    if found.is_timestamp() and asked.is_timestamp():
        return (found.timezone is None) == (asked.timezone is None)
    if found.is_decimal() and asked.is_decimal():
        return True
    return bool(found.copy(nullable=True) == asked.copy(nullable=True))


def _from_polars(kind: Any) -> Any:
    from ibis.formats.polars import PolarsType

    return PolarsType.to_ibis(kind)


def _from_pandas(kind: Any) -> Any:
    """Of numpy and pandas types; an object column is text, which is all that a table outside pandas can hold in it."""
    import ibis.expr.datatypes as dt
    from ibis.formats.pandas import PandasType

    return dt.string if str(kind) == "object" else PandasType.to_ibis(kind)
