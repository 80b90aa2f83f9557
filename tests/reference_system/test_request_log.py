from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reference_system import request_log
from reference_system.catalogue import FEATURES
from reference_system.request_log import RequestLog

NOON = datetime(2013, 11, 5, 12, tzinfo=UTC)


def row(minute: int, **changes: Any) -> dict[str, Any]:
    features = {item.name: 1.5 if item.dtype == "float" else "x" for item in FEATURES}
    moment = NOON + timedelta(minutes=minute)
    answer = {"flight_id": f"f{minute}", "as_of": moment, "version": "v", "source": "model", "prediction": -3.0}
    return {**answer, "p10": None, "p90": float("nan"), **features, **changes}


def test_what_is_written_can_be_read_with_every_feature(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)
    log.write([row(5), row(1, plane_age=None)])
    found = request_log.read(tmp_path)
    assert found.column("flight_id").to_pylist() == ["f1", "f5"]
    assert found.column("as_of").to_pylist() == [NOON + timedelta(minutes=1), NOON + timedelta(minutes=5)]
    assert found.column("plane_age").to_pylist() == [None, 1.5]
    assert found.column("p90").null_count == 2
    assert set(found.column_names) >= {item.name for item in FEATURES}
    log.close()


def test_only_moments_from_since_on_are_read(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)
    log.write([row(minute) for minute in range(6)])
    log.close()
    assert request_log.read(tmp_path, NOON + timedelta(minutes=4)).column("flight_id").to_pylist() == ["f4", "f5"]


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)
    log.write([row(1)])
    log.close()
    with log.path.open("a") as stream:
        stream.write('{"flight_id": "ha')
    assert request_log.read(tmp_path).num_rows == 1


def test_a_folder_without_requests_gives_an_empty_table_of_the_same_shape(tmp_path: Path) -> None:
    assert request_log.read(tmp_path).schema == request_log.SCHEMA


def test_text_from_outside_stays_one_line(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)
    log.write([row(1, carrier="A\n\x1b[31m\u2028")])
    log.close()
    assert request_log.read(tmp_path).column("carrier").to_pylist() == ["A\n\x1b[31m\u2028"]
    assert log.path.read_text().count("\n") == 1


def test_a_row_without_the_schema_cannot_hide(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)
    with pytest.raises(TypeError):
        log.write([row(1, carrier={1, 2})])
    log.close()
