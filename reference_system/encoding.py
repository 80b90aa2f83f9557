"""From columns of a table to the two arrays that the net reads, and the constants that the net needs for it.

The constants are learned from the training rows only and travel inside the exported graph.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNKNOWN = 0
"""Code of a category that is missing or was too rare in training; vocabularies count from 1."""


class InputError(ValueError):
    """A batch that the model cannot read; the message names the column and the remedy."""


@dataclass(frozen=True)
class NumberColumn:
    """A numeric input: standardised by `center` and `scale`; where `nullable`, a missing value becomes `fill`.

    `flagged` columns also tell the net that the value was missing.
    """

    name: str
    center: float
    scale: float
    fill: float
    nullable: bool
    flagged: bool


@dataclass(frozen=True)
class CategoryColumn:
    """A categorical input: `vocabulary` is sorted, entry k has code k + 1."""

    name: str
    vocabulary: tuple[str, ...]
    nullable: bool


@dataclass(frozen=True)
class Encoding:
    """All inputs of a net, numbers first, each group in the order of the configuration."""

    numbers: tuple[NumberColumn, ...]
    categories: tuple[CategoryColumn, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the columns that are read."""
        return (*(column.name for column in self.numbers), *(column.name for column in self.categories))

    def as_mapping(self) -> dict[str, Any]:
        """Plain data, the inverse of `from_mapping`."""
        return asdict(self)

    @staticmethod
    def from_mapping(plain: Mapping[str, Any]) -> Encoding:
        """The encoding that `as_mapping` described."""
        return Encoding(
            numbers=tuple(NumberColumn(**column) for column in plain["numbers"]),
            categories=tuple(
                CategoryColumn(column["name"], tuple(column["vocabulary"]), column["nullable"])
                for column in plain["categories"]
            ),
        )


def fit(table: pa.Table, inputs: Sequence[str], *, nullable: Collection[str], minimum_category_rows: int) -> Encoding:
    """Learns the constants of every input from training rows.

    A number is a column of a numeric or boolean type, a category one of text. `nullable` names the columns that may
    miss values later, even if none does in these rows. Raises InputError for a missing column or another type.
    """
    numbers: list[NumberColumn] = []
    categories: list[CategoryColumn] = []
    for name in inputs:
        column = column_of(table, name)
        if is_text(column.type):
            may_miss = name in nullable or column.null_count > 0
            categories.append(CategoryColumn(name, _vocabulary(column, minimum_category_rows), may_miss))
        else:
            numbers.append(_number_column(name, number_values(column, name), name in nullable))
    return Encoding(tuple(numbers), tuple(categories))


def number_matrix(table: pa.Table, encoding: Encoding) -> np.ndarray:
    """Raw values of the numeric inputs, shape (rows, numbers), float64 with NaN for missing."""
    columns = [number_values(column_of(table, column.name), column.name) for column in encoding.numbers]
    return np.column_stack(columns) if columns else np.empty((table.num_rows, 0))


def code_matrix(table: pa.Table, encoding: Encoding) -> np.ndarray:
    """Codes of the categorical inputs, shape (rows, categories), int64."""
    codes = [
        pc.fill_null(
            pc.add(pc.index_in(text_values(table, column.name), value_set=pa.array(column.vocabulary, pa.string())), 1),
            UNKNOWN,
        )
        for column in encoding.categories
    ]
    if not codes:
        return np.empty((table.num_rows, 0), dtype=np.int64)
    return np.column_stack([code.to_numpy().astype(np.int64) for code in codes])


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """The column called `name`. Raises InputError when the table has none."""
    if table.schema.get_field_index(name) < 0:
        raise InputError(f"column {name!r} is missing: the model reads it, add it to the batch")
    return table.column(name)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type is a category."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def number_values(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Float64 values with NaN for missing. Raises InputError for what is not a number, and for infinity."""
    kind = column.type
    numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    if not (numeric or pa.types.is_null(kind)):
        raise InputError(f"column {name!r} has type {kind}, the model expects numbers: convert it")
    values: np.ndarray = column.cast(pa.float64()).to_numpy()
    if np.isinf(values).any():
        raise InputError(f"column {name!r} holds an infinite value: send a finite number or none at all")
    return values


def text_values(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Text values of a categorical column. Raises InputError for another type."""
    column = column_of(table, name)
    if not (is_text(column.type) or pa.types.is_null(column.type)):
        raise InputError(f"column {name!r} has type {column.type}, the model expects text: convert it")
    return column.cast(pa.string())


def _number_column(name: str, values: np.ndarray, may_miss: bool) -> NumberColumn:
    seen = values[~np.isnan(values)]
    missing = seen.size < values.size
    if not seen.size:
        raise InputError(f"column {name!r} has no value in the training rows: drop it from `inputs`")
    scale = float(seen.std())
    return NumberColumn(
        name=name,
        center=float(seen.mean()),
        scale=scale if scale > 0 else 1.0,
        fill=float(np.median(seen)),
        nullable=may_miss or missing,
        flagged=missing,
    )


def _vocabulary(column: pa.ChunkedArray, minimum_rows: int) -> tuple[str, ...]:
    counts = pc.value_counts(column.cast(pa.string()).drop_null())
    return tuple(sorted(entry["values"] for entry in counts.to_pylist() if entry["counts"] >= minimum_rows))
