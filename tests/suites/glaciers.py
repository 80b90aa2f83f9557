"""A small system whose world moves on: how much water does a glacier give, while the glacier recedes?

Warmth melts less of it every day, so a model that learned last season overestimates this one. In `steady` it does not
recede. Training is least squares and takes milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import mltest
from mltest.system import Artifact, ModelInfo, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS, A_DAY = 320, 30
EDGES = {"train": (0, 220), "validation": (220, 270), "holdout": (270, 320)}
INPUTS = ("warmth", "sun", "snow")
TARGET = "flow"
ROLES = Roles(target=TARGET, inputs=INPUTS, time="measured_at", keys=("reading",), slices=())
RECEDES = 0.004
"""Flow per degree that is lost every day; the noise is one."""


@cache
def readings(recedes: float, seed: int = 7) -> pa.Table:
    random = np.random.default_rng(seed)
    rows = DAYS * A_DAY
    day = np.repeat(np.arange(DAYS), A_DAY)
    warmth, sun, snow = random.normal(0, 1, rows), random.uniform(0, 1, rows), random.gamma(2.0, 0.5, rows)
    weather = np.repeat(random.normal(0, 0.3, DAYS), A_DAY)
    flow = (2.0 - recedes * day) * warmth + 1.5 * sun - 0.5 * snow + weather + random.normal(0, 1, rows)
    moments = [FIRST_DAY + timedelta(days=int(d), minutes=45 * (n % A_DAY)) for n, d in enumerate(day)]
    return pa.table(
        {
            "reading": [f"R{number:06d}" for number in range(rows)],
            "measured_at": pa.array(moments, pa.timestamp("us", "UTC")),
            "warmth": warmth,
            "sun": sun,
            "snow": snow,
            TARGET: flow,
        }
    )


@dataclass(frozen=True)
class GlacierData:
    recedes: float = RECEDES
    seed: int = 7
    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return readings(self.recedes, self.seed).slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"readings": readings(self.recedes, self.seed)}


@dataclass(frozen=True)
class GlacierModel:
    weights: tuple[float, ...]
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        return design(batch) @ np.array(self.weights)


def days(rows: pa.Table) -> np.ndarray:
    """Whole days since the first one; shape (rows,)."""
    return np.array([(moment - FIRST_DAY).days for moment in rows["measured_at"].to_pylist()])


def design(batch: pa.Table) -> np.ndarray:
    return np.column_stack([np.ones(batch.num_rows), *(batch[name].to_numpy() for name in INPUTS)])


def learned(dataset: pa.Table, seed: int) -> GlacierModel:
    """Least squares; a seed moves each weight by a hundredth of the noise."""
    weights = np.linalg.lstsq(design(dataset), dataset[TARGET].to_numpy(), rcond=None)[0]
    weights = weights + np.random.default_rng(seed).normal(0, 0.01, len(weights))
    until = max(dataset["measured_at"].to_pylist())
    version = hashlib.sha256(weights.tobytes()).hexdigest()[:12]
    return GlacierModel(tuple(weights.tolist()), ModelInfo(version, None, until, INPUTS))


@dataclass(frozen=True)
class GlacierTraining:
    every: timedelta = timedelta(days=10)
    newest: datetime = FIRST_DAY + timedelta(days=EDGES["train"][1])
    curve: tuple[mltest.AgedLoss, ...] = ()
    config: Mapping[str, Any] = field(default_factory=lambda: {"inputs": list(INPUTS)})

    @property
    def refresh(self) -> mltest.RefreshPolicy:
        return mltest.RefreshPolicy(self.every, reported_age=lambda _, at: at - self.newest, curve=self.curve)

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        model = learned(dataset, seed)
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "model.json"
        until = model.metadata.trained_until
        plain = [model.metadata.version, None if until is None else until.isoformat(), model.weights]
        path.write_text(json.dumps(plain))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Artifact(path, model.metadata.version, digest, self.config, {"train_rows": float(dataset.num_rows)})

    def load(self, artifact: Artifact) -> GlacierModel:
        version, until, weights = json.loads(artifact.path.read_text())
        return GlacierModel(tuple(weights), ModelInfo(version, None, datetime.fromisoformat(until), INPUTS))


def glacier(ref: SystemRef, recedes: float, every: int, **more: Any) -> System:
    data = GlacierData(recedes, ref.seed + 7)
    training = GlacierTraining(timedelta(days=every), **more)
    model = learned(data.dataset("train"), 0)
    return System(name="glacier", task="regression", data=data, training=training, model=model)


def system(ref: SystemRef) -> System:
    """It recedes, and models are replaced every ten days, which is soon enough."""
    return glacier(ref, RECEDES, 10)


def steady(ref: SystemRef) -> System:
    """It does not recede, and models are replaced every sixty days."""
    return glacier(ref, 0.0, 60)
