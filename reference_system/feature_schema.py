"""What is expected of the feature table: range, nulls and granularity of every input, and how inputs hang together.

Written from the meaning of each feature. Whole minutes, halves (medians) and sixtieths (means of up to five) betray a
change of unit that a range alone would let through.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from reference_system.expectations import (
    correlation_above,
    every_row,
    null_share_at_most,
    outside_at_most,
    quantile_within,
    whole,
    whole_table,
)
from reference_system.raw_schemas import (
    AIRPORT,
    CARRIER,
    CARRIERS,
    MPH_PER_KNOT,
    NEW_CATEGORY_BUDGET,
    ORIGINS,
    PLANE_MODEL,
    VISIBILITIES,
)

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS_OF_DAY = tuple(f"{hour:02d}" for hour in range(24))
UNREGISTERED_CARRIERS = ("AA", "MQ")
NEW_YORK_LATITUDE, NEW_YORK_LONGITUDE, EARTH_RADIUS_MILES = 40.70, -73.95, 3958.8
# The three airports lie 20 miles apart, and a sphere is not an ellipsoid on the longest route.
GREAT_CIRCLE_TOLERANCE_MILES = 30
HALVES, MEANS_OF_FIVE, MEANS_OF_FIVE_HALVES = 2, 60, 120


def _number(low: float, high: float, *checks: pa.Check, nulls: float = 0.0) -> pa.Column:
    budget = [null_share_at_most(nulls)] if nulls else []
    return pa.Column(pl.Float64, [pa.Check.in_range(low, high), *checks, *budget], nullable=nulls > 0)


def _minute_of_day(low: float, high: float) -> pa.Column:
    return _number(0, 1439, whole(), quantile_within(0.5, low, high))


SCHEDULE = {
    "scheduled_elapsed": _number(30, 760, whole(), quantile_within(0.5, 120, 220)),
    "distance": _number(15, 5000, whole(), quantile_within(0.5, 500, 1200)),
    "scheduled_departure_minute": _minute_of_day(600, 1050),
    "estimated_arrival_minute": _minute_of_day(680, 1150),
    "destination_latitude": _number(17, 62),
    "destination_longitude": _number(-160, -60),
    "carrier": pa.Column(pl.String, [pa.Check.str_matches(CARRIER), outside_at_most(CARRIERS, NEW_CATEGORY_BUDGET)]),
    "origin": pa.Column(pl.String, pa.Check.isin(ORIGINS)),
    "dest": pa.Column(pl.String, pa.Check.str_matches(AIRPORT)),
    "day_of_week": pa.Column(pl.String, pa.Check.isin(WEEKDAYS)),
    "scheduled_hour": pa.Column(pl.String, pa.Check.isin(HOURS_OF_DAY)),
}

DEPARTURE = {
    "departure_delay": _number(-60, 2000, whole(), quantile_within(0.5, -8, 30)),
    "departure_minute": _minute_of_day(600, 1100),
}

PLANE = {
    "plane_age": _number(0, 75, whole(), quantile_within(0.5, 6, 16), nulls=0.45),
    "plane_seats": _number(20, 500, whole(), quantile_within(0.5, 50, 200), nulls=0.45),
    "plane_model": pa.Column(pl.String, [pa.Check.str_matches(f"{PLANE_MODEL}|^unknown$")]),
}

WEATHER = {
    "wind_to_east": _number(-100, 100, nulls=0.15),
    "wind_to_north": _number(-100, 100, nulls=0.15),
    "wind_speed": _number(0, 100, whole(1 / MPH_PER_KNOT), nulls=0.15),
    "pressure_missing": pa.Column(pl.Float64, [pa.Check.isin((0.0, 1.0)), null_share_at_most(0.15)], nullable=True),
    "precipitation": _number(0, 4, whole(100), nulls=0.15),
    "visibility": pa.Column(
        pl.Float64, [pa.Check.isin(VISIBILITIES), null_share_at_most(0.15), quantile_within(0.9, 3, 10)], nullable=True
    ),
    "humidity": _number(5, 100, whole(100), quantile_within(0.9, 40, 100), nulls=0.15),
}

CONGESTION = {
    "departures_15min": _number(0, 40, whole(), quantile_within(0.9, 5, 15)),
    "departures_60min": _number(0, 90, whole(), quantile_within(0.5, 8, 35)),
    "departure_delay_15min": _number(-60, 2000, quantile_within(0.5, -10, 60), nulls=0.15),
    "departure_delay_60min": _number(-60, 2000, quantile_within(0.5, -10, 60), nulls=0.05),
    "scheduled_last_60min": _number(0, 90, whole(), quantile_within(0.5, 8, 35)),
    "scheduled_next_30min": _number(0, 60, whole(), quantile_within(0.5, 4, 20)),
    "overdue_flights": _number(0, 200, whole(), quantile_within(0.5, 0, 40)),
}

LEVEL = {
    "route_elapsed_level": _number(-150, 150, whole(HALVES), quantile_within(0.5, -20, 2), nulls=0.05),
    "route_air_time_level": _number(-200, 100, whole(HALVES), quantile_within(0.5, -55, -22), nulls=0.05),
    "carrier_route_deviation_level": _number(-120, 200, whole(HALVES), quantile_within(0.5, -20, 2), nulls=0.05),
    "flight_number_deviation_level": _number(-150, 250, whole(HALVES), quantile_within(0.5, -22, 5), nulls=0.18),
}

RECENT = {
    "destination_recent_deviation": _number(-120, 250, whole(MEANS_OF_FIVE), quantile_within(0.5, -22, 15), nulls=0.05),
    "destination_recent_age": _number(0, 1440, whole(), quantile_within(0.5, 20, 150), nulls=0.05),
    "destination_recent_taxi": _number(-60, 250, whole(MEANS_OF_FIVE_HALVES), quantile_within(0.5, -8, 14), nulls=0.05),
    "destination_recent_air_time": _number(
        -90, 150, whole(MEANS_OF_FIVE_HALVES), quantile_within(0.5, -12, 14), nulls=0.05
    ),
    "origin_recent_deviation_3h": _number(-150, 250, quantile_within(0.5, -22, 15), nulls=0.15),
    "origin_recent_taxi_3h": _number(-90, 250, quantile_within(0.5, -7, 12), nulls=0.15),
    "origin_recent_deviation_12h": _number(-120, 200, quantile_within(0.5, -22, 15), nulls=0.05),
    "origin_recent_taxi_12h": _number(-90, 200, quantile_within(0.5, -7, 14), nulls=0.05),
    "route_recent_air_time": _number(-120, 150, whole(MEANS_OF_FIVE_HALVES), quantile_within(0.5, -12, 14), nulls=0.05),
    "band_recent_air_time_6h": _number(-90, 150, quantile_within(0.5, -12, 14), nulls=0.15),
    "band_recent_air_time_24h": _number(-90, 100, quantile_within(0.5, -12, 15), nulls=0.05),
}


def _great_circle_miles() -> pl.Expr:
    """Haversine distance from New York to the destination."""
    latitude, longitude = (pl.col(f"destination_{axis}").radians() for axis in ("latitude", "longitude"))
    here = pl.lit(NEW_YORK_LATITUDE).radians()
    half_chord = ((latitude - here) / 2).sin() ** 2 + here.cos() * latitude.cos() * (
        (longitude - pl.lit(NEW_YORK_LONGITUDE).radians()) / 2
    ).sin() ** 2
    return 2 * EARTH_RADIUS_MILES * half_chord.sqrt().arcsin()


def _whole(total: pl.Expr) -> pl.Expr:
    return (total - total.round()).abs() < 1e-6


def _registered_planes_are_known() -> pa.Check:
    """AA and MQ report fleet numbers in place of tail numbers; every other carrier's planes are in the registry."""
    registered = ~pl.col("carrier").is_in(UNREGISTERED_CARRIERS)
    unknown = (pl.col("plane_age").is_null() | pl.col("plane_seats").is_null()).filter(registered)
    return whole_table("at most 12 % of planes of registering carriers unknown", unknown.mean().fill_null(0) <= 0.12)


