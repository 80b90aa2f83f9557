"""Row-level transforms, written once: the batch path gives them all flights, the server gives them one.

``facts`` says what the raw row itself tells, ``inputs`` joins that with the window features to the model's inputs.
Columns are numpy arrays of equal length; a missing number is NaN, a missing category ``unknown``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from reference_system import flights
from reference_system.declarations import WINDOW_FEATURES
from reference_system.flights import Columns, Floats
from reference_system.records import Values
from reference_system.references import References

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

    ``windows`` holds at least what ``windows_read`` says. Row-level inputs come in blocks: of one that nobody names
    nothing is computed.
    """
    wanted = INPUTS if names is None else names
    made: dict[str, Values] = {}
    for block in _BLOCKS:
        if any(name in wanted for name in block.yields):
            made |= block.computed(known, windows)
    for feature in WINDOW_FEATURES:
        if feature.model_input and feature.name in wanted:
            made[feature.name] = _window(feature.minus, windows[feature.name], known)
    return {name: column for name, column in made.items() if name in wanted}


def windows_read(names: Collection[str]) -> frozenset[str]:
    """The declared window features that the model inputs of those ``names`` are made from."""
    declared = {feature.name for feature in WINDOW_FEATURES if feature.model_input and feature.name in names}
    return frozenset(declared.union(*(block.reads for block in _BLOCKS if any(name in names for name in block.yields))))


def _window(minus: str | None, values: Floats, known: Columns) -> Floats:
    return values if minus is None else values - known[minus].astype(np.float64)


def _schedule(known: Columns) -> dict[str, Values]:
    arrival = known["pushed_back_at"].astype(np.float64) + known["scheduled_elapsed"].astype(np.float64) * 60
    return {
        "scheduled_elapsed": known["scheduled_elapsed"],
        "distance": known["distance"],
        "scheduled_departure_minute": flights.seconds_of_clock(known["sched_dep_time"]) / 60,
        "estimated_arrival_minute": flights.arrival_clock(known["zone"], arrival),
        "destination_latitude": known["latitude"],
        "destination_longitude": known["longitude"],
    }


def _departure(known: Columns) -> dict[str, Values]:
    local = flights.utc_to_local(flights.ORIGIN_ZONE, known["pushed_back_at"].astype(np.float64))
    return {"departure_delay": known["dep_delay"], "departure_minute": flights.minute_of_day(local)}


def _weather(windows: Mapping[str, Floats]) -> dict[str, Values]:
    speed, direction = windows["wind_speed"], np.deg2rad(windows["wind_from"])
    # Calm or variable wind is reported without a direction: it pushes nowhere in particular.
    steady = np.isfinite(direction)
    return {
        "wind_to_east": np.where(steady, -speed * np.sin(direction), speed * 0),
        "wind_to_north": np.where(steady, -speed * np.cos(direction), speed * 0),
        "pressure_missing": np.where(
            np.isfinite(windows["weather_age"]), np.isnan(windows["pressure"]).astype(np.float64), np.nan
        ),
    }


def _plane(known: Columns) -> dict[str, Values]:
    year = known["date"].astype("datetime64[Y]").astype(np.float64) + 1970
    return {"plane_age": year - known["plane_year"].astype(np.float64), "plane_seats": known["plane_seats"]}


def _categories(known: Columns) -> dict[str, Values]:
    weekday = (known["date"].astype("datetime64[D]").astype(np.int64) + 3) % 7
    hours = np.floor(known["sched_dep_time"].astype(np.float64) / 100).astype(np.int64)
    return {
        **{name: known[name] for name in ("carrier", "origin", "dest")},
        "day_of_week": WEEKDAYS[weekday],
        "scheduled_hour": np.array([f"{hour:02d}" for hour in hours.tolist()], dtype=object),
        "plane_model": known["plane_model"],
    }


@dataclass(frozen=True, slots=True)
class _Block:
    """Inputs that are computed together, and the window features that they read."""

    yields: tuple[str, ...]
    computed: Callable[[Columns, Mapping[str, Floats]], dict[str, Values]]
    reads: tuple[str, ...] = ()


_BLOCKS = (
    _Block(
        (
            "scheduled_elapsed",
            "distance",
            "scheduled_departure_minute",
            "estimated_arrival_minute",
            "destination_latitude",
            "destination_longitude",
        ),
        lambda known, windows: _schedule(known),
    ),
    _Block(("departure_delay", "departure_minute"), lambda known, windows: _departure(known)),
    _Block(
        ("wind_to_east", "wind_to_north", "pressure_missing"),
        lambda known, windows: _weather(windows),
        reads=("wind_speed", "wind_from", "pressure", "weather_age"),
    ),
    _Block(("plane_age", "plane_seats"), lambda known, windows: _plane(known)),
    _Block(
        ("carrier", "origin", "dest", "day_of_week", "scheduled_hour", "plane_model"),
        lambda known, windows: _categories(known),
    ),
)
INPUTS = frozenset(name for block in _BLOCKS for name in block.yields).union(
    feature.name for feature in WINDOW_FEATURES if feature.model_input
)
