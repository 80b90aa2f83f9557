"""Row-level transforms: what a raw row itself tells, and how inputs are put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import records, row_features
from reference_system.declarations import WINDOW_FEATURES
from reference_system.references import References
from tests.reference_system.flown_days import some_days

FLIGHT: dict[str, Any] = {
    "date": "2013-06-03",
    "sched_dep_time": 1955,
    "sched_arr_time": 2310,
    "dep_delay": 10,
    "carrier": "UA",
    "flight": 1545,
    "tailnum": "N14228",
    "origin": "EWR",
    "dest": "IAH",
    "distance": 1400,
}


def inputs_of(flight: dict[str, Any], **windows: float) -> dict[str, Any]:
    known = row_features.facts(records.columns_of_records([flight]), References.from_raw(some_days()))
    values = {feature.name: np.array([windows.get(feature.name, np.nan)]) for feature in WINDOW_FEATURES}
    return {name: column.tolist()[0] for name, column in row_features.inputs(known, values).items()}


def test_a_flight_is_identified_by_date_carrier_number_and_origin():
    known = row_features.facts(records.columns_of_records([FLIGHT]), References.from_raw(some_days()))
    assert known["flight_id"].tolist() == ["2013-06-03-UA-1545-EWR"]


def test_flight_ids_of_the_days_are_unique():
    ids = row_features.flight_ids(records.columns_of(some_days()["flights"]))
    assert len(set(ids.tolist())) == len(ids)


def test_the_schedule_is_read_on_two_clocks():
    made = inputs_of(FLIGHT)
    assert made["scheduled_departure_minute"] == 19 * 60 + 55
    assert made["departure_minute"] == 20 * 60 + 5
    assert made["scheduled_elapsed"] == 255
    assert made["estimated_arrival_minute"] == 23 * 60 + 20
    assert (made["day_of_week"], made["scheduled_hour"]) == ("Mon", "19")


def test_a_delay_past_midnight_turns_the_minute_of_the_day_over():
    made = inputs_of({**FLIGHT, "dep_delay": 300})
    assert made["departure_minute"] == 55
    assert made["estimated_arrival_minute"] == 4 * 60 + 10
    assert made["scheduled_hour"] == "19"


@pytest.mark.parametrize(
    ("date", "weekday"), [("2013-01-01", "Tue"), ("2013-06-08", "Sat"), ("2013-06-09", "Sun"), ("2013-12-31", "Tue")]
)
def test_the_weekday_is_that_of_the_scheduled_departure(date: str, weekday: str):
    assert inputs_of({**FLIGHT, "date": date})["day_of_week"] == weekday


def test_a_plane_has_its_age_and_an_unknown_one_none():
    assert inputs_of(FLIGHT)["plane_age"] == 2013 - 1999
    assert inputs_of(FLIGHT)["plane_model"] == "737-824"
    stranger = inputs_of({**FLIGHT, "tailnum": None})
    assert np.isnan(stranger["plane_age"])
    assert stranger["plane_model"] == "unknown"


@pytest.mark.parametrize(
    ("comes_from", "east", "north"), [(270, 10, 0), (90, -10, 0), (180, 0, 10), (360, 0, -10), (225, 7.0711, 7.0711)]
)
def test_wind_blows_to_the_side_opposite_to_where_it_comes_from(comes_from: float, east: float, north: float):
    made = inputs_of(FLIGHT, wind_from=comes_from, wind_speed=10.0)
    assert made["wind_to_east"] == pytest.approx(east, abs=1e-4)
    assert made["wind_to_north"] == pytest.approx(north, abs=1e-4)


def test_wind_without_a_direction_blows_nowhere_and_without_a_speed_is_unknown():
    calm = inputs_of(FLIGHT, wind_speed=5.0)
    assert (calm["wind_to_east"], calm["wind_to_north"]) == (0, 0)
    assert np.isnan(inputs_of(FLIGHT, wind_from=90.0)["wind_to_east"])
    assert np.isnan(inputs_of(FLIGHT)["wind_to_east"])


def test_missing_pressure_is_told_apart_from_missing_weather():
    assert inputs_of(FLIGHT, weather_age=20.0, pressure=1013.0)["pressure_missing"] == 0
    assert inputs_of(FLIGHT, weather_age=20.0)["pressure_missing"] == 1
    assert np.isnan(inputs_of(FLIGHT)["pressure_missing"])


def test_levels_are_taken_against_this_flights_schedule():
    made = inputs_of(FLIGHT, route_elapsed_level=250.0, route_air_time_level=210.5)
    assert made["route_elapsed_level"] == 250 - 255
    assert made["route_air_time_level"] == 210.5 - 255


def test_a_window_feature_without_a_counterpart_passes_unchanged():
    assert inputs_of(FLIGHT, destination_recent_deviation=-3.4)["destination_recent_deviation"] == -3.4


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 30_000), count=st.integers(1, 40))
def test_a_row_gets_the_same_facts_alone_and_among_others(first: int, count: int):
    references = References.from_raw(some_days())
    table = some_days()["flights"].slice(first, count)
    together = row_features.facts(records.columns_of(table), references)
    alone = row_features.facts(records.columns_of(table.slice(count - 1, 1)), references)
    for name, column in together.items():
        np.testing.assert_array_equal(column[-1:], alone[name])
