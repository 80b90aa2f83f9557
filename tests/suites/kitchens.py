"""A small system whose answers are acted on: by how many minutes does an order miss its usual time?

A courier comes a minute and a half before the predicted one. Orders that are ready later make the courier wait, earlier
ones grow cold, which counts twice. Labels come half an hour after the order was ready; cancelled orders never have one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.offers.impact import OfflineMetric, OnlineImpact
from mltest.system import Artifact, ModelInfo, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
A_DAY = 60
EDGES = {"train": (0, 100), "validation": (100, 150), "holdout": (150, 220)}
DISHES = tuple(f"dish{number:02d}" for number in range(24))
NUMBERS = ("queue", "size", "rain", "hour")
INPUTS = (*NUMBERS, "dish")
TARGET = "minutes_off"
ROLES = Roles(target=TARGET, inputs=INPUTS, time="ordered_at", keys=("order",))
CANCELLED = 0.03


@cache
def orders(seed: int) -> pa.Table:
    """Two hundred and twenty days of sixty orders; queue in orders, size in dishes, the target in minutes."""
    random = np.random.default_rng(seed)
    rows = EDGES["holdout"][1] * A_DAY
    queue, size = random.poisson(6, rows).astype(float), random.integers(1, 9, rows).astype(float)
    rain, hour = random.gamma(1.0, 2.0, rows), random.uniform(10, 22, rows)
    dish = random.choice(len(DISHES), rows)
    slow = np.repeat(random.normal(0, 1.0, rows // A_DAY), A_DAY)
    effect = np.random.default_rng(99).normal(0, 4.0, len(DISHES))
    off = 1.2 * (queue - 6) + 0.9 * (size - 4.5) + 0.5 * (rain - 2) + effect[dish] + slow + random.normal(0, 3.0, rows)
    return pa.table(
        {
            "order": [f"O{number:06d}" for number in range(rows)],
            "ordered_at": pa.array(
                [FIRST_DAY + timedelta(days=n // A_DAY, minutes=15 * (n % A_DAY)) for n in range(rows)],
                pa.timestamp("us", "UTC"),
            ),
            "queue": queue,
            "size": size,
            "rain": rain,
            "hour": hour,
            "dish": [DISHES[number] for number in dish],
            TARGET: pa.array(off, mask=random.random(rows) < CANCELLED),
        }
    )


def span(seed: int, split: str) -> pa.Table:
    begin, end = EDGES[split]
    return orders(seed).slice(begin * A_DAY, (end - begin) * A_DAY)


@dataclass(frozen=True)
class KitchenData:
    """Orders with an outcome."""

    roles: Roles = ROLES
    seed: int = 3
    schema: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, split: str) -> pa.Table:
        rows = span(self.seed, split)
        return rows.filter(pc.is_valid(rows[TARGET]))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"orders": orders(self.seed)}


@dataclass(frozen=True)
class KitchenModel:
    """Ridge regression on what `inputs` names."""

    inputs: tuple[str, ...]
    weights: np.ndarray
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(design(batch, self.inputs) @ self.weights, dtype=np.float64)


def design(batch: pa.Table, inputs: tuple[str, ...]) -> np.ndarray:
    columns = [np.ones(batch.num_rows)]
    for name in inputs:
        if name == "dish":
            codes = pc.index_in(batch[name], pa.array(DISHES)).to_numpy()
            columns += list((codes[:, None] == np.arange(len(DISHES))).T.astype(np.float64))
        else:
            columns.append(batch[name].to_numpy())
    return np.column_stack(columns)


def fitted(rows: pa.Table, inputs: tuple[str, ...] = INPUTS) -> KitchenModel:
    matrix, target = design(rows, inputs), rows[TARGET].to_numpy()
    penalty = np.eye(matrix.shape[1])
    penalty[0, 0] = 0.0
    return KitchenModel(inputs, np.linalg.solve(matrix.T @ matrix + penalty, matrix.T @ target))


def mean_error(model: Any, rows: pa.Table) -> float:
    return float(np.abs(model.predict(rows) - rows[TARGET].to_numpy()).mean())


@dataclass(frozen=True)
class KitchenTraining:
    seed: int = 3
    config: Mapping[str, Any] = field(default_factory=lambda: {"inputs": list(INPUTS)})

    @property
    def offline_metric(self) -> OfflineMetric:
        return OfflineMetric("mae", "lower", lambda: KitchenData(seed=self.seed).dataset("validation"), mean_error)

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        settings = {**self.config, **config}
        model = fitted(dataset, tuple(settings["inputs"]))
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "weights.npy"
        np.save(path, model.weights)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Artifact(path, "1", digest, settings, {"train_mae": mean_error(model, dataset)})

    def load(self, artifact: Artifact) -> KitchenModel:
        return KitchenModel(tuple(artifact.config["inputs"]), np.load(artifact.path))


def waited(predicted: np.ndarray, happened: np.ndarray) -> np.ndarray:
    after = happened - (predicted - 1.5)
    return np.maximum(after, 0.0) + 2.0 * np.maximum(-after, 0.0)


@dataclass(frozen=True)
class KitchenLabels:
    seed: int = 3
    impact: OnlineImpact = field(default_factory=lambda: OnlineImpact("minutes_waited", "lower", True, waited))

    def arrived(self, at: datetime) -> pa.Table:
        rows = orders(self.seed)
        rows = rows.filter(pc.is_valid(rows[TARGET]))
        ready = pc.add(rows["ordered_at"], pa.scalar(timedelta(minutes=75), pa.duration("us")))
        came = rows.select(["order", TARGET]).append_column("arrived_at", ready)
        return came.filter(pc.less_equal(ready, pa.scalar(at, ready.type)))

    def requests(self) -> pa.Table:
        return span(self.seed, "holdout").drop_columns([TARGET])

    def joined(self, answers: pa.Table, at: datetime) -> pa.Table:
        return answers.join(self.arrived(at), keys="order", join_type="inner")


def of_seed(seed: int) -> System:
    data = KitchenData(seed=seed)
    return System(
        name="kitchens",
        task="regression",
        data=data,
        model=fitted(data.dataset("train")),
        training=KitchenTraining(seed),
        labels=KitchenLabels(seed),
    )


def drawn(ref: SystemRef) -> System:
    """The healthy system with the orders of that seed."""
    return of_seed(1_000 + ref.seed)


def system(ref: SystemRef) -> System:
    return of_seed(3)


def without_impact(ref: SystemRef) -> System:
    class Plain:
        def arrived(self, at: datetime) -> pa.Table:
            return KitchenLabels().arrived(at)

    return replace(system(ref), labels=Plain())
