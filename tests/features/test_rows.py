"""What a raw row itself tells, worked out by hand for ten awkward flights; one test an input.

The expectations come from a clock and a calendar: odd minutes, midnight, both nights on which the clocks change, four
time zones, an hour that happens twice, and what the reference tables lack.
"""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import flights, records, row_features
from reference_system.declarations import WINDOW_FEATURES
from reference_system.references import References

UNKNOWN = math.nan
REFERENCES = References.from_raw(
    {
        "planes": pa.table(
            {
                "tailnum": ["N1", "N2", "N3", "N4", "N5"],
                "year": pa.array([1999, 2005, None, 2001, 2013], pa.int16()),
                "model": ["737-800", "SR22", None, "DHC-6", "A320"],
                "seats": pa.array([149, 4, 20, 19, 21], pa.int16()),
            }
        ),
        "destinations": pa.table(
            {
                "dest": ["BOS", "ORD", "LAX", "PHX", "HNL"],
                "latitude": [42.36, 41.98, 33.94, 33.43, 21.32],
                "longitude": [-71.01, -87.9, -118.41, -112.01, -157.92],
                "zone": [
                    "America/New_York",
                    "America/Chicago",
                    "America/Los_Angeles",
                    "America/Phoenix",
                    "Pacific/Honolulu",
                ],
            }
        ),
    }
)
COLUMNS = ("date", "sched_dep_time", "sched_arr_time", "dep_delay", "carrier", "origin", "dest", "tailnum", "distance")
FLIGHTS = (
    ("2013-06-03", 955, 1000, 10, "UA", "EWR", "BOS", "N1", 200),
    ("2013-06-08", 1959, 2115, -7, "AA", "LGA", "ORD", "N2", 719),
    ("2013-03-09", 2359, 459, 300, "B6", "JFK", "BOS", "N3", 187),
    ("2013-11-02", 2359, 459, 0, "B6", "JFK", "BOS", "N4", 187),
    ("2013-12-31", 2300, 200, 61, "VX", "JFK", "LAX", "N5", 2475),
    ("2013-03-10", 1000, 1300, 0, "US", "EWR", "PHX", None, 2133),
    ("2013-06-05", 5, 106, -4, "UA", "EWR", "BOS", "N9", 200),
    ("2013-06-06", 1234, 1400, 0, "EV", "LGA", "XXX", "N1", 300),
    ("2013-06-07", 1000, 1500, 30, "HA", "JFK", "HNL", "N5", 4983),
    ("2013-06-04", 1000, 1000, 0, "UA", "EWR", "BOS", None, 200),
    ("2013-11-03", 130, 245, 0, "UA", "EWR", "BOS", "N1", 201),
)
EXPECTED: dict[str, list[Any]] = {
    "scheduled_elapsed": [5, 136, 240, 360, 360, 360, 61, UNKNOWN, 660, 1440, 135],
    "distance": [200, 719, 187, 187, 2475, 2133, 200, 300, 4983, 200, 201],
    "scheduled_departure_minute": [595, 1199, 1439, 1439, 1380, 600, 5, 754, 600, 600, 90],
    "departure_delay": [10, -7, 300, 0, 61, 0, -4, 0, 30, 0, 0],
    "departure_minute": [605, 1192, 359, 1439, 1, 600, 1, 754, 630, 600, 90],
    "estimated_arrival_minute": [610, 1268, 599, 299, 181, 780, 62, UNKNOWN, 930, 600, 165],
    "destination_latitude": [42.36, 41.98, 42.36, 42.36, 33.94, 33.43, 42.36, UNKNOWN, 21.32, 42.36, 42.36],
    "destination_longitude": [
        -71.01,
        -87.9,
        -71.01,
        -71.01,
        -118.41,
        -112.01,
        -71.01,
        UNKNOWN,
        -157.92,
        -71.01,
        -71.01,
    ],
    "carrier": [flight[4] for flight in FLIGHTS],
    "origin": [flight[5] for flight in FLIGHTS],
    "dest": [flight[6] for flight in FLIGHTS],
    "day_of_week": ["Mon", "Sat", "Sat", "Sat", "Tue", "Sun", "Wed", "Thu", "Fri", "Tue", "Sun"],
    "scheduled_hour": ["09", "19", "23", "23", "23", "10", "00", "12", "10", "10", "01"],
    "plane_age": [14, UNKNOWN, UNKNOWN, UNKNOWN, 0, UNKNOWN, UNKNOWN, 14, 0, UNKNOWN, 14],
    "plane_seats": [149, UNKNOWN, 20, UNKNOWN, 21, UNKNOWN, UNKNOWN, 149, 21, UNKNOWN, 149],
    "plane_model": [
        "737-800",
        *["unknown"] * 3,
        "A320",
        *["unknown"] * 2,
        "737-800",
        "A320",
        "unknown",
        "737-800",
    ],
}


