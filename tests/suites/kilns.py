"""A small system that a search has really tuned: how hard does a brick get in the kiln?

Stochastic gradient descent on standardised inputs: a small rate does not get there, a large one keeps trembling, and
few passes end too early. The log is that of a search that was run, on validation rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import mltest
from mltest.stats.sketches import sketch
from mltest.system import Artifact, ModelInfo, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
A_DAY = 30
EDGES = {"train": (0, 80), "validation": (80, 120), "holdout": (120, 150)}
INPUTS = tuple(f"probe_{number}" for number in range(10))
TARGET = "hardness"
ROLES = Roles(target=TARGET, inputs=INPUTS, time="fired_at", keys=("brick",), slices=())
SPACE = {
    "rate": mltest.Range(1e-4, 0.2, log=True),
    "shrink": mltest.Range(1e-6, 0.1, log=True),
    "skipped": mltest.Range(0.0, 0.5),
}
BASE = {"inputs": list(INPUTS), "passes": 10, "rate": 0.01, "shrink": 1e-4, "skipped": 0.0}
TRIALS = 16


@cache
def bricks() -> pa.Table:
    random = np.random.default_rng(11)
    rows = EDGES["holdout"][1] * A_DAY
    probes = random.normal(0, 1, (rows, len(INPUTS))) @ (np.eye(10) + 0.2 * random.normal(0, 1, (10, 10)))
    hardness = probes @ random.normal(0, 2, 10) + random.normal(0, 1, rows)
    moments = [FIRST_DAY + timedelta(days=n // A_DAY, minutes=40 * (n % A_DAY)) for n in range(rows)]
    return pa.table(
        {
            "brick": [f"B{number:05d}" for number in range(rows)],
            "fired_at": pa.array(moments, pa.timestamp("us", "UTC")),
            **{name: probes[:, number] for number, name in enumerate(INPUTS)},
            TARGET: hardness,
        }
    )


@dataclass(frozen=True)
class KilnData:
    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return bricks().slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"bricks": bricks()}


@dataclass(frozen=True)
class KilnModel:
    weights: tuple[float, ...]
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        return design(batch) @ np.array(self.weights)


def design(batch: pa.Table) -> np.ndarray:
    return np.column_stack([np.ones(batch.num_rows), *(batch[name].to_numpy() for name in INPUTS)])


def descended(rows: pa.Table, config: Mapping[str, Any], seed: int) -> np.ndarray:
    """Minibatches of 32 under a rate that falls to zero; clipped, so that one far too large still gives numbers."""
    inputs, target = design(rows), rows[TARGET].to_numpy()
    random, weights = np.random.default_rng(seed), np.zeros(inputs.shape[1])
    batches = [
        batch
        for _ in range(config["passes"])
        for batch in np.array_split(random.permutation(len(target)), max(1, len(target) // 32))
    ]
    for step, batch in enumerate(batches):
        kept = inputs[batch] * (random.random((len(batch), inputs.shape[1])) >= config["skipped"])
        slope = kept.T @ (kept @ weights - target[batch]) / len(batch) + config["shrink"] * weights
        weights = weights - config["rate"] * (1.0 - step / len(batches)) * np.clip(slope, -10, 10)
    return weights


@dataclass(frozen=True)
class KilnTraining:
    config: Mapping[str, Any] = field(default_factory=lambda: {**BASE, **shipped()})

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        settings = {**self.config, **config}
        weights = descended(dataset, settings, seed)
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "model.json"
        path.write_text(json.dumps(weights.tolist()))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Artifact(path, digest[:12], digest, settings, {"train_rows": float(dataset.num_rows)})

    def load(self, artifact: Artifact) -> KilnModel:
        return KilnModel(tuple(json.loads(artifact.path.read_text())), ModelInfo(artifact.version, None, None, INPUTS))

    def search_log(self) -> mltest.SearchLog:
        return log()


@cache
def log() -> mltest.SearchLog:
    """Sixteen random settings, each judged on the validation rows."""
    random, rows = np.random.default_rng(3), KilnData().dataset("validation")
    trials = []
    for number in range(TRIALS):
        params = {
            "rate": float(np.exp(random.uniform(np.log(1e-4), np.log(0.2)))),
            "shrink": float(np.exp(random.uniform(np.log(1e-6), np.log(0.1)))),
            "skipped": float(random.uniform(0.0, 0.5)) if number % 2 else 0.0,
        }
        weights = descended(KilnData().dataset("train"), {**BASE, **params}, 0)
        value = float(np.abs(design(rows) @ weights - rows[TARGET].to_numpy()).mean())
        trials.append(mltest.SearchTrial(params, value, 0))
    return mltest.SearchLog(SPACE, trials, sketch(rows["brick"].to_pylist()), objective="mean absolute error")


@cache
def shipped() -> Mapping[str, Any]:
    """The setting of the best trial."""
    return min(log().trials, key=lambda trial: float(trial.value or 0.0)).params


def system(ref: SystemRef) -> System:
    training = KilnTraining()
    until = FIRST_DAY + timedelta(days=EDGES["train"][1])
    weights = descended(KilnData().dataset("train"), training.config, 0)
    model = KilnModel(tuple(weights.tolist()), ModelInfo("1", None, until, INPUTS))
    return System(name="kilns", task="regression", data=KilnData(), training=training, model=model)


def with_training(ref: SystemRef, training: Any) -> System:
    return replace(system(ref), training=training)
