"""Real days that hold the awkward cases: both clock changes, Christmas, and the end of the weather."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa

from reference_system import features, raw, records, row_features

SPANS = (("2013-02-22", "2013-03-13"), ("2013-10-24", "2013-11-05"), ("2013-12-28", "2013-12-31"))
AUTUMN_STOPS = datetime(2013, 11, 1, tzinfo=UTC)
LEAKS = ("arr_time", "arr_delay", "air_time")


@cache
def whole_year() -> raw.RawTables:
    return raw.load()


@cache
def some_days() -> raw.RawTables:
    table = pl.from_arrow(whole_year()["flights"])
    kept = pl.any_horizontal(
        pl.col("date").is_between(pl.lit(first).str.to_date(), pl.lit(last).str.to_date()) for first, last in SPANS
    )
    flights = whole_year()["flights"].filter(pa.array(table.select(kept).to_series().to_list()))
    return {**whole_year(), "flights": flights}


@cache
def features_of_some_days() -> pa.Table:
    return features.compute(some_days())


@cache
def positions() -> dict[str, int]:
    """Row of each flight among the raw flights of these days."""
    ids = row_features.flight_ids(records.columns_of(some_days()["flights"]))
    return {identity: position for position, identity in enumerate(ids.tolist())}


def raw_rows(flight_ids: list[str], *, landed: bool) -> list[dict[str, Any]]:
    """Raw flights as dictionaries, with or without what only the landing tells."""
    chosen = some_days()["flights"].take(pa.array([positions()[identity] for identity in flight_ids], pa.int64()))
    return (chosen if landed else chosen.drop_columns(list(LEAKS))).to_pylist()
