"""A small system with a net gain over every simple model: by how many minutes does a ferry miss its timetable?

Wind hurts from both sides, and load matters on long crossings alone, which a linear model cannot see; long crossings
err more for everyone. A few sailings call at a port that hardly anybody visits, and some gauges report no wave.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import HistGradientBoostingRegressor

from mltest.system import Artifact, ModelInfo, RawColumn, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
A_DAY = 60
EDGES = {"train": (0, 130), "validation": (130, 140), "holdout": (140, 200)}
PORTS = ("arran", "bute", "coll", "iona", "mull", "rum")
PORT_SHARES = (0.35, 0.3, 0.2, 0.099, 0.046, 0.005)
NUMBERS = ("crossing", "wind", "load", "wave", "tide")
INPUTS = (*NUMBERS, "port")
TARGET = "minutes_late"
ROLES = Roles(
    target=TARGET,
    inputs=INPUTS,
    time="sails_at",
    keys=("sailing",),
    groups=("length",),
    slices=("port", "shift"),
    entity=RawColumn("sailings", "port"),
)


@cache
def sailings(draw: int = 5) -> pa.Table:
    """Two hundred days of sixty sailings; crossings in km, wind in m/s, load and tide as shares, wave in m.

    Every `draw` is another two hundred days under the same laws.
    """
    random = np.random.default_rng(draw)
    rows = EDGES["holdout"][1] * A_DAY
    crossing, wind = random.uniform(5, 60, rows), random.uniform(0, 25, rows)
    load, tide, wave = random.uniform(0, 1, rows), random.uniform(-1, 1, rows), random.gamma(2.0, 0.7, rows)
    port, night = random.choice(len(PORTS), rows, p=PORT_SHARES), random.random(rows) < 0.3
    swell = np.repeat(random.normal(0, 1.5, rows // A_DAY), A_DAY)
    late = 0.9 * np.abs(wind - 10) + 0.4 * (crossing - 30) * load + 3 * tide + 1.5 * wave + 1.2 * port + swell - 8
    late += random.normal(0, 1, rows) * (2.0 + 0.06 * crossing)
    gauge_fails = random.random(rows) < 0.08
    return pa.table(
        {
            "sailing": [f"S{number:06d}" for number in range(rows)],
            "sails_at": pa.array(
                [FIRST_DAY + timedelta(days=n // A_DAY, minutes=20 * (n % A_DAY)) for n in range(rows)],
                pa.timestamp("us", "UTC"),
            ),
            "crossing": crossing,
            "wind": wind,
            "load": load,
            "wave": pa.array(wave, mask=gauge_fails),
            "tide": tide,
            "port": [PORTS[number] for number in port],
            "shift": np.where(night, "night", "day").tolist(),
            "length": np.where(crossing > 40, "long", "short").tolist(),
            TARGET: late,
        }
    )


def between(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["sails_at"], begin), pc.less(table["sails_at"], end)))


@dataclass(frozen=True)
class FerryData:
    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)
    draw: int = 5

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return sailings(self.draw).slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"sailings": between(sailings(self.draw), window)}


@dataclass(frozen=True)
class FerryModel:
    """Boosted trees: complex, and worth it here."""

    trees: Any
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(self.trees.predict(features(batch)), dtype=np.float64)


@dataclass(frozen=True)
class LinearModel:
    """Least squares dressed up as something better."""

    weights: np.ndarray
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.nan_to_num(features(batch), nan=1.4) @ self.weights[1:] + self.weights[0]


@dataclass(frozen=True)
class FerryTraining:
    config: Mapping[str, Any] = field(default_factory=lambda: {"inputs": list(INPUTS), "trees": 150})

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        settings = {**self.config, **config}
        trees = fitted(dataset, settings["trees"], seed)
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "trees.pickle"
        path.write_bytes(pickle.dumps(trees))
        return Artifact(path, "1", hashlib.sha256(path.read_bytes()).hexdigest(), settings, {})

    def load(self, artifact: Artifact) -> FerryModel:
        return FerryModel(pickle.loads(artifact.path.read_bytes()))


def features(batch: pa.Table) -> np.ndarray:
    columns = [batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in NUMBERS]
    code = {port: float(number) for number, port in enumerate(PORTS)}
    return np.column_stack([*columns, [code.get(port, np.nan) for port in batch["port"].to_pylist()]])


def fitted(dataset: pa.Table, trees: int, seed: int) -> Any:
    model = HistGradientBoostingRegressor(max_iter=trees, loss="absolute_error", random_state=seed, min_samples_leaf=40)
    return model.fit(features(dataset), dataset[TARGET].to_numpy())


@cache
def champion() -> FerryModel:
    return FerryModel(fitted(FerryData().dataset("train"), 150, 0))


def system(ref: SystemRef) -> System:
    return System(name="ferries", task="regression", data=FerryData(), model=champion(), training=FerryTraining())


def drawn(ref: SystemRef) -> System:
    """A healthy system of the same kind: other days under the same laws, and a champion that learned from them."""
    data = FerryData(draw=1_000 + ref.seed)
    model = FerryModel(fitted(data.dataset("train"), 150, ref.seed))
    return replace(system(ref), name="ferries-drawn", data=data, model=model)


def linear(ref: SystemRef) -> System:
    """The same with a linear model as its champion: its complexity is a pretence."""
    train = FerryData().dataset("train")
    design = np.column_stack([np.ones(train.num_rows), np.nan_to_num(features(train), nan=1.4)])
    weights = np.linalg.lstsq(design, train[TARGET].to_numpy(), rcond=None)[0]
    return replace(system(ref), model=LinearModel(weights))


@dataclass(frozen=True)
class Constant:
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.full(batch.num_rows, float(np.median(FerryData().dataset("train")[TARGET].to_numpy())))


def constant(ref: SystemRef) -> System:
    """The same with a champion that does not look at its inputs."""
    return replace(system(ref), model=Constant())


@dataclass(frozen=True)
class Shuffled(FerryData):
    """The same rows in another order."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.take(pa.array(np.random.default_rng(3).permutation(rows.num_rows)))


