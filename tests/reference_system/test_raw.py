"""The raw tables: what is read, what is refused, and which published values are set aside."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from reference_system import raw
from tests.reference_system.flown_days import whole_year


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(raw.FOLDER, tmp_path / "data")


def test_the_year_is_complete():
    assert {name: table.num_rows for name, table in whole_year().items()} == {
        "flights": 336_776,
        "weather": 26_115,
        "planes": 3_322,
        "destinations": 105,
        "erasures": 2,
    }


def test_every_table_has_its_declared_columns():
    assert {name: tuple(table.column_names) for name, table in whole_year().items()} == dict(raw.COLUMNS)


def test_every_destination_flown_to_has_a_time_zone():
    known = set(whole_year()["destinations"]["dest"].to_pylist())
    assert set(whole_year()["flights"]["dest"].to_pylist()) == known


def test_quarantined_cells_are_null_and_no_other_cell_differs_from_the_published_one():
    published, loaded = raw.read(raw.FOLDER)["weather"], whole_year()["weather"]
    lost = {
        name: pc.sum(pc.and_(loaded[name].is_null(), published[name].is_valid())).as_py()
        for name in published.column_names
    }
    assert {name: count for name, count in lost.items() if count} == {"wind_speed": 1, "temp": 1, "dewp": 1}
    for name in published.column_names:
        kept = loaded[name].is_valid()
        assert loaded[name].filter(kept).equals(published[name].filter(kept))


@pytest.mark.parametrize("cell", raw.QUARANTINE, ids=lambda cell: f"{cell.table}-{cell.column}")
def test_each_quarantined_cell_names_one_published_value_and_why_it_is_wrong(cell: raw.QuarantinedCell):
    rows = [
        row
        for row in raw.read(raw.FOLDER)[cell.table].to_pylist()
        if all(row[name] == value for name, value in cell.key.items())
    ]
    assert len(rows) == 1
    assert rows[0][cell.column] is not None
    assert len(cell.reason) > 20


def test_a_sample_can_be_taken_by_origin_and_by_time():
    sample = raw.load(origins=("LGA",), until=date(2013, 2, 1))
    assert set(sample["flights"]["origin"].to_pylist()) == {"LGA"}
    assert set(sample["weather"]["origin"].to_pylist()) == {"LGA"}
    assert pc.max(sample["flights"]["date"]).as_py() == date(2013, 1, 31)
    assert pc.max(sample["weather"]["time_hour"]).as_py() < datetime(2013, 2, 1, tzinfo=UTC)
    assert sample["planes"].num_rows == 3_322


def test_a_missing_file_is_named_with_its_remedy_in_one_line(folder: Path):
    (folder / "weather.parquet").unlink()
    with pytest.raises(raw.DataError, match=r"weather\.parquet: file not found; run .*rebuild\.py") as caught:
        raw.load(folder)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_parquet_is_named_in_one_line(folder: Path):
    (folder / "planes.parquet").write_text("tailnum,year\nN1,2000\n")
    with pytest.raises(raw.DataError, match=r"planes\.parquet: not a readable parquet file") as caught:
        raw.load(folder)
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_named(folder: Path):
    path = folder / "flights.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["dep_delay"]), path)
    with pytest.raises(raw.DataError, match=r"flights\.parquet: column 'dep_delay' is missing"):
        raw.load(folder)


def test_setting_aside_a_row_that_is_not_there_changes_nothing():
    tables = {"weather": pa.table({"origin": ["EWR"], "wind_speed": [4.6]})}
    cell = raw.QuarantinedCell("weather", {"origin": "JFK"}, "wind_speed", "for the test")
    assert raw.without_quarantined(tables, [cell])["weather"].equals(tables["weather"])
