"""The feature table of real days: shape, splits, and nothing in it that comes from the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from reference_system import events, features, records, row_features
from reference_system.references import References
from tests.reference_system.flown_days import features_of_some_days, some_days

MOMENTS = (
    datetime(2013, 3, 10, 12, 30, tzinfo=UTC),
    datetime(2013, 10, 31, 21, 15, tzinfo=UTC),
    datetime(2013, 11, 3, 15, 0, tzinfo=UTC),
    datetime(2013, 12, 31, 1, 40, tzinfo=UTC),
)


def test_every_flight_that_left_has_one_row_and_no_other():
    left = pc.sum(some_days()["flights"]["dep_delay"].is_valid()).as_py()
    table = features_of_some_days()
    assert table.num_rows == left
    assert len(set(table["flight_id"].to_pylist())) == left


def test_rows_are_in_order_of_push_back():
    moments = features_of_some_days()["pushed_back_at"].cast(pa.int64()).to_numpy()
    assert (np.diff(moments) >= 0).all()


def test_a_diverted_flight_is_kept_without_a_target():
    table = features_of_some_days()
    assert 0 < table["block_deviation"].null_count < 0.02 * table.num_rows
    assert table["landed_at"].is_null().equals(table["block_deviation"].is_null())


def test_a_window_gives_the_same_rows_as_the_whole():
    begin, end = datetime(2013, 11, 2, 22, tzinfo=UTC), datetime(2013, 11, 3, 22, tzinfo=UTC)
    whole = features_of_some_days()
    inside = pc.and_(pc.greater_equal(whole["pushed_back_at"], begin), pc.less(whole["pushed_back_at"], end))
    assert features.compute(some_days(), (begin, end)).equals(whole.filter(inside))


def test_an_empty_window_gives_an_empty_table_of_the_same_shape():
    begin = datetime(2012, 1, 1, tzinfo=UTC)
    empty = features.compute(some_days(), (begin, begin + timedelta(days=1)))
    assert empty.num_rows == 0
    assert empty.schema.equals(features_of_some_days().schema)


def test_the_order_of_raw_rows_does_not_matter():
    shuffled = np.random.default_rng(5).permutation(some_days()["flights"].num_rows)
    window = (datetime(2013, 11, 4, 12, tzinfo=UTC), datetime(2013, 11, 4, 18, tzinfo=UTC))
    raw = {**some_days(), "flights": some_days()["flights"].take(pa.array(shuffled))}
    assert features.compute(raw, window).equals(features.compute(some_days(), window))


def test_a_window_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        features.compute(some_days(), (datetime(2013, 1, 1), datetime(2013, 1, 2)))


def test_splits_follow_each_other_without_a_gap():
    edges = [edge for split in ("train", "validation", "holdout") for edge in features.SPLITS[split]]
    assert edges[1] == edges[2]
    assert edges[3] == edges[4]


def test_a_split_is_by_the_day_of_the_scheduled_departure():
    table = features_of_some_days()
    parts = {name: features.split(table, name) for name in features.SPLITS}
    assert sum(part.num_rows for part in parts.values()) == table.num_rows
    assert pc.max(parts["train"]["day"]).as_py() == "2013-03-13"
    assert pc.min(parts["holdout"]["day"]).as_py() == "2013-11-01"
    assert set(pc.utf8_slice_codeunits(parts["validation"]["flight_id"], 0, 10).to_pylist()) == set(
        parts["validation"]["day"].to_pylist()
    )


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_scrambling_everything_that_happens_later_leaves_the_features_bit_equal(moment: datetime):
    window = (moment, moment + timedelta(minutes=1))
    inputs = [field.name for field in features.FEATURES]
    honest = features.compute(some_days(), window)
    changed = features.compute(scrambled_from(moment, seed=moment.day), window)
    assert honest.num_rows > 0
    assert changed.select(["flight_id", *inputs]).equals(honest.select(["flight_id", *inputs]))
    assert not changed["block_deviation"].equals(honest["block_deviation"])


def scrambled_from(moment: datetime, seed: int) -> dict[str, pa.Table]:
    """Departures after ``moment``, landings and reports from it on made up; none of them becomes earlier than it."""
    chance = np.random.default_rng(seed)
    now, known = (
        events.seconds(moment),
        row_features.facts(records.columns_of(some_days()["flights"]), References.from_raw(some_days())),
    )
    gone = known["pushed_back_at"] <= now
    flights = some_days()["flights"]
    later = ~(known["landed_at"] < now)
    noise = chance.integers(1, 200, len(gone))
    columns = {
        "dep_delay": np.where(gone, known["dep_delay"], known["dep_delay"] + noise),
        "arr_delay": np.where(later, known["arr_delay"] + noise + 200, known["arr_delay"]),
        "air_time": np.where(later, known["air_time"] * 3, known["air_time"]),
    }
    for name, values in columns.items():
        kind = flights[name].type
        flights = flights.set_column(
            flights.column_names.index(name), name, pa.array(values, from_pandas=True).cast(kind)
        )
    weather = some_days()["weather"]
    hour_over = pc.add(weather["time_hour"].cast(pa.int64()), 3_600_000)
    for name in ("wind_speed", "humid", "visib", "precip"):
        values = pc.if_else(pc.greater_equal(hour_over, now * 1_000), pc.add(weather[name], 40.0), weather[name])
        weather = weather.set_column(weather.column_names.index(name), name, values)
    return {**some_days(), "flights": flights, "weather": weather}
