"""What is expected of the raw tables, written down from what the columns mean.

Intervals leave room for the legal extremes of the year (a departure 1,301 minutes late, 10.94 °F in January, 4,983
miles to Honolulu). The units themselves are pinned where upstream makes that possible: winds are whole knots,
visibility one of the values that a report can hold, and relative humidity follows from temperature and dew point.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandera.polars as pa
import polars as pl

from reference_system.expectations import (
    every_row,
    null_share_at_most,
    outside_at_most,
    quantile_within,
    slope,
    whole,
    whole_table,
)

ORIGINS = ("EWR", "JFK", "LGA")
CARRIERS = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
ZONES = (
    "America/Anchorage",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/New_York",
    "America/Phoenix",
    "America/Puerto_Rico",
    "Pacific/Honolulu",
)
VISIBILITIES = (0.0, 0.06, 0.12, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, *map(float, range(3, 11)))
MPH_PER_KNOT = 1.15078
AIRPORT = r"^[A-Z]{3}$"
CARRIER = r"^[A-Z0-9]{2}$"
TAIL_NUMBER = r"^[ND][0-9A-Z]{3,5}$"
PLANE_MODEL = r"^[0-9A-Z]([0-9A-Z ./()+-]*[0-9A-Z)])?$"
NEW_CATEGORY_BUDGET = 0.005
YEAR_BEGINS, YEAR_ENDS = date(2013, 1, 1), date(2013, 12, 31)


def clock_minutes(name: str) -> pl.Expr:
    """Minutes after midnight of an HHMM column."""
    reading = pl.col(name).cast(pl.Int32)
    return reading // 100 * 60 + reading % 100


def _is_clock(*names: str) -> list[pa.Check]:
    return [every_row(f"{name} is an HHMM reading", pl.col(name).cast(pl.Int32) % 100 < 60) for name in names]


def _saturation(fahrenheit: str) -> pl.Expr:
    """Exponent of Magnus' formula with the constants of Alduchov and Eskridge (1996)."""
    celsius = (pl.col(fahrenheit) - 32) / 1.8
    return 17.625 * celsius / (243.04 + celsius)


def _humidity_error() -> pl.Expr:
    """Percentage points between reported relative humidity and that of temperature and dew point."""
    return (100 * (_saturation("dewp") - _saturation("temp")).exp() - pl.col("humid")).abs()


def _typical_humidity_error_of_day() -> pl.Expr:
    """Median over the day at the origin; null where fewer than half its hours are there to judge by."""
    day = [pl.col("origin"), pl.col("time_hour").dt.date()]
    return pl.when(pl.len().over(day) >= 12).then(_humidity_error().median().over(day))


FLIGHTS = pa.DataFrameSchema(
    {
        "date": pa.Column(pl.Date, pa.Check.in_range(YEAR_BEGINS, YEAR_ENDS)),
        "sched_dep_time": pa.Column(pl.Int16, [pa.Check.in_range(0, 2359), quantile_within(0.5, 1000, 1700)]),
        "dep_delay": pa.Column(
            pl.Int16,
            [pa.Check.in_range(-60, 2000), null_share_at_most(0.15), quantile_within(0.5, -8, 20)],
            nullable=True,
        ),
        "sched_arr_time": pa.Column(pl.Int16, [pa.Check.in_range(1, 2400), quantile_within(0.5, 1100, 1900)]),
        "arr_time": pa.Column(pl.Int16, [pa.Check.in_range(1, 2400), null_share_at_most(0.15)], nullable=True),
        "arr_delay": pa.Column(pl.Int16, [pa.Check.in_range(-120, 2000), null_share_at_most(0.15)], nullable=True),
        "air_time": pa.Column(pl.Int16, [pa.Check.in_range(15, 750), null_share_at_most(0.15)], nullable=True),
        "carrier": pa.Column(
            pl.String, [pa.Check.str_matches(CARRIER), outside_at_most(CARRIERS, NEW_CATEGORY_BUDGET)]
        ),
        "flight": pa.Column(pl.Int16, [pa.Check.in_range(1, 9999), quantile_within(0.5, 800, 2500)]),
        "tailnum": pa.Column(pl.String, [pa.Check.str_matches(TAIL_NUMBER), null_share_at_most(0.05)], nullable=True),
        "origin": pa.Column(pl.String, pa.Check.isin(ORIGINS)),
        "dest": pa.Column(pl.String, pa.Check.str_matches(AIRPORT)),
        "distance": pa.Column(pl.Int16, [pa.Check.in_range(15, 5000), quantile_within(0.5, 500, 1200)]),
    },
    checks=[
        *_is_clock("sched_dep_time", "sched_arr_time", "arr_time"),
        every_row(
            "arr_time is sched_arr_time plus arr_delay",
            (clock_minutes("arr_time") - clock_minutes("sched_arr_time") - pl.col("arr_delay").cast(pl.Int32)) % 1440
            == 0,
        ),
        every_row(
            "air_time is known where arr_delay is", pl.col("air_time").is_null() == pl.col("arr_delay").is_null()
        ),
        every_row("origin and dest differ", pl.col("origin") != pl.col("dest")),
        # Upstream moved Eagle, Colorado, by a mile in March.
        every_row(
            "distances of a route differ by 2 miles at most",
            pl.col("distance").max().over("origin", "dest") - pl.col("distance").min().over("origin", "dest") <= 2,
        ),
        whole_table(
            "arr_delay moves minute by minute with dep_delay", slope("arr_delay", "dep_delay").is_between(0.8, 1.25)
        ),
        whole_table(
            "median speed within 300 and 500 mph",
            (pl.col("distance") * 60.0 / pl.col("air_time")).median().is_between(300, 500),
        ),
    ],
    unique=["date", "carrier", "flight", "origin"],
    name="flights",
)

