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


@dataclass(frozen=True)
class Compared:
    """One column on both paths, row by row: `differs` marks the rows whose values are not the same.

    With a `reason` the comparison has no content or the types clash.
    """

    name: str
    batch: Values = field(repr=False)
    served: Values = field(repr=False)
    differs: npt.NDArray[np.bool_] = field(repr=False)
    largest_difference: float
    reason: str | None = None

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
        planted = _planted(self.served)
        return planted is None or compared(self.name, self.batch, planted).mismatches != self.mismatches


def values_of(column: Any) -> Values:
    """An Arrow column as an array: floats, integers and truth values as they are, instants in UTC, the rest objects.

    Integers and truth values with gaps become floats and objects, missing is NaN or None.
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
    if pt.is_integer(plain.type) or pt.is_floating(plain.type):
        numbers = pc.fill_null(pc.cast(plain, pa.float64(), safe=False), float("nan"))
        return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    if pt.is_boolean(plain.type) and plain.null_count == 0:
        return np.array(plain.to_numpy(zero_copy_only=False))
    values = np.empty(len(plain), dtype=object)
    values[:] = plain.to_pylist()
    return values


def compared(name: str, batch: Values, served: Values, *, atol: float = 1e-6, rtol: float = 1e-5) -> Compared:
    """The rows in which two columns of equal length differ: exact, but for floats |a - b| <= atol + rtol |a|."""
    seen = compare_values(batch, _as_times(served, batch), atol=atol, rtol=rtol, keep=len(batch))
    differs = np.zeros(len(batch), dtype=np.bool_)
    differs[list(seen.first_mismatches)] = True
    return Compared(name, batch, served, differs, seen.largest_difference, seen.reason)


def compare_tables(batch: pa.Table, served: pa.Table, names: Sequence[str]) -> tuple[Compared, ...]:
    """The named columns of two tables whose rows are in the same order."""
    return tuple(compared(name, values_of(batch.column(name)), values_of(served.column(name))) for name in names)


def _as_times(values: Values, like: Values) -> Values:
    """Instants that a log keeps as text become instants where the batch path has instants."""
    import pyarrow as pa

    if like.dtype.kind != "M" or values.dtype.kind != "O":
        return values
    try:
        return values_of(pa.array(values.tolist(), pa.string()).cast(pa.timestamp("us", "UTC")))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return values


def _planted(values: Values) -> Values | None:
    """A copy with one known value changed a little more than any tolerance; None without a known value."""
    known = np.flatnonzero(~is_missing(values))
    if known.size == 0:
        return None
    changed = values.copy()
    place, value = known[len(known) // 2], values[known[len(known) // 2]]
    if values.dtype.kind == "f":
        changed[place] = value + 1e-4 * (1.0 + abs(value)) if np.isfinite(value) else 0.0
    elif values.dtype.kind in "iu":
        changed[place] = value - 1 if value > 0 else value + 1
    elif values.dtype.kind == "M":
        changed[place] = value + np.timedelta64(1, "s")
    elif values.dtype.kind == "b":
        changed[place] = not value
    else:
        changed[place] = f"{value} changed" if isinstance(value, str) else None
    return changed
