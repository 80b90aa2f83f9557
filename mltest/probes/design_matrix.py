"""The model's own inputs in the shape that simple models need, with the treatment that any of them deserves.

A baseline on raw columns is a straw man: numbers are filled with their median, flagged where missing, standardised and
held within ten standard deviations; levels of a category become columns of their own, rare ones share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Matrix = npt.NDArray[np.float32]

_FARTHEST = 10.0
_MOST_LEVELS = 60
_FEWEST_ROWS = 20
_FEWEST_SHARE = 0.0005
_MISSING = "(missing)"


@dataclass(frozen=True)
class NumberInput:
    """A numeric column: its median fills gaps, `flagged` says whether gaps were seen in training."""

    name: str
    median: float
    mean: float
    scale: float
    flagged: bool


@dataclass(frozen=True)
class CategoryInput:
    """A column of categories: the levels frequent enough to have a column, most frequent first."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Encoder:
    """What was learned from the training rows about their columns."""

    numbers: tuple[NumberInput, ...]
    categories: tuple[CategoryInput, ...]

    @property
    def width(self) -> int:
        return sum(1 + number.flagged for number in self.numbers) + sum(len(c.levels) for c in self.categories)

    def wide(self, table: pa.Table) -> Matrix:
        """Standardised numbers, flags of missing values and one column a level; shape (rows, width)."""
        matrix = np.zeros((table.num_rows, self.width), dtype=np.float32)
        position = 0
        for number in self.numbers:
            values = numbers_of(table.column(number.name))
            absent = np.isnan(values)
            standard = (np.where(absent, number.median, values) - number.mean) / number.scale
            matrix[:, position] = np.clip(standard, -_FARTHEST, _FARTHEST)
            position += 1
            if number.flagged:
                matrix[:, position] = absent
                position += 1
        for category in self.categories:
            codes = self._codes(table, category)
            known = np.flatnonzero(codes >= 0)
            matrix[known, position + codes[known]] = 1.0
            position += len(category.levels)
        return matrix

    def compact(self, table: pa.Table, order: Sequence[npt.NDArray[np.float64]]) -> Matrix:
        """One column an input for trees: numbers with NaN for missing, levels by their place in `order`."""
        columns = [numbers_of(table.column(number.name)) for number in self.numbers]
        for category, ranks in zip(self.categories, order, strict=True):
            columns.append(np.append(ranks, np.nan)[self._codes(table, category)])
        return np.column_stack(columns).astype(np.float32)

    def level_means(self, table: pa.Table, truth: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
        """Mean truth of every level of every category, by which a tree may order them."""
        means = []
        for category in self.categories:
            codes = self._codes(table, category)
            known = codes >= 0
            size = np.bincount(codes[known], minlength=len(category.levels))
            total = np.bincount(codes[known], weights=truth[known], minlength=len(category.levels))
            means.append(total / np.maximum(size, 1))
        return means

    @staticmethod
    def _codes(table: pa.Table, category: CategoryInput) -> npt.NDArray[np.intp]:
        """Position of every row's level, -1 for rare and unseen ones."""
        names, codes = level_codes(table.column(category.name))
        position = {level: number for number, level in enumerate(category.levels)}
        return np.array([position.get(name, -1) for name in names], dtype=np.intp)[codes]


def fit(table: pa.Table, inputs: Sequence[str]) -> Encoder:
    """Learns from the columns `inputs` of the training rows; columns without two different values are left out."""
    numbers: list[NumberInput] = []
    categories: list[CategoryInput] = []
    for name in dict.fromkeys(inputs):
        column = table.column(name)
        if is_number_like(column):
            number = _number(name, numbers_of(column))
            numbers += [] if number is None else [number]
        else:
            levels = _frequent_levels(column)
            categories += [CategoryInput(name, levels)] if levels else []
    return Encoder(tuple(numbers), tuple(categories))


def is_number_like(column: Any) -> bool:
    """Whether a column is read as numbers: numbers, truth values and instants are; texts are categories."""
    import pyarrow.types as pt

    kind = column.type
    numeric = pt.is_integer(kind) or pt.is_floating(kind) or pt.is_boolean(kind) or pt.is_decimal(kind)
    return bool(numeric or pt.is_timestamp(kind) or pt.is_date(kind))


def numbers_of(column: Any) -> npt.NDArray[np.float64]:
    """Values as float64, instants in microseconds, NaN for what is missing or infinite; shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if pt.is_timestamp(column.type) or pt.is_date(column.type):
        column = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
    values = pc.fill_null(pc.cast(column, pa.float64(), safe=False), float("nan")).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(values), values, np.nan)


def level_codes(column: Any) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Distinct levels as text, missing among them, and for every row the position of its level."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = flat if pt.is_dictionary(flat.type) else flat.dictionary_encode()
    names = [_MISSING if name is None else str(name) for name in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices.cast(pa.int64()), len(names)).to_numpy(zero_copy_only=False)
    return [*names, _MISSING], codes.astype(np.intp)


def _number(name: str, values: npt.NDArray[np.float64]) -> NumberInput | None:
    present = values[~np.isnan(values)]
    if present.size == 0 or (present.size == len(values) and present.min() == present.max()):
        return None
    median, mean, scale = float(np.median(present)), float(present.mean()), float(present.std())
    return NumberInput(name, median, mean, scale or 1.0, flagged=present.size < len(values))


def _frequent_levels(column: Any) -> tuple[str, ...]:
    names, codes = level_codes(column)
    counts: dict[str, int] = {}
    for name, count in zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True):
        counts[name] = counts.get(name, 0) + count
    enough = max(_FEWEST_ROWS, _FEWEST_SHARE * len(codes))
    frequent = sorted((name for name, count in counts.items() if count >= enough), key=lambda n: (-counts[n], n))
    return tuple(frequent[:_MOST_LEVELS]) if len(counts) > 1 else ()
