"""What stays on record: runs in MLflow, training rows in Delta Lake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from reference_system import artifact, tracking, versions
from reference_system.artifact import Artifact


def test_a_run_records_parameters_metrics_and_where_the_data_is(trained: Artifact, tmp_path: Path) -> None:
    uncertain = replace(trained, metrics={**trained.metrics, "validation_mae": float("nan")})
    run = tracking.record(tmp_path, uncertain, {"data_version": "3"})
    found = tracking.runs(tmp_path)
    assert [entry["id"] for entry in found] == [run]
    assert found[0]["params"]["epochs"] == "3"
    assert found[0]["params"]["seed"] == "7"
    assert found[0]["metrics"]["train_loss"] == pytest.approx(trained.metrics["train_loss"])
    assert found[0]["tags"]["data_version"] == "3"
    assert found[0]["tags"]["digest"] == trained.digest
    assert found[0]["tags"]["data_digest"] == artifact.manifest_of(trained.path)["data_digest"]
    assert found[0]["tags"]["not_a_number"] == "validation_mae"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db"]


def test_data_versions_can_be_travelled_back_to(flights: pa.Table, tmp_path: Path) -> None:
    first, fewer = flights, flights.slice(0, 100)
    assert versions.commit(tmp_path, first) == 0
    assert versions.commit(tmp_path, fewer) == 1
    assert versions.read(tmp_path, 0).sort_by("flight_id").equals(first.sort_by("flight_id"))
    assert versions.read(tmp_path, 1).num_rows == 100


def test_unchanged_data_keeps_its_version_and_a_new_column_makes_one(flights: pa.Table, tmp_path: Path) -> None:
    few = flights.slice(0, 50)
    assert versions.commit(tmp_path, few) == versions.commit(tmp_path, few) == 0
    assert versions.commit(tmp_path, few.append_column("extra", pa.array(range(50)))) == 1


def test_a_version_that_never_was_is_an_error(flights: pa.Table, tmp_path: Path) -> None:
    versions.commit(tmp_path, flights.slice(0, 5))
    with pytest.raises(KeyError, match="no version 7"):
        versions.read(tmp_path, 7)
