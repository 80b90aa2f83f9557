"""A small system that knows persons: how long does a ride take? Riders have names, and an e-mail that no model needs.

Its server runs in this process and keeps a log in a file, in which riders stand by a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.offers.privacy import PrivacyPolicy
from mltest.system import Artifact, FeatureInfo, ModelInfo, RawColumn, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
DAYS, A_DAY = 40, 50
NUMBERS = ("distance", "fare")
INPUTS = (*NUMBERS, "zone")
TARGET = "minutes"
KEY = b"known to the server alone"
ROLES = Roles(
    target=TARGET,
    inputs=INPUTS,
    time="at",
    keys=("ride_id",),
    entity=RawColumn("rides", "rider"),
    outcome=RawColumn("rides", TARGET),
)
POLICY = PrivacyPolicy(
    sensitive=(RawColumn("rides", "rider"), RawColumn("rides", "email"), RawColumn("rides", "income")),
    subject=RawColumn("rides", "rider"),
    erasures=RawColumn("erasures", "rider"),
)
ERASED = "rider-00007"
COLUMNS = ("ride_id", "at", TARGET, *INPUTS)


@cache
def rides() -> pa.Table:
    """Forty days of fifty rides; parcel weights have nine figures, as some numbers of persons have."""
    random = np.random.default_rng(3)
    rows = DAYS * A_DAY
    distance, rider = random.gamma(3.0, 2.0, rows), random.integers(0, 90, rows)
    zone = random.integers(0, 4, rows)
    return pa.table(
        {
            "ride_id": [f"ride-{number:06d}" for number in range(rows)],
            "at": pa.array(
                [FIRST_DAY + timedelta(days=n // A_DAY, minutes=25 * (n % A_DAY)) for n in range(rows)],
                pa.timestamp("us", "UTC"),
            ),
            "rider": [f"rider-{number:05d}" for number in rider],
            "email": [f"rider{number}@riders.net" for number in rider],
            "income": np.round(random.lognormal(10.5, 0.4, 90), 2)[rider],
            "plate": [f"N{14_228 + number}" for number in rider],
            "parcel": [str(100_000_000 + 7 * number) for number in range(rows)],
            "zone": [f"zone {number}" for number in zone],
            "distance": distance,
            "fare": np.round(2 + 1.2 * distance + random.normal(0, 1, rows), 2),
            TARGET: 4 + 2.5 * distance + zone + random.normal(0, 1, rows),
        }
    )


def between(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["at"], begin), pc.less(table["at"], end)))


def hashed(rider: str) -> str:
    return hmac.new(KEY, rider.encode(), "sha256").hexdigest()


@dataclass(frozen=True)
class RiderData:
    """`columns` are what training rows carry; `listed` says whether erasures are applied, and how."""

    columns: tuple[str, ...] = COLUMNS
    erased: str = "exactly"
    policy: PrivacyPolicy = POLICY
    split_is_erased: bool = True
    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def privacy(self) -> PrivacyPolicy:
        return self.policy

    def dataset(self, split: str) -> pa.Table:
        edges = {"train": (0, 28), "validation": (28, 34), "holdout": (34, DAYS)}[split]
        rows = between(rides(), (FIRST_DAY + timedelta(days=edges[0]), FIRST_DAY + timedelta(days=edges[1])))
        if split == "train":
            asked = self.raw()["erasures"] if self.split_is_erased else pa.table({"rider": pa.array([], pa.string())})
            return self.training_rows({"rides": rows, "erasures": asked})
        return rows.select(list(COLUMNS))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"rides": between(rides(), window), "erasures": pa.table({"rider": [ERASED]})}

    def training_rows(self, raw: Mapping[str, Any]) -> pa.Table:
        rows = between(raw["rides"], (FIRST_DAY, FIRST_DAY + timedelta(days=28)))
        asked = raw["erasures"]["rider"].to_pylist()
        if self.erased == "the first":
            asked = asked[:1]
        gone = pc.is_in(rows["rider"], pa.array(asked, pa.string()))
        if self.erased == "by a prefix":
            prefixes = {rider[:-1] for rider in asked}
            gone = pa.array([rider[:-1] in prefixes for rider in rows["rider"].to_pylist()])
        return rows.filter(pc.invert(gone)).select(list(self.columns))


@dataclass(frozen=True)
class RiderFeatures:
    """`named` says whether columns are selected by name; `kept` is a folder that a copy of the raw rows goes to."""

    named: bool = True
    strict: bool = False
    extra: tuple[str, ...] = ()
    catalogue: tuple[FeatureInfo, ...] = tuple(FeatureInfo(n, "float", f"rides.{n}", "ops", "at") for n in INPUTS)

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        table = between(raw["rides"], at)
        if self.strict and set(table.column_names) - set(rides().column_names):
            raise ValueError("the raw rides have a column that nobody agreed on")
        return table.select([*COLUMNS, *self.extra]) if self.named else table


def design(batch: pa.Table) -> np.ndarray:
    numbers = [batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in NUMBERS]
    zones = np.array([float(zone[-1]) for zone in batch["zone"].to_pylist()])
    return np.column_stack([np.ones(batch.num_rows), *numbers, zones])


@dataclass(frozen=True)
class RiderModel:
    weights: tuple[float, ...]
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(design(batch) @ np.array(self.weights))


@dataclass(frozen=True)
class RiderTraining:
    """`note(rows)` are bytes that are written beside the model; `mode` is that of the model's file."""

    note: Any = None
    name: str = "note.bin"
    mode: int = 0o600
    config: Mapping[str, Any] = field(default_factory=lambda: {"inputs": list(INPUTS)})

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        known = dataset.filter(pc.is_finite(dataset[TARGET]))
        if known.num_rows < 10:
            raise ValueError("nothing to learn from")
        rows, target = design(known), known[TARGET].to_numpy()
        weights = np.linalg.lstsq(rows, target, rcond=None)[0].tolist()
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "model.json"
        path.write_text(json.dumps({"weights": weights, "seed": seed}))
        path.chmod(self.mode)
        if self.note is not None:
            noted = workdir / self.name
            noted.write_bytes(self.note(dataset))
            noted.chmod(0o600)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        loss = float(np.abs(rows @ np.array(weights) - target).mean())
        return Artifact(path, digest[:8], digest, {**self.config, **config}, {"train_mae": loss})

    def load(self, artifact: Artifact) -> RiderModel:
        return model_of(artifact.path, artifact.version)


