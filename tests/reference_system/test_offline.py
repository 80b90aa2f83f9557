"""The batch path on histories small enough to work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reference_system import events, offline

MINUTE, HOUR = 60, 3_600
NOON = 1_370_260_800


def flight(name: str, pushed_back: float | None, landed: float | None = None, **facts: Any) -> dict[str, Any]:
    """A flight out of EWR to BOS; times in minutes from noon."""
    return {
        "flight_id": name,
        "carrier": "UA",
        "flight": 1,
        "origin": "EWR",
        "dest": "BOS",
        "band": "band4",
        "scheduled_departure": NOON,
        "pushed_back_at": None if pushed_back is None else NOON + int(pushed_back * MINUTE),
        "landed_at": None if landed is None else NOON + int(landed * MINUTE),
        "dep_delay": 0.0,
        "scheduled_elapsed": 60.0,
        "elapsed": 60.0,
        "air_time": 40.0,
        "taxi": 20.0,
        "block_deviation": None if landed is None else 0.0,
        **facts,
    }


def landed(name: str, at: float, deviation: float = 0.0, **facts: Any) -> dict[str, Any]:
    return flight(name, at - 60, at, block_deviation=deviation, **facts)


def asked(*history: dict[str, Any], weather: list[dict[str, Any]] | None = None, **facts: Any) -> dict[str, float]:
    """Window features of a flight that pushes back at noon after ``history``."""
    rows = [*history, flight("now", 0, None, **facts)]
    schema = pa.schema(list(events.EVENT_COLUMNS.items()))
    table = pa.Table.from_pylist(rows, schema=schema)
    reports = pa.Table.from_pylist(weather or [], schema=WEATHER)
    values = offline.window_values(table, reports, table.slice(len(history), 1))
    return {name: float(column[0]) for name, column in values.items()}


WEATHER = pa.schema(
    [("flight_id", pa.string()), ("origin", pa.string()), ("available_at", pa.int64())]
    + [(name, pa.float64()) for name in ("wind_dir", "wind_speed", "precip", "visib", "humid", "pressure")]
)


def report(available: float, wind: float | None = None) -> dict[str, Any]:
    return {
        "flight_id": str(available),
        "origin": "EWR",
        "available_at": NOON + int(available * MINUTE),
        "wind_speed": wind,
    }


def test_without_history_values_are_unknown_and_counts_zero():
    made = asked()
    assert np.isnan(made["destination_recent_deviation"])
    assert np.isnan(made["origin_recent_deviation_3h"])
    assert made["departures_60min"] == 0
    assert made["scheduled_last_60min"] == 0


def test_the_last_five_landed_are_averaged_and_older_ones_forgotten():
    history = [landed(f"f{minute}", -minute, deviation=minute) for minute in (10, 20, 30, 40, 50, 60)]
    assert asked(*history)["destination_recent_deviation"] == 30


def test_fewer_than_five_are_averaged_as_they_are():
    assert asked(landed("a", -10, 4), landed("b", -20, 7))["destination_recent_deviation"] == 5.5


def test_a_landing_at_the_very_moment_is_not_known_yet():
    assert asked(landed("a", 0, 100), landed("b", -1, 7))["destination_recent_deviation"] == 7


def test_a_late_flight_is_not_known_before_it_lands():
    assert np.isnan(asked(flight("a", -300, 5, block_deviation=240.0))["destination_recent_deviation"])


def test_a_flight_that_never_landed_has_nothing_to_tell():
    diverted = flight("a", -300, None)
    assert np.isnan(asked(diverted)["destination_recent_deviation"])


def test_flights_to_another_destination_do_not_count():
    assert np.isnan(asked(landed("a", -10, 5, dest="ORD"))["destination_recent_deviation"])


def test_an_unknown_band_matches_no_other_unknown_band():
    assert np.isnan(asked(landed("a", -10, band=None), band=None)["band_recent_air_time_24h"])


def test_a_median_of_two_is_halfway_between_them():
    history = [landed("a", -10, elapsed=50.0), landed("b", -20, elapsed=61.0)]
    assert asked(*history)["route_elapsed_level"] == 55.5


def test_a_level_forgets_what_is_older_than_its_last_hundred():
    old = [landed(f"old{i:03d}", -3_000 - i, elapsed=500.0) for i in range(100)]
    new = [landed(f"new{i:03d}", -1_000 - i, elapsed=60.0) for i in range(100)]
    assert asked(*old, *new)["route_elapsed_level"] == 60


def test_of_landings_in_one_minute_the_later_name_is_the_later_event():
    history = [
        landed(name, -10, deviation) for name, deviation in (("c", 3), ("a", 1), ("f", 6), ("e", 5), ("b", 2), ("d", 4))
    ]
    assert asked(*history)["destination_recent_deviation"] == 4


def test_a_span_holds_its_far_edge_and_not_its_near_one():
    history = [flight(str(minute), -minute) for minute in (0, 15, 16, 60, 61)]
    made = asked(*history)
    assert made["departures_15min"] == 1
    assert made["departures_60min"] == 3


def test_delays_of_a_span_are_averaged_over_those_who_left_in_it():
    history = [flight("a", -5, dep_delay=10.0), flight("b", -10, dep_delay=-3.0), flight("c", -20, dep_delay=80.0)]
    assert asked(*history)["departure_delay_15min"] == 3.5


def test_the_timetable_may_be_read_ahead_for_half_an_hour():
    history = [flight(str(minute), None, scheduled_departure=NOON + minute * MINUTE) for minute in (1, 29, 30, 45)]
    assert asked(*history, scheduled_departure=NOON - HOUR)["scheduled_next_30min"] == 2


def test_overdue_are_those_scheduled_in_the_last_three_hours_that_have_not_left():
    waiting = [flight(f"w{minute}", None, scheduled_departure=NOON - minute * MINUTE) for minute in (1, 180, 181)]
    gone = flight("gone", -1, scheduled_departure=NOON - 20 * MINUTE)
    early = flight("early", -50, scheduled_departure=NOON - 40 * MINUTE)
    leaving_now = flight("tie", 0, scheduled_departure=NOON - 30 * MINUTE)
    leaving_later = flight("later", 45, scheduled_departure=NOON - 30 * MINUTE)
    not_due = flight("not due", None, scheduled_departure=NOON + MINUTE)
    made = asked(*waiting, gone, early, leaving_now, leaving_later, not_due)
    assert made["overdue_flights"] == 4


def test_a_deviation_is_measured_against_what_was_normal_at_that_flights_own_push_back():
    history = [
        landed("first", -600, taxi=20.0),
        flight("second", -500, -300, taxi=26.0, block_deviation=0.0),
        flight("third", -400, -200, taxi=32.0, block_deviation=0.0),
    ]
    assert asked(*history)["destination_recent_taxi"] == ((26 - 20) + (32 - 20)) / 2


def test_the_first_flight_on_a_route_has_no_deviation_and_is_passed_over():
    first = landed("first", -10, air_time=90.0, origin="JFK")
    earlier = [landed("a", -600, air_time=40.0), landed("b", -100, air_time=46.0)]
    assert asked(first, *earlier)["destination_recent_air_time"] == 6


def test_the_age_of_the_last_landing_is_in_minutes_and_ends_after_a_day():
    assert asked(landed("a", -35))["destination_recent_age"] == 35
    assert asked(landed("a", -1440))["destination_recent_age"] == 1440
    assert np.isnan(asked(landed("a", -1441))["destination_recent_age"])


def test_the_latest_report_of_weather_counts_even_with_a_gap_in_it():
    made = asked(weather=[report(-70, 9.0), report(-10, None)])
    assert np.isnan(made["wind_speed"])
    assert made["weather_age"] == 10


def test_a_report_counts_only_once_its_hour_is_over():
    assert asked(weather=[report(-60, 9.0), report(0, 30.0)])["wind_speed"] == 9


@pytest.mark.parametrize(("age", "known"), [(120, True), (121, False)])
def test_weather_older_than_two_hours_is_unknown(age: float, known: bool):
    assert np.isfinite(asked(weather=[report(-age, 9.0)])["wind_speed"]) == known
