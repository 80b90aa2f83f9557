"""The moment that a request was answered for: where a log keeps it, and whether it is the moment of the batch row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mltest.probes.skew_values import Compared, Values, as_times, compared, values_of

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("as_of", "at", "moment")
"""Beside the name that the column of moments has in the data set."""


def compare(batch: pa.Table, log: pa.Table, time: str) -> Compared | None:
    """The moments of rows in the same order; None when no column of the log can be said to hold them.

    A column of another name holds them if it agrees in every row: it might be the time of writing as well.
    """
    import pyarrow.types as pt

    own = values_of(batch.column(time))
    named = next((name for name in dict.fromkeys((time, *NAMES)) if name in log.column_names), None)
    if named is not None:
        return _compared(named, own, values_of(log.column(named)))
    for name in log.column_names:
        if pt.is_timestamp(log[name].type) and name not in batch.column_names:
            found = _compared(name, own, values_of(log.column(name)))
            if found.mismatches == 0:
                return found
    return None


def _compared(name: str, batch: Values, served: Values) -> Compared:
    instants = as_times(served, batch)
    if batch.dtype.kind != "M" or instants.dtype.kind != "M" or np.isnat(instants).all():
        return compared(name, batch, instants)
    differs = np.asarray(np.isnat(batch) != np.isnat(instants))
    known = ~np.isnat(batch) & ~np.isnat(instants)
    differs[known] = np.abs(batch[known] - instants[known]) >= _resolution(instants[known])
    return Compared(name, batch, instants, differs, float("nan"))


def _resolution(instants: Values) -> np.timedelta64:
    """The unit in which a log keeps time: a whole second, a thousandth or a millionth of it."""
    for unit in ("s", "ms"):
        if instants.size and (instants == instants.astype(f"datetime64[{unit}]")).all():
            return np.timedelta64(1, unit)
    return np.timedelta64(1, "us")