WEATHER = pa.DataFrameSchema(
    {
        "time_hour": pa.Column(
            pl.Datetime("ms", "UTC"),
            pa.Check.in_range(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 2, tzinfo=UTC)),
        ),
        "origin": pa.Column(pl.String, pa.Check.isin(ORIGINS)),
        "temp": pa.Column(
            pl.Float64, [pa.Check.in_range(-20, 115), null_share_at_most(0.02), whole(100)], nullable=True
        ),
        "dewp": pa.Column(
            pl.Float64, [pa.Check.in_range(-40, 85), null_share_at_most(0.02), whole(100)], nullable=True
        ),
        "humid": pa.Column(
            pl.Float64, [pa.Check.in_range(5, 100), null_share_at_most(0.02), whole(100)], nullable=True
        ),
        "wind_dir": pa.Column(
            pl.Int16,
            [pa.Check.in_range(0, 360), whole(0.1), null_share_at_most(0.1), quantile_within(0.9, 200, 360)],
            nullable=True,
        ),
        "wind_speed": pa.Column(
            pl.Float64, [pa.Check.in_range(0, 100), whole(1 / MPH_PER_KNOT), null_share_at_most(0.02)], nullable=True
        ),
        "wind_gust": pa.Column(
            pl.Float64, [pa.Check.in_range(10, 130), whole(1 / MPH_PER_KNOT), null_share_at_most(0.97)], nullable=True
        ),
        "precip": pa.Column(pl.Float64, [pa.Check.in_range(0, 4), whole(100)]),
        "pressure": pa.Column(
            pl.Float64, [pa.Check.in_range(950, 1060), whole(10), null_share_at_most(0.25)], nullable=True
        ),
        "visib": pa.Column(pl.Float64, [pa.Check.isin(VISIBILITIES), quantile_within(0.9, 3, 10)]),
    },
    checks=[
        every_row("dew point is not above temperature", pl.col("dewp") <= pl.col("temp") + 1),
        every_row("a gust is above the wind", pl.col("wind_gust") > pl.col("wind_speed")),
        whole_table("humid follows from temp and dewp", (_humidity_error() > 8).mean() <= 0.02),
        every_row("humid follows from temp and dewp on each day at each origin", _typical_humidity_error_of_day() < 4),
    ],
    unique=["origin", "time_hour"],
    name="weather",
)

PLANES = pa.DataFrameSchema(
    {
        "tailnum": pa.Column(pl.String, pa.Check.str_matches(TAIL_NUMBER), unique=True),
        "year": pa.Column(
            pl.Int16,
            [pa.Check.in_range(1940, 2014), null_share_at_most(0.06), quantile_within(0.5, 1990, 2010)],
            nullable=True,
        ),
        "model": pa.Column(pl.String, pa.Check.str_matches(PLANE_MODEL)),
        "seats": pa.Column(pl.Int16, [pa.Check.in_range(1, 500), quantile_within(0.5, 100, 200)]),
    },
    name="planes",
)

DESTINATIONS = pa.DataFrameSchema(
    {
        "dest": pa.Column(pl.String, pa.Check.str_matches(AIRPORT), unique=True),
        "latitude": pa.Column(pl.Float64, pa.Check.in_range(17, 62)),
        "longitude": pa.Column(pl.Float64, pa.Check.in_range(-160, -60)),
        "zone": pa.Column(pl.String, pa.Check.isin(ZONES)),
    },
    name="destinations",
)
