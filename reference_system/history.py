"""What was known at a moment: the raw tables with everything that had not happened yet left blank."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reference_system import events, records, row_features
from reference_system.raw import RawTables
from reference_system.references import References

KNOWN_AT_PUSH_BACK = ("dep_delay",)
KNOWN_AT_LANDING = ("arr_time", "arr_delay", "air_time")


def known_at(raw: RawTables, moment: datetime) -> RawTables:
    """``raw`` as it stood at ``moment`` (aware): timetable and reference tables whole, later facts null or absent."""
    now = events.seconds(moment)
    known = row_features.facts(records.columns_of(raw["flights"]), References.from_raw(raw))
    flights = _blank(raw["flights"], KNOWN_AT_PUSH_BACK, happened(known["pushed_back_at"], now))
    flights = _blank(flights, KNOWN_AT_LANDING, happened(known["landed_at"], now))
    available = events.weather_events(raw["weather"])["available_at"]
    weather = raw["weather"].filter(pc.less_equal(available, now))
    return {**raw, "flights": flights, "weather": weather}


def happened(instants: npt.NDArray[np.generic], now: int) -> npt.NDArray[np.bool_]:
    """Whether each instant (seconds since 1970, NaN for never) lies at or before ``now``."""
    known: npt.NDArray[np.bool_] = instants.astype(np.float64) <= now
    return known


def _blank(table: pa.Table, columns: tuple[str, ...], keep: npt.NDArray[np.bool_]) -> pa.Table:
    for name in columns:
        values = pc.if_else(pa.array(keep), table[name], pa.scalar(None, table[name].type))
        table = table.set_column(table.column_names.index(name), name, values)
    return table
