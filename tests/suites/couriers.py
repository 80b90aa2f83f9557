"""A small system with every stage from raw rows to a server: how long will a delivery take?

Its training is a plain stochastic gradient descent, so that seed, order of rows and rows themselves all matter.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import Artifact, FeatureInfo, Judgement, ModelInfo, RawColumn, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
DAYS, A_DAY = 60, 60
COURIERS = ("AK", "BZ", "CT", "DM", "EV")
NUMBERS = ("distance", "load")
INPUTS = (*NUMBERS, "courier")
TARGET = "minutes"
ROLES = Roles(
    target=TARGET,
    inputs=INPUTS,
    time="at",
    keys=("delivery_id",),
    groups=("courier",),
    entity=RawColumn("deliveries", "courier"),
    outcome=RawColumn("deliveries", TARGET),
)


def deliveries() -> pa.Table:
    """Sixty days of deliveries, sixty a day."""
    random = np.random.default_rng(7)
    rows = DAYS * A_DAY
    distance, load = random.gamma(4.0, 2.0, rows), random.integers(1, 9, rows).astype(float)
    courier = random.integers(0, len(COURIERS), rows)
    minutes = 5 + 3 * distance + 1.5 * load + 2.0 * courier + random.normal(0, 2, rows)
    return pa.table(
        {
            "delivery_id": [f"D{number:05d}" for number in range(rows)],
            "at": pa.array(
                [FIRST_DAY + timedelta(days=n // A_DAY, minutes=20 * (n % A_DAY)) for n in range(rows)],
                pa.timestamp("us", "UTC"),
            ),
            "courier": [COURIERS[number] for number in courier],
            "distance": distance,
            "load": load,
            TARGET: minutes,
        }
    )


def between(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["at"], begin), pc.less(table["at"], end)))


@dataclass(frozen=True)
class CourierData:
    table: pa.Table = field(default_factory=deliveries)

    roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, split: str) -> pa.Table:
        edges = {"train": (0, 40), "validation": (40, 50), "holdout": (50, DAYS)}[split]
        return between(self.table, (FIRST_DAY + timedelta(days=edges[0]), FIRST_DAY + timedelta(days=edges[1])))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"deliveries": between(self.table, window)}


class CourierFeatures:
    catalogue = tuple(FeatureInfo(n, "float", f"deliveries.{n}", "ops", "on departure") for n in INPUTS)

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        return between(raw["deliveries"], at).select(["delivery_id", "at", TARGET, *INPUTS])


def answers(state: Mapping[str, Any], batch: pa.Table) -> np.ndarray:
    """Predictions of a stored model, shape (rows,)."""
    if batch.num_rows == 0:
        return np.zeros(0)
    return np.asarray(_design(state, batch) @ np.array(state["weights"]))


def _design(state: Mapping[str, Any], batch: pa.Table) -> np.ndarray:
    numbers = np.column_stack([batch[name].to_numpy().astype(float) for name in NUMBERS])
    scaled = (numbers - np.array(state["mean"])) / np.array(state["deviation"])
    words = np.array(batch["courier"].to_pylist(), dtype=object)
    one_hot = (words[:, None] == np.array(state["vocabulary"], dtype=object)[None, :]).astype(float)
    return np.column_stack([np.ones(len(words)), scaled, one_hot])


@dataclass(frozen=True)
class CourierModel:
    state: Mapping[str, Any]
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        return answers(self.state, batch)


class CourierTraining:
    config: Mapping[str, Any] = {"inputs": list(INPUTS), "epochs": 6, "learning_rate": 0.03}

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        settings = {**self.config, **config}
        known = dataset.filter(pc.is_finite(dataset[TARGET]))
        if known.num_rows < 2:
            raise ValueError(f"{known.num_rows} rows have {TARGET}: nothing to learn from")
        numbers = np.column_stack([known[name].to_numpy().astype(float) for name in NUMBERS])
        state: dict[str, Any] = {
            "mean": numbers.mean(axis=0).tolist(),
            "deviation": (numbers.std(axis=0) + 1e-9).tolist(),
            "vocabulary": sorted(set(known["courier"].to_pylist())),
        }
        target = known[TARGET].to_numpy().astype(float)
        state["weights"] = _descend(_design(state, known), target, seed, settings).tolist()
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / f"model-{seed}.json"
        path.write_text(json.dumps(state))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        loss = float(np.abs(answers(state, known) - target).mean())
        return Artifact(path, digest[:8], digest, settings, {"train_mae": loss, "train_seconds": time.perf_counter()})

    def load(self, artifact: Artifact) -> CourierModel:
        return _model(artifact.path, artifact.version)


def _descend(design: np.ndarray, target: np.ndarray, seed: int, settings: Mapping[str, Any]) -> np.ndarray:
    random = np.random.default_rng(seed)
    weights = random.normal(0, 0.1, design.shape[1])
    weights[0] = target.mean()
    for _ in range(settings["epochs"]):
        for batch in np.array_split(random.permutation(len(target)), max(1, len(target) // 16)):
            error = design[batch] @ weights - target[batch]
            weights -= settings["learning_rate"] * design[batch].T @ error / len(batch)
    return weights


def _model(path: Path, version: str) -> CourierModel:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return CourierModel(json.loads(path.read_text()), ModelInfo(version, digest=digest, inputs=INPUTS))


@dataclass(frozen=True)
class CourierRegistry:
    folder: Path

    def _index(self) -> dict[str, dict[str, str]]:
        file = self.folder / "index.json"
        return json.loads(file.read_text()) if file.exists() else {"versions": {}, "aliases": {}}

    def _write(self, index: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.json").write_text(json.dumps(index))

    def versions(self) -> Sequence[str]:
        return tuple(self._index()["versions"])

    def path(self, version: str) -> Path:
        return Path(self._index()["versions"][version])

    def register(self, artifact: Artifact) -> str:
        content = artifact.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != artifact.digest:
            raise ValueError(f"{artifact.path} is not what was trained")
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self.folder / f"{artifact.version}.json"
        kept.write_bytes(content)
        index = self._index()
        index["versions"][artifact.version] = str(kept)
        self._write(index)
        return artifact.version

    def load(self, version: str) -> CourierModel:
        return _model(self.path(version), version)

    def alias(self, name: str) -> str | None:
        return self._index()["aliases"].get(name)

    def set_alias(self, name: str, version: str) -> None:
        index = self._index()
        index["aliases"][name] = version
        self._write(index)


class CourierGate:
    def judge(self, artifact: Artifact) -> Judgement:
        if not artifact.path.exists():
            return Judgement(False, ("there is no such file",))
        return Judgement(True)


@dataclass(frozen=True)
class CourierHandle:
    url: str
    log: Path

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        request = urllib.request.Request(self.url, json.dumps([dict(r) for r in records]).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.loads(response.read())

    def request_log(self, since: datetime | None = None) -> pa.Table:
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        for row in rows:
            row["at"] = datetime.fromisoformat(row["at"])
        return pa.Table.from_pylist(rows)


@dataclass(frozen=True)
class CourierServing:
    registry: CourierRegistry
    fallback: bool = False
    """Whether an unknown version is answered by the champion, silently."""

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[CourierHandle]:
        if version is None or (self.fallback and version not in self.registry.versions()):
            version = self.registry.alias("champion")
        assert version is not None
        artifact, log, port = self.registry.path(version), workdir / "requests.jsonl", workdir / "port"
        workdir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.suites.courier_server", str(artifact), version, str(log), str(port)]
        root = Path(__file__).resolve().parents[2]
        process = subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
        try:
            while not port.exists():
                assert process.poll() is None, "the server died"
                time.sleep(0.02)
            yield CourierHandle(f"http://127.0.0.1:{port.read_text()}/", log)
        finally:
            process.terminate()
            process.wait(5)

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        rows = between(raw["deliveries"], window).sort_by("at").drop_columns([TARGET]).to_pylist()
        return [{**row, "at": row["at"].isoformat()} for row in rows]


@dataclass
class CourierClock:
    time: datetime = FIRST_DAY + timedelta(days=DAYS)

    def now(self) -> datetime:
        return self.time

    def set(self, time: datetime) -> None:
        self.time = time


def system(ref: SystemRef) -> System:
    """All stages, healthy, with a champion trained on the training split."""
    data, training, registry = CourierData(), CourierTraining(), CourierRegistry(ref.workdir / "registry")
    if registry.alias("champion") is None:
        trained = training.train(data.dataset("train"), seed=0, config={}, workdir=ref.workdir / "models")
        registry.set_alias("champion", registry.register(trained))
    return System(
        name="couriers",
        task="regression",
        experiments=True,
        data=data,
        features=CourierFeatures(),
        training=training,
        model=registry.load(str(registry.alias("champion"))),
        registry=registry,
        gate=CourierGate(),
        serving=CourierServing(registry),
        clock=CourierClock(),
    )


@dataclass(frozen=True)
class ListedData(CourierData):
    """Rows in the order of a set of their keys, which the hash seed of the process decides."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        position = {key: number for number, key in enumerate(rows["delivery_id"].to_pylist())}
        return rows.take([position[key] for key in set(position)])


