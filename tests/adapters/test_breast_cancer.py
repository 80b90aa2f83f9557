"""The system that a manifest describes by files alone, from end to end."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from sklearn.metrics import roc_auc_score

from mltest import tables
from mltest.construction import black_box
from mltest.manifest import find, load
from mltest.system import System, SystemRef

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "systems" / "breast_cancer"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    manifest = load(FOLDER / "mltest.toml")
    return black_box(manifest, SystemRef(str(manifest.path), FOLDER, tmp_path_factory.mktemp("work")))


@pytest.fixture(scope="module")
def holdout(system: System) -> pa.Table:
    assert system.data is not None
    return tables.to_arrow(system.data.dataset("holdout"))


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("breast_cancer_build", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_found_from_its_own_folder_and_needs_no_python() -> None:
    assert find(FOLDER) == FOLDER / "mltest.toml"
    assert load(FOLDER / "mltest.toml").system is None


def test_it_offers_data_and_a_model_and_nothing_else(system: System) -> None:
    assert system.parts() == ("data", "model")
    assert (system.name, system.task, system.experiments) == ("breast-cancer", "binary", False)


def test_its_digests_are_those_of_its_files(system: System) -> None:
    named = {"model": ["model.onnx"], "data": ["training.parquet", "holdout.parquet"], "config": ["mltest.toml"]}
    content = {key: b"".join((FOLDER / name).read_bytes() for name in names) for key, names in named.items()}
    assert system.digests == {key: hashlib.sha256(value).hexdigest() for key, value in content.items()}
    assert system.model is not None
    assert system.model.metadata.digest == system.digests["model"]


def test_the_model_reads_every_input_and_none_of_the_other_columns(system: System) -> None:
    assert system.data is not None
    assert system.model is not None
    assert system.model.metadata.inputs == system.data.roles.inputs
    assert len(system.data.roles.inputs) == 30


def test_its_scores_order_unseen_tumours_well(system: System, holdout: pa.Table) -> None:
    assert system.model is not None
    scores = system.model.predict(holdout)
    assert scores.shape == (228,)
    assert roc_auc_score(holdout["malignant"].to_numpy(), scores) > 0.97


def test_no_tumour_is_in_both_tables(system: System, holdout: pa.Table) -> None:
    assert system.data is not None
    training = tables.to_arrow(system.data.dataset("train"))
    assert not set(training["sample_id"].to_pylist()) & set(holdout["sample_id"].to_pylist())
    assert training.num_rows + holdout.num_rows == 569


def test_building_it_again_gives_the_same_rows_and_model(builder: ModuleType, holdout: pa.Table) -> None:
    rows, names = builder.rows()
    training, held_out = builder.split(rows)
    assert held_out.equals(parquet.read_table(FOLDER / "holdout.parquet"))
    assert hashlib.sha256(builder.model(training, names)).digest() == _digest(FOLDER / "model.onnx")


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def test_its_schema_covers_every_input_and_holds_for_all_rows(system: System) -> None:
    assert system.data is not None
    schema = system.data.schema["dataset"]
    assert tables.coverage(schema, system.data.roles.inputs).share == 1
    for split in ("train", "holdout"):
        found = tables.violations(system.data.dataset(split), schema)
        assert [entry for entry in found if entry.count] == []
        assert all(entry.looked for entry in found)


def _mutants(batch: pa.Table, column: str) -> Iterator[pa.Table]:
    position, values = batch.column_names.index(column), batch[column].to_numpy()
    some = np.arange(len(values)) < len(values) // 5
    yield batch.drop_columns([column])
    for changed in (
        pa.array([None if hidden else value for hidden, value in zip(some, values, strict=True)]),
        pa.array(np.where(some, np.nan, values)),
        pa.array(values * 1.609),
        pa.array((values - 32) * 5 / 9),
        pa.array([str(value) for value in values]),
        pa.array(np.where(np.arange(len(values)) == 7, 1e6, values)),
    ):
        yield batch.set_column(position, column, changed)


def test_its_schema_kills_nine_of_ten_mutants(system: System, holdout: pa.Table) -> None:
    assert system.data is not None
    schema, killed = system.data.schema["dataset"], []
    for column in system.data.roles.inputs[::3]:
        for mutant in _mutants(holdout, column):
            killed.append(any(found.count for found in tables.violations(mutant, schema, columns=[column])))
    assert len(killed) == 70
    assert np.mean(killed) >= 0.9
