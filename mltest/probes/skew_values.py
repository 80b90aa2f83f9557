"""Feature values as arrays that can be compared: how they are stored and in which zone printed falls away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest.stats import compare_values
from mltest.stats.arrays import is_missing

if TYPE_CHECKING:
    import pyarrow as pa

Values = npt.NDArray[Any]

MOST_NEAR_NOUGHT, LEAST_NEAR_NOUGHT = 1e-6, 1e-14
"""The absolute part of the tolerance at most, and at least: the rounding of double precision in numbers of order 1."""

SHARE_OF_SIZE = 1e-4
"""That part as a share of the median size of the values that are not 0, where these are below 0.01."""

_MICROSECONDS = (1e6, 1e3, 1.0, 1e-3)
"""In a second, a thousandth of it, and so on: the units in which instants are stored as numbers."""


@dataclass(frozen=True)
class Compared:
    """One column on both paths, row by row: `differs` marks the rows whose values are not the same.

    With a `reason` the comparison has no content or the types clash. `atol` is what two numbers near nought may differ
    by, `sides` say in words whose values the two arrays hold.
    """

    name: str
    batch: Values = field(repr=False)
    served: Values = field(repr=False)
    differs: npt.NDArray[np.bool_] = field(repr=False)
    largest_difference: float
    reason: str | None = None
    atol: float = 0.0
    sides: tuple[str, str] = ("batch", "served")

    @property
    def mismatches(self) -> int:
        return int(self.differs.sum())

    @property
    def empty(self) -> bool:
        """Whether there was no value to compare on either path."""
        return bool(is_missing(self.batch).all() and is_missing(self.served).all())

    @property
    def notices(self) -> bool:
        """Whether the comparison sees one planted change."""
        planted = _planted(self.served, self.atol)
        again = None if planted is None else compared(self.name, self.batch, planted, atol=self.atol)
        return again is None or again.mismatches != self.mismatches


def values_of(column: Any) -> Values:
    """An Arrow column as an array: floats, integers and truth values as they are, instants in UTC, the rest objects.

    Decimal numbers become floats, and so do integers with gaps; truth values with gaps become objects. Missing is NaN
    or None.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pt.is_dictionary(plain.type):
        plain = plain.cast(plain.type.value_type)
    if pt.is_date(plain.type) or pt.is_timestamp(plain.type):
        return np.asarray(pc.cast(plain, pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False))
    if pt.is_integer(plain.type) and plain.null_count == 0:
        return np.array(plain.to_numpy(zero_copy_only=False))
    if pt.is_integer(plain.type) or pt.is_floating(plain.type) or pt.is_decimal(plain.type):
        numbers = pc.fill_null(pc.cast(plain, pa.float64(), safe=False), float("nan"))
        return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    if pt.is_boolean(plain.type) and plain.null_count == 0:
        return np.array(plain.to_numpy(zero_copy_only=False))
    values = np.empty(len(plain), dtype=object)
    values[:] = plain.to_pylist()
    return values


def compared(name: str, batch: Values, served: Values, *, atol: float | None = None, rtol: float = 1e-5) -> Compared:
    """The rows in which two columns of equal length differ: exact, but for floats |a - b| <= atol + rtol |a|.

    Without `atol` it follows the size of the batch values, for an error of 1e-6 is all of a value of 1e-7.
    """
    allowed = _near_nought(batch) if atol is None else atol
    left, right = _as_numbers(batch, served), _as_numbers(served, batch)
    seen = compare_values(left, as_times(right, left), atol=allowed, rtol=rtol, keep=len(batch))
    differs = np.zeros(len(batch), dtype=np.bool_)
    differs[list(seen.first_mismatches)] = True
    return Compared(name, batch, served, differs, seen.largest_difference, seen.reason, allowed)


def compare_tables(batch: pa.Table, served: pa.Table, names: Sequence[str]) -> tuple[Compared, ...]:
    """The named columns of two tables whose rows are in the same order."""
    return tuple(compared(name, values_of(batch.column(name)), values_of(served.column(name))) for name in names)


def as_times(values: Values, like: Values) -> Values:
    """Instants that are kept as text, or as a number since 1970, become instants where the others are instants."""
    if like.dtype.kind != "M":
        return values
    if values.dtype.kind == "O":
        return _of_texts(values)
    return _of_epoch(values, like) if values.dtype.kind in "iuf" else values


def _of_texts(values: Values) -> Values:
    import pyarrow as pa

    # Arrow reads a text with an offset as one type only, a text without one as another only.
    for zone in ("UTC", None):
        try:
            return values_of(pa.array(values.tolist(), pa.string()).cast(pa.timestamp("us", zone)))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            continue
    return values


def _of_epoch(values: Values, like: Values) -> Values:
    """Numbers since 1970 in the unit that brings them to the time of `like`; as they are when none does."""
    known = ~is_missing(values)
    ours = np.abs(like[~np.isnat(like)].astype("datetime64[us]").astype(np.float64))
    size = float(np.median(np.abs(values[known].astype(np.float64)))) if known.any() else 0.0
    factor = float(np.median(ours)) / size if ours.size and size > 0.0 else 0.0
    unit = next((each for each in _MICROSECONDS if each / 2 < factor < each * 2), None)
    if unit is None:
        return values
    whole = np.zeros(len(values), dtype=np.int64)
    if values.dtype.kind == "f" or unit < 1:
        whole[known] = np.round(values[known].astype(np.float64) * unit).astype(np.int64)
    else:
        whole[known] = values[known].astype(np.int64) * int(unit)
    instants = whole.astype("datetime64[us]")
    instants[~known] = np.datetime64("NaT")
    return instants


def _as_numbers(values: Values, like: Values) -> Values:
    """Truth values become 0 and 1 where the others are numbers."""
    if like.dtype.kind not in "iuf" or values.dtype.kind not in "bO":
        return values
    known = values[~is_missing(values)]
    if len(known) == 0 or not all(isinstance(value, bool | np.bool_) for value in known):
        return values
    if len(known) == len(values):
        return values.astype(np.int64)
    return np.array([np.nan if value is None else float(value) for value in values])


def _near_nought(batch: Values) -> float:
    """What two values may differ by however small they are: a share of the size of most, at most 1e-6."""
    if batch.dtype.kind != "f":
        return MOST_NEAR_NOUGHT
    sizes = np.abs(batch[np.isfinite(batch) & (batch != 0.0)])
    if sizes.size == 0:
        return MOST_NEAR_NOUGHT
    return float(np.clip(SHARE_OF_SIZE * np.median(sizes), LEAST_NEAR_NOUGHT, MOST_NEAR_NOUGHT))


def _planted(values: Values, atol: float) -> Values | None:
    """A copy with one known value changed a little more than any tolerance; None without a known value."""
    known = np.flatnonzero(~is_missing(values))
    if known.size == 0:
        return None
    changed = values.copy()
    place, value = known[len(known) // 2], values[known[len(known) // 2]]
    if values.dtype.kind == "f":
        changed[place] = value + 100.0 * atol + 1e-4 * abs(value) if np.isfinite(value) else 0.0
    elif values.dtype.kind in "iu":
        changed[place] = value - 1 if value > 0 else value + 1
    elif values.dtype.kind == "M":
        changed[place] = value + np.timedelta64(1, "s")
    elif values.dtype.kind == "b":
        changed[place] = not value
    else:
        changed[place] = f"{value} changed" if isinstance(value, str) else None
    return changed