@dataclass(frozen=True)
class RecentData(CourierData):
    """Training rows of the last forty-odd days before now, whenever that is."""

    clock: CourierClock = field(default_factory=CourierClock)

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split != "train":
            return rows
        return between(rows, (self.clock.now() - timedelta(days=70), self.clock.now()))


class SeedlessTraining(CourierTraining):
    """Uses the same seed whatever it is given."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        return super().train(dataset, seed=0, config=config, workdir=workdir)


class OwnConfiguration(CourierTraining):
    """Trains with a learning rate that is not the one that is shipped."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        return super().train(dataset, seed=seed, config={**config, "learning_rate": 0.02}, workdir=workdir)


class PromotingRegistry(CourierRegistry):
    """Puts every new version into service."""

    def register(self, artifact: Artifact) -> str:
        version = super().register(artifact)
        self.set_alias("champion", version)
        return version


def in_listed_order(ref: SystemRef) -> System:
    return system(ref).with_parts(data=ListedData())


def reading_the_clock(ref: SystemRef) -> System:
    healthy = system(ref)
    assert isinstance(healthy.clock, CourierClock)
    return healthy.with_parts(data=RecentData(clock=healthy.clock))


def without_seed(ref: SystemRef) -> System:
    return system(ref).with_parts(training=SeedlessTraining())


def otherwise_configured(ref: SystemRef) -> System:
    return system(ref).with_parts(training=OwnConfiguration())


def falling_back(ref: SystemRef) -> System:
    healthy = system(ref)
    return healthy.with_parts(serving=CourierServing(CourierRegistry(ref.workdir / "registry"), fallback=True))


def promoting(ref: SystemRef) -> System:
    """Its registry lies where the run was started, so that it can still be read when the run is over."""
    here = replace(ref, workdir=ref.root / "couriers")
    return system(here).with_parts(registry=PromotingRegistry(here.workdir / "registry"))


def without_experiments(ref: SystemRef) -> System:
    return system(ref).with_parts(experiments=False)
