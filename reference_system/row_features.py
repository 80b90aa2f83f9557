"""Row-level transforms, written once: the batch path gives them all flights, the server gives them one.

``facts`` says what the raw row itself tells, ``inputs`` joins that with the window features to the model's inputs.
Columns are numpy arrays of equal length; a missing number is NaN, a missing category ``unknown``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from reference_system import flights
from reference_system.declarations import WINDOW_FEATURES, WindowFeature
from reference_system.flights import Columns, Floats
from reference_system.records import Values
from reference_system.references import References

Transform = Callable[[Columns, Mapping[str, Floats]], Values]

WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], dtype=object)


def facts(columns: Columns, references: References) -> dict[str, Values]:
    """Raw columns plus instants, schedule, reference data and, where the flight has landed, its outcomes."""
    places = references.destination_columns(columns["dest"])
    instants = flights.departure_instants(columns)
    elapsed = flights.scheduled_elapsed(columns, instants["scheduled_departure"], places["zone"])
    return {
        **columns,
        **places,
        **references.plane_columns(columns["tailnum"]),
        **instants,
        "flight_id": flight_ids(columns),
        "scheduled_elapsed": elapsed,
        "band": flights.longitude_band(places["longitude"].astype(np.float64)),
        **flights.outcomes(columns, instants["pushed_back_at"], elapsed),
    }


def flight_ids(columns: Columns) -> Values:
    """``2013-01-31-UA-1545-EWR``: local date, carrier, flight number and origin, unique over the year."""
    dates = np.datetime_as_string(columns["date"].astype("datetime64[D]")).tolist()
    numbers = columns["flight"].astype(np.int64).tolist()
    parts = zip(dates, columns["carrier"].tolist(), numbers, columns["origin"].tolist(), strict=True)
    return np.array([f"{date}-{carrier}-{number}-{origin}" for date, carrier, number, origin in parts], dtype=object)


def inputs(known: Columns, windows: Mapping[str, Floats], names: Collection[str] | None = None) -> dict[str, Values]:
    """The model inputs of those ``names`` (None is all), from ``facts`` and declared window features of the same rows.

    ``windows`` holds at least what ``windows_read`` says.
    """
    wanted = INPUTS if names is None else names
    return {name: made(known, windows) for name, made in _MADE.items() if name in wanted}


def windows_read(names: Collection[str]) -> frozenset[str]:
    """The declared window features that the model inputs of those ``names`` are made from."""
    declared = {feature.name for feature in WINDOW_FEATURES if feature.model_input and feature.name in names}
    return frozenset(declared.union(*(reads for name, reads in _READ.items() if name in names)))


def _of_window(feature: WindowFeature) -> Transform:
    name, minus = feature.name, feature.minus
    if minus is None:
        return lambda known, windows: windows[name]
    return lambda known, windows: windows[name] - known[minus].astype(np.float64)


def _of_fact(name: str) -> Transform:
    return lambda known, windows: known[name]


def _scheduled_departure_minute(known: Columns, windows: Mapping[str, Floats]) -> Values:
    return flights.seconds_of_clock(known["sched_dep_time"]) / 60


def _estimated_arrival_minute(known: Columns, windows: Mapping[str, Floats]) -> Values:
    arrival = known["pushed_back_at"].astype(np.float64) + known["scheduled_elapsed"].astype(np.float64) * 60
    return flights.arrival_clock(known["zone"], arrival)


def _departure_minute(known: Columns, windows: Mapping[str, Floats]) -> Values:
    local = flights.utc_to_local(flights.ORIGIN_ZONE, known["pushed_back_at"].astype(np.float64))
    return flights.minute_of_day(local)


def _wind_to(component: Callable[[Floats], Floats]) -> Transform:
    """The wind's component along a direction, of which ``component`` gives the share."""

    def blown(known: Columns, windows: Mapping[str, Floats]) -> Values:
        speed, direction = windows["wind_speed"], np.deg2rad(windows["wind_from"])
        # Calm or variable wind is reported without a direction: it pushes nowhere in particular.
        return np.where(np.isfinite(direction), -speed * component(direction), speed * 0)

    return blown


def _pressure_missing(known: Columns, windows: Mapping[str, Floats]) -> Values:
    missing = np.isnan(windows["pressure"]).astype(np.float64)
    return np.where(np.isfinite(windows["weather_age"]), missing, np.nan)


def _plane_age(known: Columns, windows: Mapping[str, Floats]) -> Values:
    year = known["date"].astype("datetime64[Y]").astype(np.float64) + 1970
    return year - known["plane_year"].astype(np.float64)


def _day_of_week(known: Columns, windows: Mapping[str, Floats]) -> Values:
    return WEEKDAYS[(known["date"].astype("datetime64[D]").astype(np.int64) + 3) % 7]


def _scheduled_hour(known: Columns, windows: Mapping[str, Floats]) -> Values:
    hours = np.floor(known["sched_dep_time"].astype(np.float64) / 100).astype(np.int64)
    return np.array([f"{hour:02d}" for hour in hours.tolist()], dtype=object)


_MADE: Mapping[str, Transform] = {
    **{name: _of_fact(name) for name in ("scheduled_elapsed", "distance", "carrier", "origin", "dest")},
    **{name: _of_fact(name) for name in ("plane_seats", "plane_model")},
    "destination_latitude": _of_fact("latitude"),
    "destination_longitude": _of_fact("longitude"),
    "departure_delay": _of_fact("dep_delay"),
    "scheduled_departure_minute": _scheduled_departure_minute,
    "estimated_arrival_minute": _estimated_arrival_minute,
    "departure_minute": _departure_minute,
    "wind_to_east": _wind_to(np.sin),
    "wind_to_north": _wind_to(np.cos),
    "pressure_missing": _pressure_missing,
    "plane_age": _plane_age,
    "day_of_week": _day_of_week,
    "scheduled_hour": _scheduled_hour,
    **{feature.name: _of_window(feature) for feature in WINDOW_FEATURES if feature.model_input},
}
_READ: Mapping[str, tuple[str, ...]] = {
    "wind_to_east": ("wind_speed", "wind_from"),
    "wind_to_north": ("wind_speed", "wind_from"),
    "pressure_missing": ("pressure", "weather_age"),
}
INPUTS = frozenset(_MADE)
