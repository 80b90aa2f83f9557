"""Every window feature, declared once as data.

A window feature summarises *events* that share key values with a flight and happened strictly before that flight's
moment of prediction, its push-back. ``offline`` turns a declaration into an as-of join over all flights, ``online``
into a lookup in memory; neither knows a feature by name, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Statistic = Literal["mean", "median", "count", "age", "last"]

MINUTES, HOURS = 60, 3_600


@dataclass(frozen=True, slots=True)
class EventKind:
    """Where events come from: the facts of a raw table and the instant at which each becomes known or is due."""

    table: Literal["flights", "weather"]
    time: str


EVENTS: Mapping[str, EventKind] = {
    "timetable": EventKind("flights", "scheduled_departure"),
    "departures": EventKind("flights", "pushed_back_at"),
    "landings": EventKind("flights", "landed_at"),
    "weather": EventKind("weather", "available_at"),
}


@dataclass(frozen=True, slots=True)
class LastEvents:
    """The last ``count`` events with a known value; unknown if the latest is older than ``within`` seconds."""

    count: int
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Events from ``before`` seconds before the moment up to (not at) it, or from it on for ``after`` seconds.

    ``after`` is legal only for the timetable, which is published in advance.
    """

    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class WindowFeature:
    """One declared window feature.

    Attributes:
        name: column it yields; null without events, except for counts, which are then 0.
        events: key of ``EVENTS``.
        keys: columns in which event and flight must agree; a null key matches nothing.
        window: which events count.
        statistic: how they are summarised; ``age`` is minutes since the latest, ``last`` its value even if null.
        value: event column that is summarised.
        value_minus: a window feature; its value at the event's own push-back is taken off the event's value.
        minus: column of the predicted flight taken off the result.
        pending_until: counts only events whose instant of this name has not come before the moment.
        description: what it tells, in the catalogue's words.
        model_input: False for what only other features read.
    """

    name: str
    events: str
    keys: tuple[str, ...]
    window: LastEvents | Span
    statistic: Statistic
    value: str | None = None
    value_minus: str | None = None
    minus: str | None = None
    pending_until: str | None = None
    description: str = ""
    model_input: bool = True

    @property
    def event_value(self) -> str | None:
        """Name of the event column after ``value_minus``."""
        return f"{self.value}_minus_{self.value_minus}" if self.value_minus else self.value

    @property
    def keeps_null(self) -> bool:
        """Whether an event without a value still counts as the latest."""
        return self.statistic == "last"


ROUTE = ("origin", "dest")

ROUTE_MEDIANS = (
    WindowFeature("route_air_time", "landings", ROUTE, LastEvents(100), "median", "air_time", model_input=False),
    WindowFeature("route_taxi", "landings", ROUTE, LastEvents(100), "median", "taxi", model_input=False),
)

LEVEL = (
    WindowFeature(
        "route_elapsed_level",
        "landings",
        ROUTE,
        LastEvents(100),
        "median",
        "elapsed",
        minus="scheduled_elapsed",
        description="median gate-to-gate time of the last 100 landed on the route, minus this flight's schedule",
    ),
    WindowFeature(
        "route_air_time_level",
        "landings",
        ROUTE,
        LastEvents(100),
        "median",
        "air_time",
        minus="scheduled_elapsed",
        description="median air time of the last 100 landed on the route, minus this flight's scheduled elapsed time",
    ),
    WindowFeature(
        "carrier_route_deviation_level",
        "landings",
        (*ROUTE, "carrier"),
        LastEvents(60),
        "median",
        "block_deviation",
        description="median block deviation of the carrier's last 60 landed on the route",
    ),
    WindowFeature(
        "flight_number_deviation_level",
        "landings",
        ("carrier", "flight", *ROUTE),
        LastEvents(10),
        "median",
        "block_deviation",
        description="median block deviation of the last 10 landed under the same flight number",
    ),
)

