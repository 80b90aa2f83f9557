"""Trainings are made once for the same rows, configuration, seed, faults and code, and again for any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mltest.probes.kept_trainings import KeptTrainings
from mltest.system import Artifact, FaultRef, SystemRef

ROWS = pa.table({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})


class Counted:
    """A training that counts how often it is run."""

    config: Mapping[str, Any] = {"inputs": ["x"]}

    def __init__(self) -> None:
        self.runs = 0

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        self.runs += 1
        path = workdir / "model.txt"
        path.write_text(f"{self.runs}")
        return Artifact(path, "1", "0" * 64, dict(config), {})

    def load(self, artifact: Artifact) -> Any:
        return artifact.path.read_text()


@pytest.fixture
def ref(tmp_path: Path) -> SystemRef:
    root = tmp_path / "root"
    root.mkdir()
    (root / "own_code.py").write_text("X = 1\n")
    return SystemRef("tests.suites.ferries:system", root, tmp_path / "work", cache=tmp_path / "cache")


def test_the_same_training_is_found_again_and_its_artefact_still_loads(ref: SystemRef) -> None:
    training = Counted()
    first = KeptTrainings(ref, training).train(ROWS, seed=1)
    trainings = KeptTrainings(ref, training)
    second = trainings.train(ROWS, seed=1)
    assert (training.runs, first.kept, second.kept) == (1, False, True)
    assert trainings.model(second) == "1"
    assert trainings.tally == "1 trainings, 1 of them kept from an earlier run, 0.0 s for the others"


@pytest.mark.parametrize(
    "other",
    [
        {"rows": ROWS.slice(0, 2)},
        {"rows": ROWS.take(pa.array([2, 1, 0]))},
        {"rows": ROWS.rename_columns(["x", "z"])},
        {"seed": 2},
        {"config": {"epochs": 1}},
    ],
)
def test_other_rows_another_order_seed_or_configuration_train_anew(ref: SystemRef, other: dict[str, Any]) -> None:
    training = Counted()
    KeptTrainings(ref, training).train(ROWS, seed=1)
    asked = {"rows": ROWS, "seed": 1, **other}
    assert not KeptTrainings(ref, training).train(asked.pop("rows"), **asked).kept


def test_a_faulted_system_never_finds_what_the_healthy_one_trained(ref: SystemRef) -> None:
    training = Counted()
    KeptTrainings(ref, training).train(ROWS, seed=1)
    faulted = replace(ref, faults=(FaultRef("O-M5-a", 0.6, "mltest.faults.operators_training"),))
    assert not KeptTrainings(faulted, training).train(ROWS, seed=1).kept


def test_changed_code_below_the_root_trains_anew(ref: SystemRef) -> None:
    from mltest.probes import kept_trainings

    training = Counted()
    KeptTrainings(ref, training).train(ROWS, seed=1)
    kept_trainings._code_of.cache_clear()
    (ref.root / "own_code.py").write_text("X = 2\n")
    assert not KeptTrainings(ref, training).train(ROWS, seed=1).kept


def test_without_a_cache_every_training_is_made(ref: SystemRef) -> None:
    training = Counted()
    trainings = KeptTrainings(replace(ref, cache=None), training)
    assert not trainings.train(ROWS, seed=1).kept
    assert not trainings.train(ROWS, seed=1).kept
    assert training.runs == 2
