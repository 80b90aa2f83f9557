"""Raw rows as columns, the same from a table and from dictionaries."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from reference_system import records
from tests.reference_system.flown_days import some_days

REPORT = {"origin": "EWR", "time_hour": "2013-11-01T05:00:00+00:00", "temp": 50.0}


def test_a_table_and_its_rows_as_dictionaries_give_the_same_columns():
    table = some_days()["flights"].slice(0, 300)
    from_table, from_rows = records.columns_of(table), records.columns_of_records(table.to_pylist())
    assert set(from_table) == set(from_rows)
    for name, column in from_table.items():
        np.testing.assert_array_equal(column, from_rows[name])


def test_a_date_may_be_iso_text():
    row = {**some_days()["flights"].slice(0, 1).to_pylist()[0], "date": "2013-02-22"}
    assert records.columns_of_records([row])["date"][0] == np.datetime64(date(2013, 2, 22))


def test_what_is_not_known_yet_may_be_left_out_of_a_record():
    row = some_days()["flights"].slice(0, 1).to_pylist()[0]
    known = {
        name: value for name, value in row.items() if name not in ("arr_delay", "air_time", "tailnum", "dep_delay")
    }
    columns = records.columns_of_records([known])
    assert np.isnan(columns["dep_delay"]).all()
    assert columns["tailnum"].tolist() == [None]


def test_a_record_without_a_carrier_is_refused():
    row = some_days()["flights"].slice(0, 1).to_pylist()[0]
    del row["carrier"]
    with pytest.raises(KeyError, match="carrier"):
        records.columns_of_records([row])


def test_a_report_of_weather_may_come_as_text_with_gaps():
    table = records.weather_table([REPORT])
    assert table["time_hour"].to_pylist() == [datetime(2013, 11, 1, 5, tzinfo=UTC)]
    assert table["temp"].to_pylist() == [50.0]
    assert table["pressure"].to_pylist() == [None]


def test_a_report_in_another_zone_means_the_same_instant():
    there = records.weather_table([{**REPORT, "time_hour": "2013-11-01T01:00:00-04:00"}])
    assert there["time_hour"].cast(pa.int64()).equals(records.weather_table([REPORT])["time_hour"].cast(pa.int64()))


def test_a_report_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        records.weather_table([{**REPORT, "time_hour": "2013-11-01T05:00:00"}])
