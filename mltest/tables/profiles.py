"""What the columns of a table look like, in one query."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mltest.tables.rows import as_ibis


@dataclass(frozen=True)
class ColumnProfile:
    """One column: `n` values of `rows` are there (NaN is none), about `distinct` of them differ.

    Numbers have their extremes, mean and standard deviation over finite values, in the column's own unit, and a count
    of infinite ones; for everything else these are None. They are None as well where no value is there.
    """

    column: str
    dtype: str
    rows: int
    n: int
    distinct: int
    infinite: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None

    @property
    def null_share(self) -> float | None:
        """The share of rows without a value; None for a table without rows."""
        return None if self.rows == 0 else 1 - self.n / self.rows


def profile(table: Any) -> tuple[ColumnProfile, ...]:
    """A profile of every column, in order. The engine passes over the table once."""
    source = as_ibis(table)
    aggregates = {"rows": source.count()}
    for position, name in enumerate(source.columns):
        for key, expression in _aggregates(source[name]).items():
            aggregates[f"{key}_{position}"] = expression
    row = source.aggregate(**aggregates).to_pyarrow().to_pylist()[0]
    return tuple(
        ColumnProfile(
            column=name,
            dtype=str(source[name].type()),
            rows=row["rows"],
            n=row[f"n_{position}"],
            distinct=row[f"distinct_{position}"],
            infinite=row.get(f"infinite_{position}") or 0,
            minimum=_number(row.get(f"minimum_{position}")),
            maximum=_number(row.get(f"maximum_{position}")),
            mean=_number(row.get(f"mean_{position}")),
            deviation=_number(row.get(f"deviation_{position}")),
        )
        for position, name in enumerate(source.columns)
    )


def present(column: Any) -> Any:
    """The column with NaN as null, for neither is a value."""
    return column.nullif(float("nan")) if column.type().is_floating() else column


def _aggregates(column: Any) -> dict[str, Any]:
    kind, values = column.type(), present(column)
    counts = {"n": values.count(), "distinct": values.approx_nunique()}
    if not kind.is_numeric() or kind.is_boolean():
        return counts
    finite = values
    if kind.is_floating():
        counts["infinite"] = values.isinf().sum()
        finite = (~values.isinf()).ifelse(values, None)
    numbers = finite.cast("float64")
    return {
        **counts,
        "minimum": numbers.min(),
        "maximum": numbers.max(),
        "mean": numbers.mean(),
        "deviation": numbers.std(),
    }


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
