"""Checked arrays: what callers hand over becomes one-dimensional and of equal length, or one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
AnyArray = npt.NDArray[Any]


def as_column(name: str, values: npt.ArrayLike) -> AnyArray:
    """`values` as a one-dimensional array; ValueError names `name` when the shape is another."""
    column = np.asarray(values)
    if column.ndim != 1:
        raise ValueError(f"{name} has {column.ndim} dimensions: give one value per row")
    return column


def as_floats(name: str, values: npt.ArrayLike) -> FloatArray:
    """`values` as a one-dimensional float64 array in which None has become NaN.

    ValueError names `name` when something in it is no number.
    """
    column = as_column(name, values)
    # NumPy would parse numerals in a text column; a text column is a mistake worth hearing of.
    if column.dtype.kind in "USmM" or (column.dtype.kind == "O" and any(isinstance(value, str) for value in column)):
        raise ValueError(f"{name} holds {column.dtype} values: give numbers")
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds values that are no numbers: give numbers, and NaN for missing") from None


def require_same_length(**columns: npt.NDArray[Any]) -> None:
    """ValueError that names every column with its length, unless all lengths agree."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"columns differ in length ({told}): give the same rows in the same order")


def require_share(name: str, value: float) -> None:
    """ValueError unless `value` lies strictly between 0 and 1 (a level, a rate, a quantile)."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value}: give a number between 0 and 1")


def is_missing(values: AnyArray) -> BoolArray:
    """Which entries are missing: NaN, NaT or None. An empty text is a value."""
    if values.dtype.kind in "fc":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind == "O":
        # NaN, NaT and their kin are the only values that differ from themselves.
        return np.fromiter((_is_missing_object(entry) for entry in values), dtype=np.bool_, count=len(values))
    return np.zeros(len(values), dtype=np.bool_)


def _is_missing_object(entry: Any) -> bool:
    if entry is None or type(entry).__name__ == "NAType":
        return True
    return bool(entry != entry)


def why_not_finite(name: str, values: FloatArray) -> str | None:
    """A sentence when `values` is empty or holds NaN or infinities, else None."""
    if values.size == 0:
        return f"{name} is empty"
    bad = int(values.size - np.count_nonzero(np.isfinite(values)))
    return f"{bad} of {values.size} rows of {name} are not finite" if bad else None
