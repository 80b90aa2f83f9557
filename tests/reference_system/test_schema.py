"""The schema accepts what is real, however extreme, and notices what is broken."""

from __future__ import annotations

import sys
from datetime import date
from functools import cache

import pandera.polars as pa_polars
import polars as pl
import pyarrow as pa
import pytest
from pandera.errors import SchemaError, SchemaErrors

from reference_system import features, raw
from reference_system.catalogue import FEATURES
from reference_system.raw_schemas import NEW_CATEGORY_BUDGET
from reference_system.schema import SCHEMAS
from tests.reference_system.flown_days import whole_year
from tests.reference_system.schema_mutations import mutations

RAW_TABLES = ("flights", "weather", "planes", "destinations")
LEAST_KILL_RATIO = 0.9


def violations(name: str, table: pl.DataFrame) -> set[tuple[str, str]]:
    """Column and check of everything in ``table`` that the schema ``name`` objects to."""
    try:
        SCHEMAS[name].validate(table, lazy=True)
    except SchemaErrors as error:
        return {(str(row["column"]), str(row["check"])) for row in error.failure_cases.to_dicts()}
    return set()


def is_noticed(name: str, table: pl.DataFrame, column: str | None = None) -> bool:
    """Whether the schema objects to anything; ``column`` is asked first, since most damage shows there at once."""
    schema = SCHEMAS[name]
    own = [pa_polars.DataFrameSchema({column: schema.columns[column]})] if column in schema.columns else []
    try:
        for part in (*own, schema):
            part.validate(table)
    except SchemaError:
        return True
    return False


@cache
def raw_table(name: str) -> pl.DataFrame:
    frame = pl.from_arrow(whole_year()[name])
    assert isinstance(frame, pl.DataFrame)
    return frame


@cache
def november() -> pl.DataFrame:
    """Features of November, with two months of history before it."""
    dates = raw_table("flights")["date"]
    kept = dates.is_between(date(2013, 9, 1), date(2013, 11, 30))
    flights = whole_year()["flights"].filter(pa.array(kept.to_list()))
    frame = pl.from_arrow(features.split(features.compute({**whole_year(), "flights": flights}), "holdout"))
    assert isinstance(frame, pl.DataFrame)
    return frame


def batch(name: str) -> pl.DataFrame:
    """2,000 rows of held-back days, or the whole table where it is a reference."""
    if name == "features":
        return november().select(list(SCHEMAS["features"].columns)).sample(2_000, seed=11)
    if name == "flights":
        return raw_table(name).filter(pl.col("date") >= date(2013, 11, 1)).sample(2_000, seed=11)
    return raw_table(name).sample(2_000, seed=11) if name == "weather" else raw_table(name)


@pytest.mark.parametrize("name", RAW_TABLES)
def test_the_whole_year_passes(name: str):
    assert violations(name, raw_table(name)) == set()


@pytest.mark.parametrize("month", range(1, 13))
def test_each_month_of_raw_data_passes(month: int):
    assert violations("flights", raw_table("flights").filter(pl.col("date").dt.month() == month)) == set()
    assert violations("weather", raw_table("weather").filter(pl.col("time_hour").dt.month() == month)) == set()


def test_held_back_features_pass():
    assert violations("features", november()) == set()


@pytest.mark.parametrize("day", range(1, 31, 3))
def test_any_two_days_of_features_pass(day: int):
    days = [f"2013-11-{number:02d}" for number in (day, day + 1)]
    assert violations("features", november().filter(pl.col("day").is_in(days))) == set()


def test_a_handful_of_rows_passes_for_chance_is_not_judged():
    assert violations("features", november().head(20)) == set()


def test_every_model_input_is_in_the_schema():
    assert {feature.name for feature in FEATURES} <= set(SCHEMAS["features"].columns)
    assert all(SCHEMAS["features"].columns[feature.name].checks for feature in FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_the_schema_and_the_catalogue_agree_on_what_may_be_unknown(feature: features.Feature):
    assert SCHEMAS["features"].columns[feature.name].nullable == feature.nullable


@pytest.mark.parametrize("name", RAW_TABLES)
def test_every_raw_column_is_in_the_schema(name: str):
    assert set(SCHEMAS[name].columns) == set(raw.COLUMNS[name])


def test_the_published_gale_is_noticed_where_it_is_not_set_aside():
    published = pl.from_arrow(raw.read(raw.FOLDER)["weather"])
    assert isinstance(published, pl.DataFrame)
    assert ("wind_speed", "in_range(0, 100)") in violations("weather", published)


def test_the_legal_extremes_of_the_year_are_there_and_pass():
    flights, weather = raw_table("flights"), raw_table("weather")
    extremes = (flights["dep_delay"].max(), flights["distance"].max(), weather["temp"].min())
    assert extremes == (1301, 4983, 10.94)


def test_one_flight_to_a_place_never_seen_and_one_new_carrier_stay_within_the_budget():
    table = batch("flights").with_row_index()
    for column, code in (("dest", "ZZZ"), ("carrier", "ZZ")):
        changed = table.with_columns(pl.when(pl.col("index") == 0).then(pl.lit(code)).otherwise(column).alias(column))
        assert violations("flights", changed.drop("index")) == set()


def test_a_carrier_beyond_the_budget_for_new_categories_is_noticed():
    many = int(NEW_CATEGORY_BUDGET * 2_000) + 1
    table = batch("flights").with_row_index()
    changed = table.with_columns(
        pl.when(pl.col("index") < many).then(pl.lit("ZZ")).otherwise("carrier").alias("carrier")
    )
    assert {column for column, _ in violations("flights", changed.drop("index"))} == {"carrier"}


@pytest.mark.parametrize("origins", [("EWR",), ("EWR", "JFK", "LGA")], ids="-".join)
def test_one_day_of_celsius_is_noticed_by_the_humidity_that_no_longer_fits(origins: tuple[str, ...]):
    table = raw_table("weather").filter(pl.col("time_hour").dt.month() == 7)
    broken = (pl.col("time_hour").dt.day() == 14) & pl.col("origin").is_in(origins)
    celsius = {name: ((pl.col(name) - 32) / 1.8).round(2) for name in ("temp", "dewp")}
    fed = table.with_columns(pl.when(broken).then(value).otherwise(name).alias(name) for name, value in celsius.items())
    assert any("humid follows" in check for _, check in violations("weather", fed))


@pytest.mark.parametrize("carrier", ["UA", "EV"])
def test_a_carrier_whose_delays_change_sign_or_unit_is_noticed(carrier: str):
    table = raw_table("flights").filter(pl.col("date").dt.month() == 11)
    delay = pl.when(pl.col("carrier") == carrier).then(-pl.col("dep_delay")).otherwise("dep_delay").alias("dep_delay")
    assert violations("flights", table.with_columns(delay))


@pytest.mark.parametrize("name", SCHEMAS)
def test_at_least_nine_of_ten_mutations_are_killed(name: str, capsys: pytest.CaptureFixture[str]):
    clean = batch(name)
    assert not is_noticed(name, clean)
    outcomes = [
        (column, kind, is_noticed(name, bad, column)) for column, kind, bad in mutations(clean, clean.columns[0], 7)
    ]
    survivors = [f"{column} ({kind})" for column, kind, noticed in outcomes if not noticed]
    ratio = 1 - len(survivors) / len(outcomes)
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {ratio:.1%} of {len(outcomes)} mutations killed; alive: {survivors}\n")
    assert ratio >= LEAST_KILL_RATIO
