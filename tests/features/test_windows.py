"""Window features against the same told in plain Python: the batch join, and the log in memory that serves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import events, offline, row_features
from reference_system.declarations import WINDOW_FEATURES, LastEvents, WindowFeature
from reference_system.event_log import EventLog
from tests.features.told_by_hand import HOUR, NOON, RARE, TOLD, Day, Flight, in_order, made_up_day

DECLARED = {feature.name: feature for feature in WINDOW_FEATURES}
MADE_FROM = {
    "wind_to_east": ("wind_speed", "wind_from", "weather_age", "pressure"),
    "wind_to_north": ("wind_speed", "wind_from", "weather_age", "pressure"),
    "pressure_missing": ("pressure", "weather_age", "wind_speed", "wind_from"),
}
"""Inputs that are no window feature themselves, and the ones that they are made from."""
FLIGHTS = pa.schema(list(events.EVENT_COLUMNS.items()))
WEATHER = pa.schema(
    [("flight_id", pa.string()), ("origin", pa.string()), ("available_at", pa.int64())]
    + [(name, pa.float64()) for name in ("wind_dir", "wind_speed", "precip", "visib", "humid", "pressure")]
)
every_input = pytest.mark.parametrize("name", TOLD)


@cache
def usual_day() -> Day:
    return made_up_day()


def asked(day: Day, step: int = 3) -> list[Flight]:
    """Every so manieth flight that left, and all to where few do."""
    left = [flight for flight in day.flights if flight["pushed_back_at"] is not None]
    return [flight for place, flight in enumerate(left) if place % step == 0 or flight["dest"] == RARE["dest"]]


def inputs_of(name: str, windows: dict[str, np.ndarray], flights: Sequence[Flight]) -> np.ndarray:
    """The model input of that name for flights whose window features are given."""
    rows = len(flights)
    known: dict[str, Any] = {
        "scheduled_elapsed": np.array([flight["scheduled_elapsed"] for flight in flights]),
        "pushed_back_at": np.array([float(flight["pushed_back_at"]) for flight in flights]),
        "date": np.full(rows, np.datetime64("2013-06-03", "D")),
        **{column: np.full(rows, 1000.0) for column in NUMBERS},
        **{column: np.array(["a"] * rows, dtype=object) for column in ("carrier", "origin", "dest", "plane_model")},
        "zone": np.array([None] * rows, dtype=object),
    }
    missing = {each.name: np.full(rows, np.nan) for each in WINDOW_FEATURES}
    return np.asarray(row_features.inputs(known, {**missing, **windows})[name], dtype=np.float64)


NUMBERS = ("distance", "sched_dep_time", "latitude", "longitude", "dep_delay", "plane_year", "plane_seats")


def in_batch(name: str, day: Day, flights: Sequence[Flight]) -> np.ndarray:
    table = pa.Table.from_pylist(list(day.flights), schema=FLIGHTS)
    moments = pa.Table.from_pylist(list(flights), schema=FLIGHTS)
    declared = [DECLARED[each] for each in MADE_FROM.get(name, (name,))]
    if any(feature.value_minus for feature in declared):
        table = offline.with_baselines(table)
    weather = pa.Table.from_pylist(list(day.reports), schema=WEATHER)
    return inputs_of(name, offline.values_of(declared, table, weather, moments), flights)


def told(name: str, day: Day, flights: Sequence[Flight]) -> np.ndarray:
    return np.array([TOLD[name](day, flight["pushed_back_at"], flight) for flight in flights])


def test_every_declared_input_is_told_by_hand() -> None:
    assert {feature.name for feature in WINDOW_FEATURES if feature.model_input} | set(MADE_FROM) == set(TOLD)


@every_input
def test_batch(name: str) -> None:
    flights = asked(usual_day())
    np.testing.assert_allclose(
        in_batch(name, usual_day(), flights), told(name, usual_day(), flights), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("name", [name for name in TOLD if name not in MADE_FROM])
def test_in_memory(name: str) -> None:
    flights, feature = asked(usual_day()), DECLARED[name]
    found = np.array([in_memory(feature, usual_day(), flight) for flight in flights])
    made = inputs_of(name, {name: found}, flights)
    np.testing.assert_allclose(made, told(name, usual_day(), flights), rtol=1e-12, atol=1e-12)


TIMES = {"landings": "landed_at", "departures": "pushed_back_at", "timetable": "scheduled_departure"}


def in_memory(feature: WindowFeature, day: Day, flight: Flight) -> float:
    """What a log of the events with the flight's keys answers, as the server keeps one for each key."""
    wanted, moment = tuple(flight[key] for key in feature.keys), flight["pushed_back_at"]
    log = log_of(feature, day, wanted)
    if log is None:
        return math.nan
    if isinstance(feature.window, LastEvents):
        return log.last_events(feature, feature.window, moment)
    return log.span(feature, feature.window, moment, day.left)


