"""From published clock readings to instants in UTC, and to what is known about a flight at push-back and after landing.

Upstream prints clocks as HHMM integers, departures in New York time and arrivals in the destination's. Every function
takes columns as numpy arrays of equal length (one row or many), so that batch and request run the same code. Instants
are float64 seconds since 1970 in UTC, durations float64 minutes; NaN means unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[np.generic]]

ORIGIN_ZONE = "America/New_York"
DAY = 86_400.0
HOUR = 3_600.0
MINUTE = 60.0
# Western edges of the bands in which winds aloft act alike on flights out of New York, degrees of longitude.
BAND_EDGES = (-112.0, -95.0, -85.0, -78.0)
MEDIUM_HAUL_MILES, LONG_HAUL_MILES = 700, 1_500


def seconds_of_clock(hhmm: npt.NDArray[np.generic]) -> Floats:
    """Seconds after midnight of an HHMM reading (1005 is five past ten, 2400 the end of the day)."""
    reading = hhmm.astype(np.float64)
    return np.floor(reading / 100) * HOUR + np.mod(reading, 100) * MINUTE


def local_to_utc(zone: str, local: Floats) -> Floats:
    """Instants of wall-clock readings in ``zone``; a reading that happens twice means the first time."""
    return local - _offsets(zone, local, wall_clock=True)


def utc_to_local(zone: str, instants: Floats) -> Floats:
    """Wall-clock readings in ``zone`` as seconds since 1970-01-01 00:00 of that clock."""
    return instants + _offsets(zone, instants, wall_clock=False)


def minute_of_day(local: Floats) -> Floats:
    """Minutes after midnight of a wall-clock reading, 0 to 1439."""
    return np.floor(np.mod(local, DAY) / MINUTE)


def departure_instants(flights: Columns) -> dict[str, Floats]:
    """``scheduled_departure`` and ``pushed_back_at`` (NaN for a flight that has not left).

    Reads ``date`` (datetime64[D]), ``sched_dep_time`` (HHMM) and ``dep_delay`` (minutes).
    """
    midnight = flights["date"].astype("datetime64[D]").astype(np.float64) * DAY
    scheduled = local_to_utc(ORIGIN_ZONE, midnight + seconds_of_clock(flights["sched_dep_time"]))
    delay = flights["dep_delay"].astype(np.float64)
    return {"scheduled_departure": scheduled, "pushed_back_at": scheduled + delay * MINUTE}


def scheduled_elapsed(flights: Columns, scheduled_departure: Floats, zones: npt.NDArray[np.generic]) -> Floats:
    """Minutes from scheduled departure to scheduled arrival, both clocks taken to UTC.

    ``zones`` is the destination's IANA name per row; NaN where it is None. An arrival clock that would lie before
    the departure belongs to the next day.
    """
    midnight = flights["date"].astype("datetime64[D]").astype(np.float64) * DAY
    local = midnight + seconds_of_clock(flights["sched_arr_time"])
    elapsed = _in_zones(local_to_utc, zones, local) - scheduled_departure
    next_day = _in_zones(local_to_utc, zones, local + DAY) - scheduled_departure
    minutes: Floats = np.where(elapsed > 0, elapsed, next_day) / MINUTE
    return minutes


def arrival_clock(zones: npt.NDArray[np.generic], instants: Floats) -> Floats:
    """Minute of day at the destination of each instant; NaN where the zone is unknown."""
    return minute_of_day(_in_zones(utc_to_local, zones, instants))


def outcomes(flights: Columns, pushed_back_at: Floats, elapsed_as_scheduled: Floats) -> dict[str, Floats]:
    """What only the landing tells: ``landed_at``, ``block_deviation``, ``elapsed`` and ``taxi`` (minutes).

    ``block_deviation`` is ``arr_delay - dep_delay``: minutes lost (positive) or gained from gate to gate. A diverted
    or cancelled flight has none. ``taxi`` is elapsed minus air time, out and in together.
    """
    deviation = flights["arr_delay"].astype(np.float64) - flights["dep_delay"].astype(np.float64)
    elapsed = elapsed_as_scheduled + deviation
    return {
        "landed_at": pushed_back_at + elapsed * MINUTE,
        "block_deviation": deviation,
        "elapsed": elapsed,
        "taxi": elapsed - flights["air_time"].astype(np.float64),
    }


def longitude_band(longitude: Floats) -> npt.NDArray[np.generic]:
    """``band0`` (far west) to ``band4`` (Atlantic coast and islands) per destination; None where unknown."""
    names = np.array([f"band{i}" for i in range(len(BAND_EDGES) + 1)], dtype=object)
    bands = names[np.searchsorted(BAND_EDGES, np.nan_to_num(longitude), side="right")]
    bands[np.isnan(longitude)] = None
    return bands


def haul(distance: Floats) -> npt.NDArray[np.generic]:
    """``short`` below 700 miles, ``long`` from 1,500 on, ``medium`` between."""
    names = np.array(["short", "medium", "long"], dtype=object)
    return names[np.searchsorted((MEDIUM_HAUL_MILES, LONG_HAUL_MILES), distance, side="right")]


def _in_zones(convert: Callable[[str, Floats], Floats], zones: npt.NDArray[np.generic], instants: Floats) -> Floats:
    result = np.full(instants.shape, np.nan)
    for zone in sorted({zone for zone in zones.tolist() if zone is not None}):
        here = zones == zone
        result[here] = convert(zone, instants[here])
    return result


def _offsets(zone: str, instants: Floats, *, wall_clock: bool) -> Floats:
    """Seconds east of Greenwich; looked up once per distinct hour since zones here change on the hour."""
    result = np.full(instants.shape, np.nan)
    known = np.isfinite(instants)
    hours, position = np.unique(np.floor(instants[known] / HOUR).astype(np.int64), return_inverse=True)
    offsets = np.array([_offset_of_hour(zone, hour, wall_clock) for hour in hours.tolist()], dtype=np.float64)
    if offsets.size:
        result[known] = offsets[position]
    return result


@lru_cache(maxsize=200_000)
def _offset_of_hour(zone: str, hour: int, wall_clock: bool) -> float:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    place = ZoneInfo(zone)
    local = moment.replace(tzinfo=place) if wall_clock else moment.astimezone(place)
    offset = local.utcoffset()
    return 0.0 if offset is None else offset.total_seconds()
