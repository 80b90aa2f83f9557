"""The system: features by declaration, a ridge, a registry of files, and a server in this process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import mltest
from mltest.system import System, SystemRef
from tides.declarations import FEATURES

ROOT = Path(__file__).resolve().parents[1]
FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
A_DAY = 60
EDGES = {"train": (0, 100), "validation": (100, 110), "holdout": (110, 140)}
FIELDS = ("reading", "at", "pressure", "wind", "moon")
TARGET = "surge"
TOY = 'Feature("drill_deep", lambda rows: np.abs(rows["pressure"] - 1000.0)),'


@cache
def readings() -> pa.Table:
    random = np.random.default_rng(2)
    rows = EDGES["holdout"][1] * A_DAY
    pressure, wind = random.normal(1013, 10, rows), random.gamma(3.0, 3.0, rows)
    moon = random.uniform(0, 2 * np.pi, rows)
    surge = -0.01 * (pressure - 1013) + 0.002 * wind**2 + 0.2 * np.cos(moon) + random.normal(0, 0.1, rows)
    moments = [FIRST_DAY + timedelta(minutes=24 * number) for number in range(rows)]
    return pa.table(
        {
            "reading": [f"T{number:05d}" for number in range(rows)],
            "at": pa.array(moments, pa.timestamp("us", "UTC")),
            "pressure": pressure,
            "wind": wind,
            "moon": moon,
            TARGET: surge,
        }
    )


def between(table: pa.Table, window: Any) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["at"], begin), pc.less(table["at"], end)))


def computed(rows: pa.Table) -> pa.Table:
    columns = {name: rows[name].to_numpy() for name in ("pressure", "wind", "moon")}
    kept = rows.select([name for name in ("reading", "at", TARGET) if name in rows.column_names])
    for feature in FEATURES:
        kept = kept.append_column(feature.name, pa.array(feature.computed(columns)))
    return kept


@dataclass(frozen=True)
class Data:
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def roles(self) -> mltest.Roles:
        names = tuple(feature.name for feature in FEATURES)
        return mltest.Roles(target=TARGET, inputs=names, time="at", keys=("reading",))

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return computed(readings().slice(begin * A_DAY, (end - begin) * A_DAY))

    def raw(self, window: Any = None) -> Mapping[str, pa.Table]:
        return {"readings": between(readings(), window)}


class Features:
    @property
    def catalogue(self) -> Sequence[mltest.FeatureInfo]:
        return [mltest.FeatureInfo(f.name, "float", "readings", "sea", "at the reading") for f in FEATURES]

    def compute(self, raw: Mapping[str, pa.Table], at: Any = None) -> pa.Table:
        return computed(between(raw["readings"], at))


@dataclass(frozen=True)
class Model:
    inputs: tuple[str, ...]
    weights: tuple[float, ...]
    version: str = "1"

    @property
    def metadata(self) -> mltest.ModelInfo:
        until = FIRST_DAY + timedelta(days=EDGES["train"][1])
        return mltest.ModelInfo(self.version, trained_until=until, inputs=self.inputs)

    def predict(self, batch: pa.Table) -> np.ndarray:
        columns = [np.asarray(batch[name].cast(pa.float64()), dtype=np.float64) for name in self.inputs]
        return np.column_stack([np.ones(batch.num_rows), *columns]) @ np.array(self.weights)


def read(path: Path) -> Model:
    plain = json.loads(path.read_text())
    return Model(tuple(plain["inputs"]), tuple(plain["weights"]), hashlib.sha256(path.read_bytes()).hexdigest()[:8])


class Training:
    @property
    def config(self) -> Mapping[str, Any]:
        return {"inputs": [feature.name for feature in FEATURES], "penalty": 1e-6}

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> mltest.Artifact:
        settings = {**self.config, **config}
        names = settings["inputs"]
        design = np.column_stack([np.ones(dataset.num_rows), *(dataset[name].to_numpy() for name in names)])
        penalty = settings["penalty"] * np.eye(design.shape[1])
        weights = np.linalg.solve(design.T @ design + penalty, design.T @ dataset[TARGET].to_numpy())
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "model.json"
        path.write_text(json.dumps({"inputs": list(names), "weights": weights.tolist()}))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return mltest.Artifact(path, digest[:8], digest, settings, {"mae": 0.1})

    def load(self, artifact: mltest.Artifact) -> Model:
        return read(artifact.path)


@dataclass(frozen=True)
class Registry:
    folder: Path

    def versions(self) -> Sequence[str]:
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def register(self, artifact: mltest.Artifact) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{artifact.version}.json").write_bytes(artifact.path.read_bytes())
        return artifact.version

    def load(self, version: str) -> Model:
        return read(self.folder / f"{version}.json")

    def alias(self, name: str) -> str | None:
        return None

    def set_alias(self, name: str, version: str) -> None:
        raise KeyError(name)


class Handle:
    url = "http://127.0.0.1:0"

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rows: list[pa.Table] = []

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        rows = computed(pa.Table.from_pylist(list(records)))
        answers = self.model.predict(rows)
        versions = pa.array([self.model.version] * rows.num_rows)
        self.rows.append(rows.append_column("prediction", pa.array(answers)).append_column("version", versions))
        return [{"prediction": float(answer), "version": self.model.version} for answer in answers]

    def request_log(self, since: datetime | None = None) -> pa.Table:
        return pa.concat_tables(self.rows)


@dataclass(frozen=True)
class Serving:
    registry: Registry

    @contextmanager
    def start(self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None) -> Iterator[Handle]:
        yield Handle(self.registry.load(str(version)))

    def records(self, raw: Mapping[str, pa.Table], window: Any) -> Sequence[Mapping[str, Any]]:
        return between(raw["readings"], window).select(FIELDS).to_pylist()


@dataclass(frozen=True)
class Repository:
    root: Path = ROOT
    commit: str = ""
    test_command: Sequence[str] = ("python", "-m", "pytest")
    lock_files: Sequence[Path] = ()

    def reviews(self) -> Sequence[Any]:
        return ()

    def drill(self) -> mltest.FeatureDrill:
        edit = mltest.Insertion("tides/declarations.py", after="FEATURES = (\n", text=f"    {TOY}\n")
        return mltest.FeatureDrill("drill_deep", (edit,), source="tides.system:system")


def system(ref: SystemRef) -> System:
    registry, data = Registry(ref.workdir / "registry"), Data()
    training = Training()
    learned = training.train(data.dataset("train"), seed=0, config={}, workdir=ref.workdir / "champion")
    return System(
        name="tides",
        task="regression",
        experiments=True,
        data=data,
        features=Features(),
        training=training,
        model=training.load(learned),
        registry=registry,
        serving=Serving(registry),
        repository=Repository(),
    )