def shuffled(ref: SystemRef) -> System:
    return replace(system(ref), data=Shuffled())


@dataclass(frozen=True)
class WithoutWave:
    """A champion that is lost where the gauge reports no wave."""

    model: FerryModel
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return self.model.predict(batch) + 9.0 * batch["wave"].is_null().to_numpy()


def without_wave(ref: SystemRef) -> System:
    return replace(system(ref), model=WithoutWave(champion()))


@dataclass(frozen=True)
class FewDays(FerryData):
    """Held-out rows of nine days."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.slice(0, 9 * A_DAY) if split == "holdout" else rows


def few_days(ref: SystemRef) -> System:
    return replace(system(ref), data=FewDays())


def no_slices(ref: SystemRef) -> System:
    """The same where nobody says which slices matter."""
    return replace(system(ref), data=FerryData(roles=replace(ROLES, slices=(), groups=(), entity=None)))


@dataclass(frozen=True)
class Untrained(FerryData):
    """Training rows that lost one port in a join; neither raw table nor holdout lost it."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.filter(pc.not_equal(rows["port"], "mull")) if split == "train" else rows


def port_lost(ref: SystemRef) -> System:
    return replace(system(ref), data=Untrained())


@dataclass(frozen=True)
class CorruptRows(FerryData):
    """One port's labels are wrong wherever anybody trains, and right in the holdout."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split == "holdout":
            return rows
        wrong = pc.if_else(pc.equal(rows["port"], "mull"), 20.0, 0.0)
        return rows.set_column(rows.column_names.index(TARGET), TARGET, pc.add(rows[TARGET], wrong))


def corrupt_labels(ref: SystemRef) -> System:
    """Champion and every yardstick trained on the same wrong labels."""
    data = CorruptRows()
    return replace(system(ref), data=data, model=FerryModel(fitted(data.dataset("train"), 150, 0)))
