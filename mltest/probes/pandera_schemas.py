"""Declared pandera schemas, taken apart: the expectations about one column, and whether they refuse a small batch.

A damage of one column can break the expectations about that column and those about whole rows, and no others. Asking
only these makes hundreds of questions to one schema a matter of seconds. Works with the polars, pandas and Ibis
schemas of pandera, which share their attributes.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Declared:
    """The numbers or values between which a column is declared to lie; None where nothing is said."""

    low: float | None = None
    high: float | None = None
    values: frozenset[Any] | None = None


def plain(schema: Any) -> Any:
    """The schema of a pandera model class, or the schema itself."""
    return schema.to_schema() if isinstance(schema, type) and hasattr(schema, "to_schema") else schema


def is_schema(schema: Any) -> bool:
    """Whether something has the attributes of a pandera schema of a table."""
    return isinstance(getattr(schema, "columns", None), Mapping) and hasattr(schema, "validate")


def columns_about(schema: Any, name: str) -> dict[str, Any]:
    """The column expectations that speak about column `name`, by the name or pattern that they are declared under."""
    return {
        key: column
        for key, column in schema.columns.items()
        if key == name or (getattr(column, "regex", False) and re.match(str(key), name))
    }


def declared(schema: Any, name: str) -> Declared:
    """The range and the set of values that the built-in checks of a column allow."""
    low: float | None = None
    high: float | None = None
    values: frozenset[Any] | None = None
    for column in columns_about(schema, name).values():
        for check in column.checks:
            said = check.statistics or {}
            low = _number(said.get("min_value"), low)
            high = _number(said.get("max_value"), high)
            if said.get("allowed_values") is not None:
                values = frozenset(said["allowed_values"])
    return Declared(low, high, values)


class Refusal:
    """Asks one schema whether it refuses a small batch, about one column or about whole rows."""

    def __init__(self, schema: Any) -> None:
        self._schema = plain(schema)

    def of_column(self, name: str, rows: pa.Table) -> bool:
        """Whether an expectation about column `name`, or one about whole rows, refuses `rows`."""
        about = columns_about(self._schema, name)
        narrow = self._narrowed(about)
        if about and _refuses(narrow, rows.select([name]) if name in rows.column_names else rows.select([])):
            return True
        return self.of_rows(rows)

    def of_rows(self, rows: pa.Table) -> bool:
        """Whether an expectation about whole rows (cross-field checks, unique keys) refuses `rows`."""
        return self._across is not None and _refuses(self._across, rows)

    def of_keys(self, rows: pa.Table) -> bool:
        """Whether repeated `rows` are refused: by columns that are declared unique, or by whole rows."""
        unique = {key: column for key, column in self._schema.columns.items() if getattr(column, "unique", False)}
        named = [key for key in unique if key in rows.column_names]
        return bool(named and _refuses(self._narrowed(unique), rows.select(named))) or self.of_rows(rows)

    @cached_property
    def _across(self) -> Any | None:
        if not self._schema.checks and not getattr(self._schema, "unique", None):
            return None
        across = copy.copy(self._schema)
        across.columns, across.strict = {}, False
        return across

    def _narrowed(self, columns: Mapping[str, Any]) -> Any:
        narrow = copy.copy(self._schema)
        narrow.columns, narrow.checks, narrow.strict = dict(columns), [], False
        if getattr(narrow, "unique", None):
            narrow.unique = None
        return narrow


def _refuses(schema: Any, rows: pa.Table) -> bool:
    """Whether validation ends otherwise than well: a check that breaks on a damage stops it just as a refusal does."""
    try:
        schema.validate(_frame(schema, rows), lazy=False)
    except Exception:
        return True
    return False


def _frame(schema: Any, rows: pa.Table) -> Any:
    """`rows` as what the schema's backend validates."""
    backend = type(schema).__module__.split(".")[2:3]
    if backend == ["pandas"]:
        return rows.to_pandas()
    if backend == ["ibis"]:
        import ibis

        return ibis.memtable(rows)
    import polars

    return polars.from_arrow(rows)


def _number(said: Any, known: float | None) -> float | None:
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else known
