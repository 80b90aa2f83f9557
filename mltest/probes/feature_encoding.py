"""Columns of any type as numbers that a linear model and a tree model can learn from, one block of numbers a feature.

A linear model sees a standardised number (unknown is the mean, with a flag where unknown occurs) or one indicator for
each frequent category; a tree model sees the number itself, NaN for unknown, or the code of a category. What is fitted
on the training rows is applied unchanged to all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

Numbers = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

MOST_INDICATORS = 100
FEWEST_ROWS = 20
MOST_CODES = 32
"""Categories that a tree model tells apart: with many rare ones it learns each of them by heart."""


@dataclass(frozen=True)
class NumberEncoding:
    """How one numeric feature is encoded: (value - mean) / deviation, and a flag where unknown was seen."""

    mean: float
    deviation: float
    flagged: bool

    @property
    def width(self) -> int:
        return 1 + int(self.flagged)


@dataclass(frozen=True)
class CategoryEncoding:
    """How one category is encoded: its levels by falling frequency, the first `indicators` of them one by one."""

    levels: tuple[str, ...]
    indicators: int

    @property
    def width(self) -> int:
        return self.indicators


@dataclass(frozen=True)
class Encoding:
    """The encodings of all features in their order; `blocks` says which columns of the design belong to which."""

    features: Mapping[str, NumberEncoding | CategoryEncoding]
    blocks: Mapping[str, Indices] = field(default_factory=dict)

    @property
    def categorical(self) -> list[bool]:
        return [isinstance(encoding, CategoryEncoding) for encoding in self.features.values()]

    def design(self, rows: pa.Table) -> Matrix:
        """What the linear model sees: a leading column of ones, then the blocks; shape (rows, columns)."""
        width = 1 + sum(encoding.width for encoding in self.features.values())
        made = np.zeros((rows.num_rows, width), dtype=np.float32)
        made[:, 0] = 1.0
        for name, encoding in self.features.items():
            block, column = self.blocks[name], rows.column(name)
            if isinstance(encoding, NumberEncoding):
                values = (numbers(column) - encoding.mean) / encoding.deviation
                unknown = ~np.isfinite(values)
                made[:, block[0]] = np.where(unknown, 0.0, values)
                if encoding.flagged:
                    made[:, block[1]] = unknown
            else:
                codes = _codes(column, encoding.levels)
                chosen = np.flatnonzero((codes >= 0) & (codes < encoding.indicators))
                made[chosen, block[0] + codes[chosen]] = 1.0 if block.size else 0.0
        return made

    def trees(self, rows: pa.Table) -> Numbers:
        """What the tree model sees, one column a feature, NaN for unknown; shape (rows, features)."""
        made = np.full((rows.num_rows, len(self.features)), np.nan)
        for position, (name, encoding) in enumerate(self.features.items()):
            if isinstance(encoding, NumberEncoding):
                values = numbers(rows.column(name))
                made[:, position] = np.where(np.isfinite(values), values, np.nan)
            else:
                codes = _codes(rows.column(name), encoding.levels[:MOST_CODES])
                made[:, position] = np.where(codes < 0, MOST_CODES, codes)
        return made


def fit(rows: pa.Table, features: Sequence[str]) -> Encoding:
    """The encoding of `features` learned from `rows`."""
    fitted = {name: _fitted(rows.column(name)) for name in features}
    blocks, position = {}, 1
    for name, encoding in fitted.items():
        blocks[name] = np.arange(position, position + encoding.width)
        position += encoding.width
    return Encoding(fitted, blocks)


def is_category(column: pa.ChunkedArray) -> bool:
    """Whether values are words, which are encoded one by one, and not quantities."""
    kind = column.type.value_type if pt.is_dictionary(column.type) else column.type
    return not (
        pt.is_integer(kind)
        or pt.is_floating(kind)
        or pt.is_decimal(kind)
        or pt.is_boolean(kind)
        or pt.is_temporal(kind)
    )


def numbers(column: pa.ChunkedArray) -> Numbers:
    """Quantities as float64 (instants as microseconds, truth as 1), unknown as NaN; shape (rows,)."""
    plain = column.cast(column.type.value_type) if pt.is_dictionary(column.type) else column
    if pt.is_timestamp(plain.type) or pt.is_date(plain.type):
        plain = plain.cast(pa.timestamp("us"), safe=False)
    if pt.is_temporal(plain.type):
        plain = plain.cast(pa.int64())
    values = pc.cast(plain, pa.float64(), safe=False).fill_null(float("nan"))
    return np.asarray(values.to_numpy(), dtype=np.float64)


def words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as text, unknown as null."""
    plain = column.cast(column.type.value_type) if pt.is_dictionary(column.type) else column
    return plain.cast(pa.string()) if not pt.is_nested(plain.type) else pa.chunked_array([map(str, plain.to_pylist())])


def _fitted(column: pa.ChunkedArray) -> NumberEncoding | CategoryEncoding:
    if is_category(column):
        counted = pc.value_counts(words(column).drop_null()).to_pylist()
        ranked = sorted(counted, key=lambda entry: (-entry["counts"], entry["values"]))
        frequent = sum(entry["counts"] >= FEWEST_ROWS for entry in ranked[:MOST_INDICATORS])
        return CategoryEncoding(tuple(entry["values"] for entry in ranked), frequent)
    values = numbers(column)
    known = values[np.isfinite(values)]
    mean = float(known.mean()) if known.size else 0.0
    deviation = float(known.std()) if known.size else 0.0
    return NumberEncoding(mean, deviation if deviation > 0 else 1.0, 0 < known.size < values.size)


def _codes(column: pa.ChunkedArray, levels: Sequence[str]) -> Indices:
    """The position of every value among the levels, -1 for unknown and unseen; shape (rows,)."""
    found = pc.index_in(words(column), value_set=pa.array(levels, type=pa.string()))
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.intp)
