"""A small system that many kinds of people use: how many minutes does a visit to a clinic take beyond its slot?

Visitors come from the town, from villages and from an island; some of them speak a minority language. The doctor, the
load of the day and the distance matter; who somebody is does not. A server answers with its fallback for doctors that
it does not know.
"""

from __future__ import annotations

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

from mltest.offers.inclusion import InclusionPolicy
from mltest.offers.service_level import ServiceLevel
from mltest.system import Artifact, ModelInfo, RawColumn, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
A_DAY = 120
EDGES = {"train": (0, 100), "validation": (100, 140), "holdout": (140, 200)}
PLACES, PLACE_SHARES = ("town", "village", "island"), (0.7, 0.22, 0.08)
WARDS = {"town": ("north", "south"), "village": ("hill", "moor"), "island": ("quay",)}
DOCTORS = ("adler", "brandt", "celik")
INPUTS = ("load", "distance", "doctor", "ward")
TARGET = "minutes_over"
ROLES = Roles(
    target=TARGET,
    inputs=INPUTS,
    time="arrives_at",
    keys=("visit",),
    groups=("place", "language"),
    entity=RawColumn("visits", "ward"),
)


def visits_of(seed: int) -> pa.Table:
    """Two hundred days of 120 visits; load as a share, distance in km, the target in minutes."""
    random = np.random.default_rng(seed)
    rows = EDGES["holdout"][1] * A_DAY
    place = random.choice(len(PLACES), rows, p=PLACE_SHARES)
    ward = [
        WARDS[PLACES[p]][int(draw * len(WARDS[PLACES[p]]))] for p, draw in zip(place, random.random(rows), strict=True)
    ]
    load, distance = random.uniform(0, 1, rows), random.gamma(2.0, 3.0, rows)
    doctor = random.choice(len(DOCTORS), rows)
    busy = np.repeat(random.normal(0, 0.8, rows // A_DAY), A_DAY)
    over = 12 * (load - 0.5) + 0.4 * (distance - 6) + 2.0 * doctor + busy + random.normal(0, 3.0, rows)
    return pa.table(
        {
            "visit": [f"V{number:06d}" for number in range(rows)],
            "arrives_at": pa.array(
                [FIRST_DAY + timedelta(days=n // A_DAY, minutes=10 * (n % A_DAY)) for n in range(rows)],
                pa.timestamp("us", "UTC"),
            ),
            "load": load,
            "distance": distance,
            "doctor": [DOCTORS[number] for number in doctor],
            "ward": ward,
            "place": [PLACES[number] for number in place],
            "language": np.where(random.random(rows) < 0.15, "minority", "majority").tolist(),
            TARGET: over,
        }
    )


visits = cache(visits_of)


def between(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["arrives_at"], begin), pc.less(table["arrives_at"], end)))


@dataclass(frozen=True)
class ClinicData:
    """The raw table knows wards and languages, but not which ward counts as which place."""

    roles: Roles = ROLES
    seed: int = 5
    schema: Mapping[str, Any] = field(default_factory=dict)
    inclusion: InclusionPolicy | None = None

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return visits(self.seed).slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"visits": between(visits(self.seed).drop_columns(["place"]), window)}


def design(batch: pa.Table, doctors: Sequence[str]) -> np.ndarray:
    columns = [np.ones(batch.num_rows)]
    columns += [batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in ("load", "distance")]
    named = np.array(batch["doctor"].to_pylist(), dtype=object)
    return np.column_stack([*columns, *(named == doctor for doctor in doctors)]).astype(np.float64)


@dataclass(frozen=True)
class ClinicModel:
    """Least squares on load, distance and doctor; it reads the ward and makes nothing of it."""

    weights: np.ndarray
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(design(batch, DOCTORS[1:]) @ self.weights, dtype=np.float64)


@dataclass(frozen=True)
class ClinicTraining:
    config: Mapping[str, Any] = field(default_factory=lambda: {"inputs": list(INPUTS)})

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "weights.npy"
        np.save(path, fitted(dataset).weights)
        return Artifact(path, "1", "0" * 64, {**self.config, **config}, {})

    def load(self, artifact: Artifact) -> ClinicModel:
        return ClinicModel(np.load(artifact.path))


def fitted(rows: pa.Table) -> ClinicModel:
    target = rows[TARGET].to_numpy()
    return ClinicModel(np.linalg.lstsq(design(rows, DOCTORS[1:]), target, rcond=None)[0])


@dataclass(frozen=True)
class ClinicServing:
    """Tells whether a doctor is known; there is no server behind it."""

    known: tuple[str, ...] = DOCTORS

    @contextmanager
    def start(self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None) -> Iterator[Any]:
        raise RuntimeError("these tests start no server")
        yield

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        return between(raw["visits"], window).to_pylist()

    def service_level(self, rows: pa.Table) -> ServiceLevel:
        known = pc.is_in(rows["doctor"], pa.array(self.known, pa.string()))
        return ServiceLevel(np.asarray(known.to_numpy(zero_copy_only=False), dtype=bool), "an answer of the model")


def system(ref: SystemRef) -> System:
    data = ClinicData()
    return System(
        name="clinics",
        task="regression",
        data=data,
        model=fitted(data.dataset("train")),
        training=ClinicTraining(),
        serving=ClinicServing(),
    )


def of_seed(seed: int) -> System:
    """The healthy system with other visits."""
    data = ClinicData(seed=seed)
    return replace(system(SystemRef("", Path(), Path())), data=data, model=fitted(data.dataset("train")))


def drawn(ref: SystemRef) -> System:
    """The healthy system with the visits of that seed."""
    return of_seed(1_000 + ref.seed)