RELATIONS = [
    every_row(
        "distance is the great circle to the destination",
        (pl.col("distance") - _great_circle_miles()).abs() < GREAT_CIRCLE_TOLERANCE_MILES,
    ),
    every_row(
        "departure_minute is schedule plus delay",
        (pl.col("scheduled_departure_minute") + pl.col("departure_delay") - pl.col("departure_minute")) % 60 == 0,
    ),
    every_row(
        "scheduled_hour is that of scheduled_departure_minute",
        (pl.col("scheduled_departure_minute") // 60).cast(pl.Int64, strict=False)
        == pl.col("scheduled_hour").cast(pl.Int64, strict=False),
    ),
    every_row(
        "wind components add up to wind_speed, or are both 0",
        ((pl.col("wind_to_east") ** 2 + pl.col("wind_to_north") ** 2).sqrt() - pl.col("wind_speed")).abs().lt(1e-6)
        | ((pl.col("wind_to_east") == 0) & (pl.col("wind_to_north") == 0)),
    ),
    *(
        every_row(
            f"departure_delay_{span} is a mean over departures_{span}",
            _whole(pl.col(f"departure_delay_{span}") * pl.col(f"departures_{span}")),
        )
        for span in ("15min", "60min")
    ),
    every_row("departures_15min are among departures_60min", pl.col("departures_15min") <= pl.col("departures_60min")),
    _registered_planes_are_known(),
    whole_table(
        "scheduled_elapsed fits a cruise of 480 mph and 40 minutes on the ground",
        (pl.col("scheduled_elapsed") / (pl.col("distance") / 8 + 40)).median().is_between(0.9, 1.3),
    ),
    correlation_above("departure_delay_15min", "departure_delay_60min", 0.2),
    correlation_above("destination_recent_air_time", "route_recent_air_time", 0.3),
    correlation_above("route_recent_air_time", "band_recent_air_time_24h", 0.0),
    correlation_above("band_recent_air_time_6h", "band_recent_air_time_24h", -0.1),
    correlation_above("destination_recent_taxi", "origin_recent_taxi_12h", 0.0),
    correlation_above("origin_recent_taxi_3h", "origin_recent_taxi_12h", -0.1),
    correlation_above("destination_recent_deviation", "origin_recent_deviation_12h", -0.1),
    correlation_above("origin_recent_deviation_3h", "origin_recent_deviation_12h", -0.4),
    correlation_above("flight_number_deviation_level", "carrier_route_deviation_level", 0.2),
]

FEATURE_SCHEMA = pa.DataFrameSchema(
    {
        "flight_id": pa.Column(
            pl.String, pa.Check.str_matches(r"^2013-\d{2}-\d{2}-[A-Z0-9]{2}-\d+-[A-Z]{3}$"), unique=True
        ),
        "block_deviation": _number(-240, 400, whole(), quantile_within(0.5, -25, 15), nulls=0.05),
        **SCHEDULE,
        **DEPARTURE,
        **PLANE,
        **WEATHER,
        **CONGESTION,
        **LEVEL,
        **RECENT,
    },
    checks=RELATIONS,
    name="features",
)
