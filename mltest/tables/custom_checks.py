"""Checks that somebody wrote, run by pandera on the rows themselves.

They are called one by one and their answers counted, so that failing rows are not collected. A check that raises has
not held: the rows are nothing that it could accept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mltest.tables import builtin_checks
from mltest.tables.outcome import ColumnViolations
from mltest.tables.rows import row_count, to_arrow


def run(source: Any, schema: Any, checks: Sequence[tuple[str | None, Any]]) -> tuple[ColumnViolations, ...]:
    """The answers of pandera's own engine to checks of columns (by name) and of the whole table (None).

    In place of a check there may be a pandera column, whose type alone is then asked for. Raises TooLarge when the
    rows do not fit into memory.
    """
    if not checks:
        return ()
    rows = row_count(source)
    needed = None if any(column is None for column, _ in checks) else list(dict.fromkeys(c for c, _ in checks if c))
    held = _held(source, schema, needed)
    return tuple(_asked(held, schema, column, check, rows) for column, check in checks)


def _held(source: Any, schema: Any, columns: list[str] | None) -> Any:
    """The rows as the schema's own backend holds them."""
    backend = type(schema).__module__
    if ".ibis" in backend:
        return source
    arrow = to_arrow(source, columns)
    if ".polars" in backend:
        import polars

        return polars.from_arrow(arrow).lazy().fill_nan(None)
    return arrow.to_pandas()


def _asked(held: Any, schema: Any, column: str | None, check: Any, rows: int) -> ColumnViolations:
    if hasattr(check, "dtype"):
        return _type_of(held, schema, column, check, rows)
    label = builtin_checks.label(check)
    try:
        passed, count, n = _counted(held, check, column, rows)
    except Exception as error:  # it is somebody else's code, and may raise anything
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return ColumnViolations(column, label, max(rows, 1), rows, (said[:160],))
    return ColumnViolations(column, label, 0 if passed else max(count, 1), n)


def _polars_outputs(held: Any, check: Any, column: str | None) -> list[Any]:
    """What a check says, with its nulls: pandera would take the statistic of nothing for a pass."""
    from pandera.api.polars.types import PolarsData

    said = check.get_backend(held)(check).apply(PolarsData(held, column or "*"))
    return [said] if isinstance(said, bool) else said.collect().to_series().to_list()


def _counted(held: Any, check: Any, column: str | None, rows: int) -> tuple[bool, int, int]:
    """Whether the check holds, how many rows break it, and how many it looked at."""
    where = () if column is None else (column,)
    if _is(held, "polars"):
        return _tally(_polars_outputs(held, check, column), rows, bool(check.ignore_na))
    result = check(held, *where)
    if _is(held, "pandas"):
        answer = result.check_output
        return _tally(answer.tolist() if hasattr(answer, "tolist") else [answer], rows, bool(check.ignore_na))
    passed = bool(result.check_passed.to_pyarrow().as_py())
    return passed, 0 if passed else rows, rows


def _is(held: Any, library: str) -> bool:
    return type(held).__module__.partition(".")[0] == library


def _tally(outputs: list[Any], rows: int, ignore: bool) -> tuple[bool, int, int]:
    known = [value for value in outputs if value is not None and value == value]
    broken = sum(not value for value in known)
    if len(outputs) == 1 and rows != 1:
        return broken == 0, rows if broken else 0, rows if known else 0
    unknown = 0 if ignore else len(outputs) - len(known)
    return broken + unknown == 0, broken + unknown, len(known)


def _type_of(held: Any, schema: Any, column: str | None, asked: Any, rows: int) -> ColumnViolations:
    """Whether pandera itself takes a column for the type that it asks for."""
    label = f"type {asked.dtype}"
    if _is(held, "polars"):
        found = held.collect_schema()[column]
    elif _is(held, "pandas"):
        found = held[column].dtype
    else:
        return ColumnViolations(column, label, 0, 0)
    from pandera.engines import pandas_engine, polars_engine

    engine = polars_engine if _is(held, "polars") else pandas_engine
    right = bool(asked.dtype.check(engine.Engine.dtype(found)))
    return ColumnViolations(column, label, 0 if right else max(rows, 1), rows)
