"""Clock readings to instants: HHMM, time zones, midnight and both nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_system import flights, records, row_features
from reference_system.references import References
from tests.reference_system.flown_days import whole_year

ZONES = ("America/New_York", "America/Phoenix", "Pacific/Honolulu", "America/Anchorage", "America/Puerto_Rico")
WITHIN_2013 = st.integers(
    int(datetime(2013, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2014, 1, 1, tzinfo=UTC).timestamp())
)


def elapsed(day: str, departs: int, arrives: int, zone: str | None) -> float:
    columns = {
        "date": np.array([day], dtype="datetime64[D]"),
        "sched_dep_time": np.array([float(departs)]),
        "sched_arr_time": np.array([float(arrives)]),
        "dep_delay": np.array([0.0]),
    }
    scheduled = flights.departure_instants(columns)["scheduled_departure"]
    return float(flights.scheduled_elapsed(columns, scheduled, np.array([zone], dtype=object))[0])


@pytest.mark.parametrize(("hhmm", "minutes"), [(0, 0), (59, 59), (955, 595), (1000, 600), (2359, 1439), (2400, 1440)])
def test_a_clock_reading_is_hours_and_minutes_not_a_number(hhmm: int, minutes: int):
    assert flights.seconds_of_clock(np.array([float(hhmm)]))[0] == minutes * 60


def test_five_minutes_to_ten_until_ten_is_five_minutes():
    assert elapsed("2013-06-03", 955, 1000, "America/New_York") == 5


@pytest.mark.parametrize(
    ("zone", "arrives", "minutes"),
    [
        ("America/New_York", 1200, 120),
        ("America/Chicago", 1100, 120),
        ("America/Los_Angeles", 1300, 360),
        ("Pacific/Honolulu", 1500, 660),
        ("America/Puerto_Rico", 1350, 230),
    ],
)
def test_an_arrival_is_read_on_the_destinations_clock(zone: str, arrives: int, minutes: float):
    assert elapsed("2013-06-03", 1000, arrives, zone) == minutes


def test_phoenix_keeps_its_clock_while_new_york_changes():
    assert elapsed("2013-03-09", 1000, 1300, "America/Phoenix") == 300
    assert elapsed("2013-03-10", 1000, 1300, "America/Phoenix") == 360


def test_an_arrival_after_midnight_belongs_to_the_next_day():
    assert elapsed("2013-06-03", 2330, 45, "America/New_York") == 75
    assert elapsed("2013-12-31", 2300, 200, "America/Los_Angeles") == 360


def test_the_night_the_clocks_go_forward_is_an_hour_shorter():
    assert elapsed("2013-03-09", 2359, 459, "America/New_York") == 240
    assert elapsed("2013-03-08", 2359, 459, "America/New_York") == 300


def test_the_night_the_clocks_go_back_is_an_hour_longer():
    assert elapsed("2013-11-02", 2359, 459, "America/New_York") == 360
    assert elapsed("2013-11-03", 2359, 459, "America/New_York") == 300


def test_without_a_time_zone_the_schedule_is_unknown():
    assert np.isnan(elapsed("2013-06-03", 1000, 1200, None))


@given(moment=WITHIN_2013, zone=st.sampled_from(ZONES))
def test_local_clocks_agree_with_the_time_zone_database(moment: int, zone: str):
    there = datetime.fromtimestamp(moment, ZoneInfo(zone))
    local = flights.utc_to_local(zone, np.array([float(moment)]))
    assert flights.minute_of_day(local)[0] == there.hour * 60 + there.minute


@given(moment=WITHIN_2013, zone=st.sampled_from(ZONES))
def test_a_clock_reading_that_happens_once_leads_back_to_its_instant(moment: int, zone: str):
    there = datetime.fromtimestamp(moment, ZoneInfo(zone))
    back = flights.local_to_utc(zone, flights.utc_to_local(zone, np.array([float(moment)])))[0]
    assert back == moment - (3600 if there.fold else 0)


def test_unknown_instants_stay_unknown():
    assert np.isnan(flights.utc_to_local("America/New_York", np.array([np.nan]))).all()
    assert np.isnan(flights.arrival_clock(np.array([None], dtype=object), np.array([0.0]))).all()


def test_every_flight_of_the_year_taxies_for_some_minutes_also_when_the_clocks_change():
    known = row_features.facts(records.columns_of(whole_year()["flights"]), References.from_raw(whole_year()))
    taxi = known["taxi"][np.isfinite(known["taxi"])]
    assert len(taxi) == 327_346
    assert taxi.min() == 5
    assert taxi.max() == 235
    for night in ("2013-03-09", "2013-03-10", "2013-11-02", "2013-11-03"):
        those = known["taxi"][known["date"] == np.datetime64(night)]
        assert 15 < np.nanmedian(those) < 45


def test_schedules_of_the_year_lie_between_fifty_minutes_and_twelve_hours():
    known = row_features.facts(records.columns_of(whole_year()["flights"]), References.from_raw(whole_year()))
    assert np.isfinite(known["scheduled_elapsed"]).all()
    departed = np.isfinite(known["dep_delay"])
    assert known["scheduled_elapsed"][departed].min() == 50
    assert known["scheduled_elapsed"].max() == 700


def test_a_diverted_flight_has_pushed_back_and_never_landed():
    columns = {"arr_delay": np.array([np.nan]), "dep_delay": np.array([5.0]), "air_time": np.array([np.nan])}
    told = flights.outcomes(columns, np.array([1000.0]), np.array([60.0]))
    assert all(np.isnan(values).all() for values in told.values())


def test_landing_and_deviation_follow_from_the_delays():
    columns = {"arr_delay": np.array([-10.0]), "dep_delay": np.array([5.0]), "air_time": np.array([30.0])}
    told = flights.outcomes(columns, np.array([60_000.0]), np.array([60.0]))
    assert {name: values[0] for name, values in told.items()} == {
        "landed_at": 60_000 + 45 * 60,
        "block_deviation": -15,
        "elapsed": 45,
        "taxi": 15,
    }


def test_destinations_fall_into_bands_from_west_to_east():
    bands = flights.longitude_band(np.array([-157.9, -112.0, -100.0, -87.9, -84.4, -71.0, np.nan]))
    assert bands.tolist() == ["band0", "band1", "band1", "band2", "band3", "band4", None]


def test_haul_is_told_by_distance():
    assert flights.haul(np.array([699.0, 700.0, 1499.0, 1500.0])).tolist() == ["short", "medium", "medium", "long"]
