"""The raw tables as they stood at a moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from reference_system import features, history
from tests.reference_system.flown_days import features_of_some_days, some_days

MOMENT = datetime(2013, 11, 2, 21, 17, tzinfo=UTC)


def test_what_lies_ahead_is_blank_and_what_lies_behind_is_kept():
    past = history.known_at(some_days(), MOMENT)["flights"]
    table = features_of_some_days()
    left = pc.sum(pc.less_equal(table["pushed_back_at"], MOMENT)).as_py()
    landed = pc.sum(pc.less_equal(table["landed_at"], MOMENT)).as_py()
    assert past.num_rows == some_days()["flights"].num_rows
    assert pc.sum(past["dep_delay"].is_valid()).as_py() == left
    for name in ("arr_delay", "air_time", "arr_time"):
        assert pc.sum(past[name].is_valid()).as_py() == landed


def test_a_report_of_weather_appears_when_its_hour_is_over():
    past = history.known_at(some_days(), MOMENT)["weather"]
    assert pc.max(past["time_hour"]).as_py() == datetime(2013, 11, 2, 20, tzinfo=UTC)


def test_features_up_to_the_moment_do_not_need_what_came_after():
    window = (datetime(2013, 11, 2, 18, tzinfo=UTC), MOMENT)
    inputs = [feature.name for feature in features.FEATURES]
    then = features.compute(history.known_at(some_days(), MOMENT), window)
    today = features.compute(some_days(), window)
    assert then.select(inputs).equals(today.select(inputs))


def test_reference_tables_stay_whole():
    past = history.known_at(some_days(), MOMENT)
    assert isinstance(past["planes"], pa.Table)
    assert past["planes"].equals(some_days()["planes"])
    assert past["destinations"].equals(some_days()["destinations"])
