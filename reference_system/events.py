"""Events as tables: what happened when, for the offline join and to fill the online store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from reference_system.flights import Columns

EVENT_COLUMNS: Mapping[str, pa.DataType] = {
    "flight_id": pa.string(),
    "carrier": pa.string(),
    "flight": pa.int64(),
    "origin": pa.string(),
    "dest": pa.string(),
    "band": pa.string(),
    "scheduled_departure": pa.int64(),
    "pushed_back_at": pa.int64(),
    "landed_at": pa.int64(),
    "dep_delay": pa.float64(),
    "scheduled_elapsed": pa.float64(),
    "elapsed": pa.float64(),
    "air_time": pa.float64(),
    "taxi": pa.float64(),
    "block_deviation": pa.float64(),
}
HOUR = 3_600


def flight_events(known: Columns) -> pa.Table:
    """One row per flight, landed or not; instants in whole seconds since 1970, unknown values null."""
    return pa.table({name: pa.array(known[name], from_pandas=True).cast(kind) for name, kind in EVENT_COLUMNS.items()})


def weather_events(weather: pa.Table) -> pa.Table:
    """Hourly reports with ``available_at``: the report of hour H is complete, and may be used, once H is over.

    Upstream keeps the last report up to minute 51 and the precipitation up to then, so that within the hour the row
    of that hour does not exist yet.
    """
    begins = pc.cast(pc.cast(weather["time_hour"], pa.timestamp("s", "UTC")), pa.int64())
    numbers = {
        name: pc.cast(weather[name], pa.float64())
        for name in ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    }
    identity = pc.cast(begins, pa.string())
    return pa.table(
        {"flight_id": identity, "origin": weather["origin"], "available_at": pc.add(begins, HOUR), **numbers}
    )


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware datetime.

    Raises:
        ValueError: ``moment`` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an aware datetime such as one in UTC")
    return int(moment.astimezone(UTC).timestamp())


def timestamps(instants: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pa.Array:
    """Seconds since 1970 with NaN as a timestamp column (microseconds, UTC) with null."""
    whole = pa.array(instants, from_pandas=True).cast(pa.int64())
    return pc.multiply(whole, 1_000_000).cast(pa.timestamp("us", "UTC"))
