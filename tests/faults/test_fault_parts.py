"""Wrappers exchange one aspect of a part and pass everything else on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mltest.faults.parts import ExchangedData, ExchangedServing, ExchangedTraining, exchanged_model
from mltest.system import Artifact, System
from tests.faults import synthetic_system


def halved(rows: pa.Table) -> pa.Table:
    return rows.slice(0, rows.num_rows // 2)


def test_an_aspect_that_is_not_exchanged_is_the_very_object_of_the_wrapped_part() -> None:
    inner = synthetic_system.ParcelData()
    assert ExchangedData(inner).roles is inner.roles
    tables = {"parcels": synthetic_system.parcels()}
    inner.raw = lambda window=None: tables  # type: ignore[method-assign]
    assert ExchangedData(inner).raw() is tables


def test_what_lies_beyond_the_protocol_is_passed_on_and_what_is_missing_stays_missing() -> None:
    inner: Any = synthetic_system.ParcelData()
    inner.delta_version = 7
    assert ExchangedData(inner).delta_version == 7
    with pytest.raises(AttributeError):
        _ = ExchangedData(inner).nothing_of_that_name


def test_a_split_that_does_not_exist_is_still_a_key_error() -> None:
    data = ExchangedData(synthetic_system.ParcelData(), rows=lambda _, rows: halved(rows))
    with pytest.raises(KeyError):
        data.dataset("tomorrow")  # type: ignore[arg-type]


def test_faults_stack_and_the_inner_training_gets_what_all_of_them_left() -> None:
    training = ExchangedTraining(ExchangedTraining(synthetic_system.ParcelTraining(), before=halved), before=halved)
    rows = synthetic_system.parcels()
    assert training.handed_over(rows).num_rows == rows.num_rows // 4


def test_a_changed_configuration_reaches_the_training_and_the_caller_still_wins(tmp_path: Path) -> None:
    training = ExchangedTraining(synthetic_system.ParcelTraining(), configured=lambda c: {**c, "passes": 1})
    rows = synthetic_system.parcels()
    assert training.config["passes"] == 1
    assert training.train(rows, seed=0, config={}, workdir=tmp_path).config["passes"] == 1
    assert training.train(rows, seed=0, config={"passes": 2}, workdir=tmp_path).config["passes"] == 2


def test_a_training_that_raises_still_raises_unless_it_is_rescued(tmp_path: Path) -> None:
    broken = pa.table({"depot": ["Aa"]})
    with pytest.raises(KeyError):
        ExchangedTraining(synthetic_system.ParcelTraining()).train(broken, seed=0, config={}, workdir=tmp_path)
    last_good = Artifact(tmp_path, "0", "", {}, {})
    rescued = ExchangedTraining(synthetic_system.ParcelTraining(), rescued=lambda error, folder: last_good)
    assert rescued.train(broken, seed=0, config={}, workdir=tmp_path) is last_good


def test_a_model_with_a_trace_keeps_it_and_one_without_gets_none(parcels: System) -> None:
    assert parcels.model is not None

    class Untraced:
        metadata = parcels.model.metadata

        def predict(self, batch: pa.Table) -> Any:
            return [0.0] * batch.num_rows

    assert hasattr(exchanged_model(parcels.model), "trace")
    assert not hasattr(exchanged_model(Untraced()), "trace")


def test_a_server_starts_with_the_version_that_the_fault_chooses(tmp_path: Path) -> None:
    started: list[str | None] = []

    class Recorder(synthetic_system.ParcelServing):
        def start(self, workdir: Path, *, version: str | None = None, as_of: Any = None) -> Any:
            started.append(version)
            return super().start(workdir, version=version, as_of=as_of)

    serving = ExchangedServing(Recorder(synthetic_system.ParcelModel(None, ())), versioned=lambda _: "older")  # type: ignore[arg-type]
    with serving.start(tmp_path, version="newest") as handle:
        assert handle.url == "http://127.0.0.1:1"
    assert started == ["older"]
