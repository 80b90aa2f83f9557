"""The catalogue of model inputs: what each is, where it comes from, and when it is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from reference_system.declarations import (
    CONGESTION,
    LEVEL,
    RECENT,
    WEATHER,
    LastEvents,
    WindowFeature,
)

OWNER = "eta-features"
BTS = "US government work"
METAR = "public domain observations"
FAA = "US government work"
OPENFLIGHTS = "ODbL (coordinates and time zones only)"
LOOKUP_US, WINDOW_US, TRANSFORM_US = 20.0, 200.0, 100.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One model input.

    Attributes:
        name: column of the feature table and input of the model.
        dtype: ``float`` (null where ``nullable``) or ``category`` (text, never null).
        group: features that stand or fall together.
        source: raw table and columns that it is made from.
        owner: team that answers for it.
        description: what it tells, with its unit.
        available_at: when its value is known, always at or before push-back.
        licence: of the source.
        sensitivity: ``public``, or ``pseudonymous`` where the source's key can lead to a person.
        deprecated_after: day from which no new model may use it.
        cost_budget_us: microseconds that one online computation may take.
        nullable: whether unknown is a legal value.
    """

    name: str
    dtype: Literal["float", "category"]
    group: str
    source: str
    owner: str
    description: str
    available_at: str
    licence: str
    sensitivity: Literal["public", "pseudonymous"] = "public"
    deprecated_after: date | None = None
    cost_budget_us: float = TRANSFORM_US
    nullable: bool = False


def _schedule(name: str, source: str, description: str, licence: str = BTS, *, nullable: bool = False) -> Feature:
    return Feature(
        name,
        "float",
        "SCHEDULE",
        source,
        OWNER,
        description,
        "when the timetable is published",
        licence,
        nullable=nullable,
    )


def _category(name: str, source: str, description: str) -> Feature:
    return Feature(name, "category", "SCHEDULE", source, OWNER, description, "when the timetable is published", BTS)


SCHEDULE_FEATURES = (
    _schedule(
        "scheduled_elapsed",
        "flights: date, sched_dep_time, sched_arr_time; destinations: zone",
        "scheduled minutes from gate to gate",
    ),
    _schedule("distance", "flights: distance", "great-circle miles from origin to destination"),
    _schedule(
        "scheduled_departure_minute", "flights: sched_dep_time", "scheduled departure, minute of the day in New York"
    ),
    Feature(
        "estimated_arrival_minute",
        "float",
        "SCHEDULE",
        "flights: date, sched_dep_time, sched_arr_time, dep_delay; destinations: zone",
        OWNER,
        "push-back plus scheduled elapsed time, minute of the day at the destination",
        "at push-back",
        BTS,
    ),
    _schedule("destination_latitude", "destinations: latitude", "degrees north", OPENFLIGHTS),
    _schedule("destination_longitude", "destinations: longitude", "degrees east", OPENFLIGHTS),
    _category("carrier", "flights: carrier", "IATA code of the airline"),
    _category("origin", "flights: origin", "IATA code of the New York airport"),
    _category("dest", "flights: dest", "IATA code of the destination"),
    _category("day_of_week", "flights: date", "weekday of the scheduled departure"),
    _category("scheduled_hour", "flights: sched_dep_time", "hour of the scheduled departure in New York"),
)

DEPARTURE_FEATURES = (
    Feature(
        "departure_delay",
        "float",
        "DEPARTURE",
        "flights: dep_delay",
        OWNER,
        "minutes from scheduled departure to push-back, negative when early",
        "at push-back",
        BTS,
    ),
    Feature(
        "departure_minute",
        "float",
        "DEPARTURE",
        "flights: date, sched_dep_time, dep_delay",
        OWNER,
        "push-back, minute of the day in New York",
        "at push-back",
        BTS,
    ),
)


def _derived_weather(name: str, source: str, description: str) -> Feature:
    return Feature(name, "float", "WEATHER", source, OWNER, description, AVAILABLE["weather"], METAR, nullable=True)


AVAILABLE = {
    "weather": "when the clock hour of the report is over, strictly before push-back",
    "landings": "when the flights summarised have landed, strictly before push-back",
    "departures": "when the flights summarised have pushed back, strictly before push-back",
    "timetable": "when the timetable is published",
}
SOURCE = {
    "weather": "weather",
    "landings": "flights: arr_delay, air_time and clocks of earlier flights",
    "departures": "flights: dep_delay of earlier flights",
    "timetable": "flights: date and sched_dep_time of all flights",
}

DERIVED_WEATHER = (
    _derived_weather("wind_to_east", "weather: wind_dir, wind_speed", "eastward component of the wind, mph"),
    _derived_weather("wind_to_north", "weather: wind_dir, wind_speed", "northward component of the wind, mph"),
    _derived_weather(
        "pressure_missing",
        "weather: pressure",
        "1 for a special report (which carries no pressure), 0 for a regular one",
    ),
)

PLANE_FEATURES = (
    Feature(
        "plane_age",
        "float",
        "PLANE",
        "planes: year; flights: tailnum, date",
        OWNER,
        "years since the plane was built",
        "when the plane is assigned, before push-back",
        FAA,
        "pseudonymous",
        nullable=True,
        cost_budget_us=LOOKUP_US,
    ),
    Feature(
        "plane_seats",
        "float",
        "PLANE",
        "planes: seats; flights: tailnum",
        OWNER,
        "seats; unknown below 20, where the number was re-assigned to another plane",
        "when the plane is assigned, before push-back",
        FAA,
        "pseudonymous",
        nullable=True,
        cost_budget_us=LOOKUP_US,
    ),
    Feature(
        "plane_model",
        "category",
        "PLANE",
        "planes: model; flights: tailnum",
        OWNER,
        "manufacturer's model code, unknown without a registry entry",
        "when the plane is assigned, before push-back",
        FAA,
        "pseudonymous",
        cost_budget_us=LOOKUP_US,
    ),
)


def _window_feature(group: str, declared: WindowFeature) -> Feature:
    available = AVAILABLE[declared.events]
    if declared.pending_until:
        available = f"{available}; who is still waiting, strictly before push-back"
    return Feature(
        declared.name,
        "float",
        group,
        f"weather: {declared.value or 'time_hour'}" if declared.events == "weather" else SOURCE[declared.events],
        OWNER,
        declared.description,
        available,
        METAR if declared.events == "weather" else BTS,
        nullable=declared.statistic != "count",
        cost_budget_us=LOOKUP_US
        if isinstance(declared.window, LastEvents) and declared.window.count == 1
        else WINDOW_US,
    )


GROUPS = {"WEATHER": WEATHER, "CONGESTION": CONGESTION, "LEVEL": LEVEL, "RECENT": RECENT}

FEATURES: tuple[Feature, ...] = (
    *SCHEDULE_FEATURES,
    *DEPARTURE_FEATURES,
    *PLANE_FEATURES,
    *DERIVED_WEATHER,
    *(
        _window_feature(group, declared)
        for group, members in GROUPS.items()
        for declared in members
        if declared.model_input
    ),
)
