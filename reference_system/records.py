"""Raw rows as columns: from a table of the batch path, or from the dictionaries of a request or an event stream."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Row = Mapping[str, Any]
Values = npt.NDArray[np.generic]

TEXT_COLUMNS = ("carrier", "tailnum", "origin", "dest")
NUMBER_COLUMNS = (
    "sched_dep_time",
    "dep_delay",
    "sched_arr_time",
    "arr_delay",
    "air_time",
    "flight",
    "distance",
)
REPORTED = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def columns_of(flights: pa.Table) -> dict[str, Values]:
    """Raw flights as arrays: text as objects with None, ``date`` as datetime64[D], numbers as float64 with NaN."""
    numbers = {
        name: flights[name].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False)
        for name in NUMBER_COLUMNS
    }
    texts = {name: np.array(flights[name].to_pylist(), dtype=object) for name in TEXT_COLUMNS}
    dates = flights["date"].combine_chunks().to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return {**numbers, **texts, "date": dates}


def columns_of_records(rows: Sequence[Row]) -> dict[str, Values]:
    """As ``columns_of`` for dictionaries; ``date`` may be a date or ISO text, an absent key means unknown.

    Raises:
        KeyError: a row lacks its date, a clock, or one of carrier, flight, origin, dest and distance.
    """
    optional = {"dep_delay", "arr_delay", "air_time"}
    numbers = {
        name: np.array([_number(row.get(name) if name in optional else row[name]) for row in rows], dtype=np.float64)
        for name in NUMBER_COLUMNS
    }
    texts = {
        name: np.array([row.get(name) if name == "tailnum" else row[name] for row in rows], dtype=object)
        for name in TEXT_COLUMNS
    }
    dates = np.array([_day(row["date"]) for row in rows], dtype="datetime64[D]")
    return {**numbers, **texts, "date": dates}


def weather_table(rows: Sequence[Row]) -> pa.Table:
    """Reports of weather as a raw table; ``time_hour`` may be an aware datetime or ISO text, an absent key is null.

    Raises:
        KeyError: a row lacks ``origin`` or ``time_hour``.
        ValueError: a ``time_hour`` has no time zone.
    """
    return pa.table(
        {
            "time_hour": pa.array([_instant(row["time_hour"]) for row in rows], pa.timestamp("s", "UTC")),
            "origin": pa.array([row["origin"] for row in rows], pa.string()),
            **{name: pa.array([row.get(name) for row in rows], pa.float64()) for name in REPORTED},
        }
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        raise ValueError(f"time_hour {moment.isoformat()} has no time zone; send it in UTC")
    return moment.astimezone(UTC)
