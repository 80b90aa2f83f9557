"""The serving path gives, value by value, what the batch path gives."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system.catalogue import FEATURES
from reference_system.online import OnlineStore
from tests.reference_system.flown_days import AUTUMN_STOPS, features_of_some_days, raw_rows, some_days

STREAM_ENDS = datetime(2013, 11, 4, 3, tzinfo=UTC)
END_OF_YEAR = datetime(2014, 1, 2, tzinfo=UTC)
NEW_YEARS_EVE = datetime(2013, 12, 31, 6, tzinfo=UTC)


@cache
def store_of_all_days() -> OnlineStore:
    return OnlineStore(some_days(), END_OF_YEAR)


@cache
def live_store() -> OnlineStore:
    """History up to the first of November, then the events of three days as they arrived."""
    store = OnlineStore(some_days(), AUTUMN_STOPS)
    moment = AUTUMN_STOPS
    while moment < STREAM_ENDS:
        upto = moment + timedelta(hours=3)
        store.observe("flights", raw_rows(happening("pushed_back_at", moment, upto), landed=False))
        store.observe("flights", raw_rows(happening("landed_at", moment, upto), landed=True))
        store.observe("weather", reports(moment, upto))
        moment = upto
    return store


def happening(what: str, after: datetime, upto: datetime) -> list[str]:
    table = features_of_some_days()
    inside = pc.and_(pc.greater(table[what], after), pc.less_equal(table[what], upto))
    return table.filter(inside)["flight_id"].to_pylist()


def reports(after: datetime, upto: datetime) -> list[dict[str, Any]]:
    weather, hour = some_days()["weather"], timedelta(hours=1)
    inside = pc.and_(pc.greater(weather["time_hour"], after - hour), pc.less_equal(weather["time_hour"], upto - hour))
    return weather.filter(inside).to_pylist()


def differing(store: OnlineStore, rows: pa.Table) -> list[tuple[str, str, Any, Any]]:
    """Flight, feature and both values wherever the paths differ."""
    found = []
    flights = raw_rows(rows["flight_id"].to_pylist(), landed=False)
    for offline, flight in zip(rows.to_pylist(), flights, strict=True):
        online = store.features(flight)
        for feature in FEATURES:
            expected, got = offline[feature.name], online[feature.name]
            same = expected == got or (
                isinstance(expected, float) and isinstance(got, float) and math.isclose(expected, got, rel_tol=1e-9)
            )
            if not same:
                found.append((offline["flight_id"], feature.name, expected, got))
    return found


def where(condition: pa.Array, limit: int = 40) -> pa.Table:
    rows = features_of_some_days().filter(condition)
    assert rows.num_rows > 0, "no such flight on these days"
    return rows.slice(0, limit)


def column(name: str) -> pa.ChunkedArray:
    return features_of_some_days()[name]


def between(begin: datetime, end: datetime) -> pa.Array:
    return pc.and_(pc.greater_equal(column("pushed_back_at"), begin), pc.less(column("pushed_back_at"), end))


AWKWARD = {
    "a plane that the registry lacks": lambda: pc.equal(column("plane_model"), "unknown"),
    "a route never flown before": lambda: column("route_elapsed_level").is_null(),
    "a flight number never flown before": lambda: column("flight_number_deviation_level").is_null(),
    "a push-back after midnight": lambda: pc.less(column("departure_minute"), 60),
    "a landing after midnight": lambda: pc.less(column("estimated_arrival_minute"), 60),
    "the night the clocks go forward": lambda: between(
        datetime(2013, 3, 10, 2, tzinfo=UTC), datetime(2013, 3, 10, 12, tzinfo=UTC)
    ),
    "the night the clocks go back": lambda: between(
        datetime(2013, 11, 3, 1, tzinfo=UTC), datetime(2013, 11, 3, 12, tzinfo=UTC)
    ),
    "a day without weather": lambda: between(NEW_YEARS_EVE, END_OF_YEAR),
    "a first departure of the morning": lambda: column("departure_delay_60min").is_null(),
    "a push-back on the full hour": lambda: pc.equal(pc.minute(column("pushed_back_at")), 0),
    "special weather": lambda: pc.equal(column("pressure_missing"), 1.0),
    "wind from nowhere": lambda: pc.and_(pc.equal(column("wind_to_east"), 0.0), pc.greater(column("wind_speed"), 0.0)),
    "a delay of many hours": lambda: pc.greater(column("departure_delay"), 400.0),
    "a diverted flight": lambda: column("landed_at").is_null(),
}


@pytest.mark.parametrize("case", AWKWARD)
def test_both_paths_agree_on(case: str):
    assert differing(store_of_all_days(), where(AWKWARD[case]())) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_both_paths_agree_on_any_flight(number: int):
    table = features_of_some_days()
    assert differing(store_of_all_days(), table.slice(number % table.num_rows, 1)) == []


def test_both_paths_agree_after_three_days_of_live_events_across_the_clock_change():
    live = where(between(AUTUMN_STOPS + timedelta(minutes=1), STREAM_ENDS), limit=10_000)
    assert live.num_rows > 2_000
    assert differing(live_store(), live.slice(0, 300)) == []
    assert differing(live_store(), live.slice(live.num_rows - 300)) == []


def test_an_event_sent_twice_counts_once():
    again = happening("landed_at", STREAM_ENDS - timedelta(hours=6), STREAM_ENDS)
    live_store().observe("flights", raw_rows(again, landed=True))
    live_store().observe("weather", reports(STREAM_ENDS - timedelta(hours=6), STREAM_ENDS))
    rows = where(between(STREAM_ENDS - timedelta(hours=1), STREAM_ENDS + timedelta(minutes=1)))
    assert differing(live_store(), rows) == []


def test_the_moment_of_prediction_is_the_push_back_unless_another_is_named():
    flight = raw_rows(where(column("landed_at").is_valid())["flight_id"].to_pylist()[:1], landed=False)[0]
    moment = features_of_some_days()["pushed_back_at"][0].as_py()
    store = store_of_all_days()
    assert store.features(flight) == store.features(flight, at=moment)
    later = store.features(flight, at=datetime(2013, 11, 2, tzinfo=UTC))
    assert later["destination_recent_deviation"] != store.features(flight)["destination_recent_deviation"]
    assert later["departure_minute"] == store.features(flight)["departure_minute"]


def test_many_flights_at_once_get_what_each_gets_alone():
    flights = raw_rows(features_of_some_days()["flight_id"].to_pylist()[5_000:5_020], landed=False)
    together = store_of_all_days().columns(flights)
    for index, flight in enumerate(flights):
        assert {name: values[index] for name, values in together.items()} == store_of_all_days().features(flight)


def test_a_store_knows_nothing_later_than_its_beginning():
    begin = datetime(2013, 11, 1, 18, tzinfo=UTC)
    store = OnlineStore(some_days(), begin)
    rows = where(between(begin - timedelta(hours=1), begin + timedelta(minutes=1)))
    assert differing(store, rows) == []
    flight = raw_rows(rows["flight_id"].to_pylist()[:1], landed=False)[0]
    a_day_on = store.features(flight, at=begin + timedelta(days=1))
    assert a_day_on["departures_60min"] == 0
    assert a_day_on["wind_speed"] is None


def test_an_unknown_destination_gets_what_can_be_known():
    flight = {**raw_rows(features_of_some_days()["flight_id"].to_pylist()[:1], landed=False)[0], "dest": "XXX"}
    made = store_of_all_days().features(flight)
    assert made["scheduled_elapsed"] is None
    assert made["destination_recent_deviation"] is None
    assert made["departures_60min"] is not None


def test_an_event_of_an_unknown_table_is_refused():
    with pytest.raises(ValueError, match="'planes' are not known here; send flights or weather"):
        store_of_all_days().observe("planes", [])


def test_a_store_needs_a_moment_with_a_time_zone():
    with pytest.raises(ValueError, match="no time zone"):
        OnlineStore(some_days(), datetime(2013, 1, 1))
