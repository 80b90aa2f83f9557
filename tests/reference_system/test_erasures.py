"""Planes on the list: not learnt from, and taken out of the log by a name that only the key undoes."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from reference_system import erasures, features, raw, records, request_log, row_features, subjects
from reference_system.request_log import RequestLog
from tests.reference_system.flown_days import features_of_some_days, some_days
from tests.reference_system.test_request_log import row


def test_flights_of_listed_planes_are_left_out_and_all_others_stay() -> None:
    rows, tables = features_of_some_days(), some_days()
    busy = tables["flights"]["tailnum"].drop_null().value_counts().to_pylist()[0]["values"]
    kept = erasures.without_erased(rows, {**tables, "erasures": pa.table({"tailnum": [busy, "N0NE"]})})
    flown = tables["flights"].filter(pc.equal(tables["flights"]["tailnum"], busy))
    theirs = set(row_features.flight_ids(records.columns_of(flown)).tolist())
    gone = set(rows["flight_id"].to_pylist()) - set(kept["flight_id"].to_pylist())
    assert gone == theirs & set(rows["flight_id"].to_pylist())
    assert gone
    none = {**tables, "erasures": pa.table({"tailnum": pa.array([], pa.string())})}
    assert erasures.without_erased(rows, none).equals(rows)


def test_the_list_that_is_shipped_names_planes_that_flew() -> None:
    tables = raw.load()
    listed = tables["erasures"]["tailnum"].to_pylist()
    assert set(listed) <= set(tables["flights"]["tailnum"].to_pylist())
    days = features.training_rows(features_of_some_days(), date(2013, 1, 1))
    assert erasures.without_erased(days, tables).num_rows <= days.num_rows


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = subjects.key_of(tmp_path / "home")
    assert subjects.key_of(tmp_path / "home") == key
    assert stat.S_IMODE((tmp_path / "home" / subjects.KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == [subjects.KEY_FILE]
    assert subjects.key_of(tmp_path / "other") != key


def test_a_pseudonym_follows_from_key_and_plane_and_says_neither() -> None:
    assert subjects.pseudonym(b"k", "N14228") == subjects.pseudonym(b"k", "N14228")
    assert subjects.pseudonym(b"k", "N14228") != subjects.pseudonym(b"other", "N14228")
    assert subjects.pseudonym(b"k", "N14228") != subjects.pseudonym(b"k", "N14229")
    assert "14228" not in str(subjects.pseudonym(b"k", "N14228"))
    assert subjects.pseudonym(b"k", None) is None


def test_a_subject_is_erased_from_every_file_and_the_log_goes_on(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "logs")
    earlier = tmp_path / "logs" / "requests-1.jsonl"
    log.write([row(1, subject="a"), row(2, subject="b"), row(3, subject="a")])
    earlier.write_text(log.path.read_text() + '{"flight_id": "ha')
    assert log.erase("a") == 4
    log.write([row(4, subject="b")])
    log.close()
    assert request_log.read(tmp_path / "logs")["flight_id"].to_pylist() == ["f2", "f2", "f4"]
    assert earlier.read_text().endswith('{"flight_id": "ha')
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