RECENT = (
    WindowFeature(
        "destination_recent_deviation",
        "landings",
        ("dest",),
        LastEvents(5),
        "mean",
        "block_deviation",
        description="mean block deviation of the last 5 landed at the destination",
    ),
    WindowFeature(
        "destination_recent_age",
        "landings",
        ("dest",),
        LastEvents(1, within=24 * HOURS),
        "age",
        description="minutes since the last landing at the destination, unknown beyond a day",
    ),
    *(
        WindowFeature(
            f"destination_recent_{value}",
            "landings",
            ("dest",),
            LastEvents(5),
            "mean",
            value,
            value_minus=baseline,
            description=f"mean {text} of the last 5 landed at the destination against their routes' rolling medians",
        )
        for value, baseline, text in (("taxi", "route_taxi", "taxi time"), ("air_time", "route_air_time", "air time"))
    ),
    *(
        WindowFeature(
            f"origin_recent_{value.removeprefix('block_')}_{hours}h",
            "landings",
            ("origin",),
            Span(before=hours * HOURS),
            "mean",
            value,
            value_minus=baseline,
            description=f"mean {text} of flights out of the origin that landed in the last {hours} hours",
        )
        for hours in (3, 12)
        for value, baseline, text in (
            ("block_deviation", None, "block deviation"),
            ("taxi", "route_taxi", "taxi time against the route's rolling median"),
        )
    ),
    WindowFeature(
        "route_recent_air_time",
        "landings",
        ROUTE,
        LastEvents(5),
        "mean",
        "air_time",
        value_minus="route_air_time",
        description="mean air time of the last 5 landed on the route against its rolling median",
    ),
    *(
        WindowFeature(
            f"band_recent_air_time_{hours}h",
            "landings",
            ("band",),
            Span(before=hours * HOURS),
            "mean",
            "air_time",
            value_minus="route_air_time",
            description=f"mean air time against the route's rolling median, of flights to the same band of longitude "
            f"landed in the last {hours} hours (winds aloft)",
        )
        for hours in (6, 24)
    ),
)

CONGESTION = (
    *(
        WindowFeature(
            f"departures_{minutes}min",
            "departures",
            ("origin",),
            Span(before=minutes * MINUTES),
            "count",
            description=f"push-backs at the origin in the last {minutes} minutes",
        )
        for minutes in (15, 60)
    ),
    *(
        WindowFeature(
            f"departure_delay_{minutes}min",
            "departures",
            ("origin",),
            Span(before=minutes * MINUTES),
            "mean",
            "dep_delay",
            description=f"mean departure delay of push-backs at the origin in the last {minutes} minutes",
        )
        for minutes in (15, 60)
    ),
    WindowFeature(
        "scheduled_last_60min",
        "timetable",
        ("origin",),
        Span(before=60 * MINUTES),
        "count",
        description="departures scheduled at the origin in the last 60 minutes",
    ),
    WindowFeature(
        "scheduled_next_30min",
        "timetable",
        ("origin",),
        Span(after=30 * MINUTES),
        "count",
        description="departures scheduled at the origin in the next 30 minutes",
    ),
    WindowFeature(
        "overdue_flights",
        "timetable",
        ("origin",),
        Span(before=3 * HOURS),
        "count",
        pending_until="pushed_back_at",
        description="flights scheduled at the origin in the last 3 hours that have not pushed back",
    ),
)


def _weather(name: str, column: str, description: str, *, model_input: bool = True) -> WindowFeature:
    report = LastEvents(1, within=2 * HOURS)
    return WindowFeature(
        name, "weather", ("origin",), report, "last", column, description=description, model_input=model_input
    )


WEATHER = (
    _weather("wind_from", "wind_dir", "direction the wind comes from, degrees", model_input=False),
    _weather("wind_speed", "wind_speed", "wind speed at the origin, mph"),
    _weather("precipitation", "precip", "precipitation at the origin in the last complete hour, inches"),
    _weather("visibility", "visib", "visibility at the origin, miles"),
    _weather("humidity", "humid", "relative humidity at the origin, per cent"),
    _weather("pressure", "pressure", "pressure at sea level, hPa", model_input=False),
    WindowFeature(
        "weather_age",
        "weather",
        ("origin",),
        LastEvents(1, within=2 * HOURS),
        "age",
        description="minutes since the last complete clock hour of weather was over",
        model_input=False,
    ),
)

WINDOW_FEATURES: tuple[WindowFeature, ...] = (*ROUTE_MEDIANS, *WEATHER, *CONGESTION, *LEVEL, *RECENT)
BASELINES: tuple[WindowFeature, ...] = tuple(
    feature for feature in WINDOW_FEATURES if feature.name in {other.value_minus for other in WINDOW_FEATURES}
)
