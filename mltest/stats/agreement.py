"""Are two columns the same, value by value? Exact where the type is exact, tolerant only between floats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import AnyArray, BoolArray, as_column, is_missing, require_same_length

ValueKind = Literal["number", "float", "truth", "text", "time", "duration", "other", "empty"]

_KIND_OF_DTYPE: dict[str, ValueKind] = {
    "b": "truth",
    "i": "number",
    "u": "number",
    "f": "float",
    "U": "text",
    "M": "time",
    "m": "duration",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of `n` rows differ, and where: `first_mismatches` are the first row positions, ascending.

    `missing_mismatches` counts rows where one side alone is missing. `largest_difference` is over rows where both
    sides are finite numbers, NaN without such rows. With a `reason` the comparison has no content (or the types
    clash, and then every row counts as a mismatch).
    """

    n: int
    mismatches: int
    missing_mismatches: int
    first_mismatches: tuple[int, ...]
    largest_difference: float
    reason: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether rows were compared and none differed."""
        return self.reason is None and self.mismatches == 0


def compare_values(
    first: npt.ArrayLike, second: npt.ArrayLike, *, atol: float = 1e-6, rtol: float = 1e-5, keep: int = 10
) -> Agreement:
    """Compare two columns of the same rows, shape (n,) each.

    Integers, truth values, texts and times (as instants; those without a zone count as UTC) must be equal; so must
    an integer and a float. Two floats
    agree when |a - b| <= atol + rtol |a|, a from `first`. Missing equals missing, -0.0 equals 0.0, an infinity
    equals itself. No rows, or a column compared with itself, give a `reason`. ValueError when lengths differ.
    """
    left, right = as_column("first", first), as_column("second", second)
    require_same_length(first=left, second=right)
    if len(left) == 0:
        return Agreement(0, 0, 0, (), math.nan, "there are no rows to compare")
    if np.shares_memory(left, right):
        return Agreement(len(left), 0, 0, (), math.nan, "the column is compared with itself")
    left_missing, right_missing = is_missing(left), is_missing(right)
    clash = _type_clash(left[~left_missing], right[~right_missing])
    if clash:
        everything = tuple(range(min(keep, len(left))))
        return Agreement(len(left), len(left), 0, everything, math.nan, clash)
    both = ~left_missing & ~right_missing
    one_missing = left_missing ^ right_missing
    differs = one_missing.copy()
    differs[both], largest = _differences(left[both], right[both], atol, rtol)
    positions = np.flatnonzero(differs)
    return Agreement(
        len(left), len(positions), int(np.count_nonzero(one_missing)), tuple(positions[:keep].tolist()), largest
    )


def _differences(left: AnyArray, right: AnyArray, atol: float, rtol: float) -> tuple[BoolArray, float]:
    kinds = {_kind(left), _kind(right)}
    if kinds == {"time"}:
        return _instants(left) != _instants(right), math.nan
    if not kinds <= {"number", "float"}:
        return np.asarray(left != right, dtype=np.bool_), math.nan
    if kinds == {"number"}:
        # Large identifiers would collide as floats: these are compared as integers.
        unequal = np.asarray(left != right, dtype=np.bool_)
        return unequal, _largest(left.astype(np.float64), right.astype(np.float64))
    a, b = left.astype(np.float64), right.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        tolerance = atol + rtol * np.abs(a) if kinds == {"float"} else np.zeros_like(a)
        close = np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= tolerance)
    return ~(close | (a == b)), _largest(a, b)


def _largest(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    finite = np.isfinite(a) & np.isfinite(b)
    return float(np.abs(a[finite] - b[finite]).max()) if finite.any() else math.nan


def _instants(values: AnyArray) -> AnyArray:
    if values.dtype.kind == "M":
        return values
    naive = [value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value for value in values]
    return np.array(naive, dtype="datetime64[us]")


def _type_clash(left: AnyArray, right: AnyArray) -> str | None:
    kinds = [_kind(left), _kind(right)]
    if "empty" in kinds or kinds[0] == kinds[1] or set(kinds) == {"number", "float"}:
        return None
    return f"the types differ: {kinds[0]} against {kinds[1]}"


def _kind(values: AnyArray) -> ValueKind:
    if len(values) == 0:
        return "empty"
    if values.dtype.kind != "O":
        return _KIND_OF_DTYPE.get(values.dtype.kind, "other")
    kinds = {_kind_of_object(value) for value in values}
    if kinds == {"number", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "other"


def _kind_of_object(value: object) -> ValueKind:
    if isinstance(value, datetime):
        return "time"
    return _KIND_OF_DTYPE.get(np.asarray(value).dtype.kind, "other")