@cache
def log_of(feature: WindowFeature, day: Day, wanted: tuple[Any, ...]) -> EventLog | None:
    if None in wanted:
        return None
    when = TIMES.get(feature.events, "available_at")
    rows = day.reports if feature.events == "weather" else day.flights
    agreeing = [row for row in rows if row[when] is not None and tuple(row[key] for key in feature.keys) == wanted]
    chosen = in_order(agreeing, when)
    names, read = [event["flight_id"] for event in chosen], [read_value(feature, day, event) for event in chosen]
    return EventLog([event[when] for event in chosen], names, {str(feature.event_value): read})


def read_value(feature: WindowFeature, day: Day, event: Flight) -> float:
    if feature.value is None or event[feature.value] is None:
        return math.nan
    return day.unusual_values(feature.value)[event["flight_id"]] if feature.value_minus else float(event[feature.value])


SHIFTED = ("pushed_back_at", "landed_at", "scheduled_departure", "available_at")


def shifted(rows: Sequence[Flight], seconds: int) -> list[Flight]:
    return [
        {name: value + seconds if name in SHIFTED and value is not None else value for name, value in row.items()}
        for row in rows
    ]


def window_values(day: Day, flights: Sequence[Flight]) -> dict[str, np.ndarray]:
    return dict(
        offline.window_values(
            pa.Table.from_pylist(list(day.flights), schema=FLIGHTS),
            pa.Table.from_pylist(list(day.reports), schema=WEATHER),
            pa.Table.from_pylist(list(flights), schema=FLIGHTS),
        )
    )


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1_000), days=st.integers(-40, 40))
def test_another_day_changes_nothing(seed: int, days: int) -> None:
    day = made_up_day(seed, 60)
    flights = asked(day)
    moved = Day(shifted(day.flights, days * 24 * HOUR), shifted(day.reports, days * 24 * HOUR))
    same(window_values(moved, shifted(flights, days * 24 * HOUR)), window_values(day, flights))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1_000), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(seed: int, random: Any) -> None:
    day = made_up_day(seed, 60)
    turned = Day(random.sample(day.flights, len(day.flights)), random.sample(day.reports, len(day.reports)))
    same(window_values(turned, asked(day)), window_values(day, asked(day)))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1_000), hours=st.integers(1, 24))
def test_what_happens_later_changes_nothing(seed: int, hours: int) -> None:
    """Landings and reports from a moment on are made up, and departures after it are lost; the timetable stays."""
    day, moment = made_up_day(seed, 60), NOON - hours * HOUR
    flights = [flight for flight in asked(day, 1) if flight["pushed_back_at"] <= moment]
    changed = [_unknown_from(flight, moment) for flight in day.flights]
    reports = [report for report in day.reports if report["available_at"] < moment]
    same(window_values(Day(changed, reports), flights), window_values(day, flights))


def _unknown_from(flight: Flight, moment: int) -> Flight:
    told: dict[str, Any] = dict(flight)
    if told["landed_at"] is not None and told["landed_at"] >= moment:
        told |= {"landed_at": told["landed_at"] + HOUR, "elapsed": 1.0, "air_time": 1.0, "taxi": 1.0}
        told |= {"block_deviation": 900.0}
    if told["pushed_back_at"] is not None and told["pushed_back_at"] > moment:
        told |= {"pushed_back_at": None, "dep_delay": None, "landed_at": None, "block_deviation": None}
    return told