def raw(*rows: tuple[Any, ...]) -> dict[str, Any]:
    made = [{**dict(zip(COLUMNS, row, strict=True)), "flight": 1} for row in rows]
    return records.columns_of_records(made)


def inputs_of(columns: dict[str, Any]) -> dict[str, Any]:
    known = row_features.facts(columns, REFERENCES)
    missing = {feature.name: np.full(len(columns["date"]), np.nan) for feature in WINDOW_FEATURES}
    return row_features.inputs(known, missing)


@cache
def all_inputs() -> dict[str, Any]:
    return inputs_of(raw(*FLIGHTS))


@pytest.mark.parametrize("name", EXPECTED)
def test_row(name: str) -> None:
    expected, found = EXPECTED[name], all_inputs()[name]
    if isinstance(expected[0], str):
        assert found.tolist() == expected
    else:
        np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


@pytest.mark.parametrize("name", EXPECTED)
def test_row_of_the_batch(name: str) -> None:
    """A raw table is read like the records of a request."""
    kinds = {"date": pa.date32(), "carrier": pa.string(), "origin": pa.string(), "dest": pa.string()}
    rows = [dict(zip(COLUMNS, flight, strict=True)) for flight in FLIGHTS]
    columns = {
        column: pa.chunked_array([pa.array([records._day(r[column]) if column == "date" else r[column] for r in rows])])
        for column in COLUMNS
    }
    table = pa.table({n: c.cast(kinds[n]) if n in kinds else c for n, c in columns.items()})
    unknown = pa.nulls(len(rows), pa.float64())
    for column in ("arr_delay", "air_time", "flight"):
        table = table.append_column(column, unknown if column != "flight" else pa.array([1.0] * len(rows)))
    np.testing.assert_array_equal(inputs_of(records.columns_of(table))[name], all_inputs()[name])


DAYS = st.dates(min_value=date(2013, 1, 1), max_value=date(2013, 12, 24))
CLOCKS = st.builds(lambda hour, minute: 100 * hour + minute, st.integers(4, 22), st.integers(0, 59))


@settings(max_examples=50, deadline=None)
@given(day=DAYS, departs=CLOCKS, arrives=CLOCKS, delay=st.integers(-30, 600))
def test_a_week_later_nothing_changes_while_the_clocks_do_not(
    day: date, departs: int, arrives: int, delay: int
) -> None:
    first = raw((day.isoformat(), departs, arrives, delay, "UA", "EWR", "PHX", "N1", 2133))
    here, there = inputs_of(first), inputs_of({**first, "date": first["date"] + np.timedelta64(7, "D")})
    clocks_change = any(0 <= (night - day).days <= 8 for night in (date(2013, 3, 10), date(2013, 11, 3)))
    for name in ("day_of_week", "plane_age", "departure_delay") if clocks_change else EXPECTED:
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)


@settings(max_examples=50, deadline=None)
@given(order=st.permutations(range(len(FLIGHTS))))
def test_the_order_of_rows_changes_no_row(order: list[int]) -> None:
    turned = inputs_of(raw(*[FLIGHTS[place] for place in order]))
    for name, values in all_inputs().items():
        np.testing.assert_array_equal(turned[name], values[order], err_msg=name)


@settings(max_examples=50, deadline=None)
@given(seconds=st.integers(-(10**6), 10**6))
def test_the_minute_of_a_reading_on_the_minute_is_itself(seconds: int) -> None:
    """Reading the clock of a clock reading changes nothing any more."""
    minute = flights.minute_of_day(np.array([float(seconds)]))
    np.testing.assert_array_equal(flights.minute_of_day(minute * 60), minute)


def test_a_minute_lasts_until_the_next_one() -> None:
    readings = np.array([0.0, 59.0, 60.0, 119.0, 86_399.0, 86_400.0, -1.0])
    assert flights.minute_of_day(readings).tolist() == [0, 0, 1, 1, 1439, 0, 1439]
