"""Training: same rows, configuration and seed give the same bytes, anywhere; what cannot be learned from is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reference_system import artifact, evaluation, training
from reference_system.artifact import Artifact
from reference_system.config import ConfigError
from reference_system.encoding import InputError
from reference_system.runtime import Predictor

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from reference_system.training import train
rows = pq.read_table(sys.argv[1])
inputs = ("distance", "departure_delay", "plane_age", "carrier", "dest")
config = {"inputs": inputs, "epochs": 3, "batch_size": 256, "learning_rate": 1e-2}
print(train(rows, seed=7, config=config, workdir=Path(sys.argv[2])).digest)
"""


def test_two_processes_with_other_hash_seeds_threads_and_row_orders_train_the_same_bytes(
    flights: pa.Table, trained: Artifact, tmp_path: Path
) -> None:
    shuffled = flights.take(pa.array(np.random.default_rng(3).permutation(flights.num_rows)))
    pq.write_table(shuffled, tmp_path / "rows.parquet", row_group_size=700)
    found = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "rows.parquet"), str(tmp_path / "out")],
        env={**os.environ, "PYTHONHASHSEED": "4242", "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == trained.digest


def test_another_seed_gives_another_model(flights: pa.Table, trained: Artifact, quick_training: Any, tmp_path: Path):
    assert quick_training(flights, tmp_path, seed=8).digest != trained.digest


def test_a_training_leaves_the_chance_of_its_caller_alone(flights: pa.Table, quick_training: Any, tmp_path: Path):
    import torch

    torch.manual_seed(1)
    undisturbed = torch.rand(3)
    torch.manual_seed(1)
    quick_training(flights.slice(0, 600), tmp_path, epochs=1)
    assert torch.equal(torch.rand(3), undisturbed)


def test_the_net_learns_what_a_constant_cannot(trained: Artifact, later_flights: pa.Table) -> None:
    rows, outcome = evaluation.labelled(later_flights, "block_deviation")
    error = np.abs(Predictor.of(trained).predict(rows) - outcome).mean()
    assert error < 0.6 * np.abs(outcome - np.median(outcome)).mean()


def test_rows_without_an_outcome_are_counted_and_not_learned_from(flights: pa.Table, trained: Artifact) -> None:
    unknown = flights.column("block_deviation").null_count
    assert unknown > 0
    assert trained.metrics["unlabelled_rows"] == unknown
    assert trained.metrics["train_rows"] == flights.num_rows - unknown


def test_the_manifest_names_seed_data_environment_and_last_moment(trained: Artifact, flights: pa.Table) -> None:
    manifest = artifact.manifest_of(trained.path)
    assert manifest["seed"] == 7
    assert len(manifest["data_digest"]) == len(manifest["environment_digest"]) == 64
    assert set(manifest["environment"]) >= {"python", "torch", "numpy", "onnxruntime"}
    assert manifest["trained_until"].startswith("2013-02-19")
    assert manifest["config"]["inputs"] == ["distance", "departure_delay", "plane_age", "carrier", "dest"]


def test_other_labels_show_in_the_data_digest(
    flights: pa.Table, trained: Artifact, quick_training: Any, tmp_path: Path
) -> None:
    index = flights.schema.get_field_index("block_deviation")
    moved = pa.array(flights.column("block_deviation").to_numpy() + 1.0, from_pandas=True)
    other = quick_training(flights.set_column(index, "block_deviation", moved), tmp_path)
    digests = [artifact.manifest_of(found.path)["data_digest"] for found in (trained, other)]
    assert digests[0] != digests[1]


def test_validation_rows_are_measured(flights: pa.Table, later_flights: pa.Table, quick: dict, tmp_path: Path) -> None:
    made = training.train(flights, seed=1, config=quick, workdir=tmp_path, validation=later_flights)
    rows, outcome = evaluation.labelled(later_flights, "block_deviation")
    error = np.abs(Predictor.of(made).predict(rows) - outcome).mean()
    assert made.metrics["validation_mae"] == pytest.approx(error)
    assert 0.7 < made.metrics["validation_coverage"] < 0.9


def test_an_extra_column_becomes_an_input_by_its_type(flights: pa.Table, quick: dict, tmp_path: Path) -> None:
    noise = pa.array(np.random.default_rng(0).normal(size=flights.num_rows))
    colour = pa.array(["red", "blue"] * (flights.num_rows // 2))
    wider = flights.append_column("noise", noise).append_column("colour", colour)
    made = training.train(
        wider, seed=1, config={**quick, "inputs": (*quick["inputs"], "noise", "colour")}, workdir=tmp_path
    )
    encoding = Predictor.of(made).encoding
    assert "noise" in [column.name for column in encoding.numbers]
    assert "colour" in [column.name for column in encoding.categories]


def test_an_unknown_key_is_refused_with_the_nearest_name(flights: pa.Table, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown key 'epoch', did you mean 'epochs'"):
        training.train(flights, seed=1, config={"epoch": 3}, workdir=tmp_path)


def test_a_column_that_is_not_there_is_named(flights: pa.Table, quick: dict, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'dest' is missing"):
        training.train(flights.drop_columns(["dest"]), seed=1, config=quick, workdir=tmp_path)


def test_infinite_labels_and_tables_without_labels_are_refused(flights: pa.Table, quick: dict, tmp_path: Path) -> None:
    index = flights.schema.get_field_index("block_deviation")
    infinite = pa.array(np.full(flights.num_rows, np.inf))
    with pytest.raises(InputError, match="infinite"):
        training.train(flights.set_column(index, "block_deviation", infinite), seed=1, config=quick, workdir=tmp_path)
    with pytest.raises(training.TrainingError, match="0 rows have a value"):
        training.train(flights.slice(0, 0), seed=1, config=quick, workdir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_gives_no_model(flights: pa.Table, quick: dict, tmp_path: Path) -> None:
    with pytest.raises(training.TrainingError, match="lower learning_rate"):
        training.train(flights, seed=1, config={**quick, "learning_rate": 1e30}, workdir=tmp_path)
    assert not list(tmp_path.iterdir())