def model_of(path: Path, version: str) -> RiderModel:
    content = path.read_bytes()
    known = ModelInfo(version, digest=hashlib.sha256(content).hexdigest(), inputs=INPUTS)
    return RiderModel(tuple(json.loads(content)["weights"]), known)


@dataclass(frozen=True)
class RiderRegistry:
    folder: Path

    def versions(self) -> Sequence[str]:
        return tuple(sorted(path.stem for path in self.folder.glob("*.json")))

    def register(self, artifact: Artifact) -> str:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / f"{artifact.version}.json").write_bytes(artifact.path.read_bytes())
        return artifact.version

    def load(self, version: str) -> RiderModel:
        return model_of(self.folder / f"{version}.json", version)

    def alias(self, name: str) -> str | None:
        path = self.folder / f"{name}.alias"
        return path.read_text() if path.exists() else None

    def set_alias(self, name: str, version: str) -> None:
        (self.folder / f"{name}.alias").write_text(version)


def honest_entry(record: Mapping[str, Any]) -> dict[str, Any]:
    return {"ride_id": record["ride_id"], "rider": hashed(record["rider"]), "distance": record["distance"]}


@dataclass
class RiderHandle:
    folder: Path
    model: RiderModel
    serving: RiderServing
    url: str = "http://127.0.0.1:1/"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "requests.jsonl"
        os.close(os.open(self.log, os.O_CREAT | os.O_WRONLY, 0o600))

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        known = [name for name in rides().column_names if name != TARGET]
        if self.serving.strict and any(set(record) - set(known) for record in records):
            raise ValueError("a field that nobody agreed on")
        found = self.model.predict(pa.Table.from_pylist([{name: r[name] for name in INPUTS} for r in records]))
        entry = self.serving.entry
        with self.log.open("a") as log:
            for record, answer in zip(records, found.tolist(), strict=True):
                told = {**entry(record), "prediction": answer, "version": self.model.metadata.version}
                log.write(json.dumps(told, default=str) + "\n")
        answered = [{"prediction": value, "version": self.model.metadata.version} for value in found.tolist()]
        return [{**a, **self.serving.said(r)} for a, r in zip(answered, records, strict=True)]

    def request_log(self, since: datetime | None = None) -> pa.Table:
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return pa.Table.from_pylist(rows) if self.serving.shown and rows else pa.table({"ride_id": pa.array([], "str")})

    def metrics(self) -> str:
        lines = self.log.read_text().splitlines()
        return "\n".join(self.serving.metric(json.loads(line)) for line in lines[-50:])

    def erase(self, subject: str) -> None:
        lines = self.log.read_text().splitlines(keepends=True)
        self.log.write_text("".join(line for line in lines if not self.serving.is_about(json.loads(line), subject)))


def is_about(entry: Mapping[str, Any], subject: str) -> bool:
    return bool(entry["rider"] == hashed(subject))


def nothing(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def counted(entry: Mapping[str, Any]) -> str:
    return 'requests_total{status="2xx"} 1'


@dataclass(frozen=True)
class RiderServing:
    registry: RiderRegistry
    entry: Any = honest_entry
    is_about: Any = is_about
    said: Any = nothing
    metric: Any = counted
    strict: bool = False
    shown: bool = True
    handle: type[RiderHandle] = RiderHandle

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[RiderHandle]:
        yield self.handle(workdir, self.registry.load(version or str(self.registry.alias("champion"))), self)

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        known = [name for name in rides().column_names if name != TARGET]
        rows = between(raw["rides"], window).sort_by("at").select(known).to_pylist()
        return [{**row, "at": row["at"].isoformat()} for row in rows]


def system(ref: SystemRef) -> System:
    """Healthy: columns by name, keyed hashes, files for the owner alone, erasures applied everywhere."""
    data, training, registry = RiderData(), RiderTraining(), RiderRegistry(ref.workdir / "registry")
    return System(
        name="riders",
        task="regression",
        experiments=True,
        data=data,
        features=RiderFeatures(),
        training=training,
        registry=registry,
        serving=RiderServing(registry),
    )


def served(ref: SystemRef, **changes: Any) -> System:
    healthy = system(ref)
    assert isinstance(healthy.serving, RiderServing)
    return healthy.with_parts(serving=replace(healthy.serving, **changes))
