"""A small complete system of nothing but numpy and pyarrow: how long parcels take. No part of it is about flights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.offers.governance import FeaturePolicy
from mltest.offers.impact import OfflineMetric, OnlineImpact
from mltest.offers.privacy import PrivacyPolicy
from mltest.offers.refresh import AgedLoss, RefreshPolicy
from mltest.offers.search import Range, SearchLog, SearchTrial
from mltest.stats import sketch
from mltest.system import Artifact, FeatureInfo, ModelInfo, RawColumn, Roles, System, SystemRef, Window
from tests.faults import synthetic_repository

START = datetime(2024, 1, 1, tzinfo=UTC)
NUMBERS = ("weight", "distance", "gap")
INPUTS = (*NUMBERS, "depot")
ROLES = Roles(
    target="hours",
    inputs=INPUTS,
    time="sent_at",
    keys=("parcel",),
    groups=("depot",),
    slices=("depot", "service"),
)
SENDER = RawColumn("parcels", "sender")
ENDS = {"train": (0, 60), "validation": (60, 75), "holdout": (75, 90)}


@cache
def parcels(rows: int = 3_000) -> pa.Table:
    """Ninety days of parcels."""
    rng = np.random.default_rng(7)
    day = np.sort(rng.uniform(0, 90, rows))
    weight = np.round(rng.gamma(2.0, 3.0, rows), 2)
    distance = np.where(rng.random(rows) < 0.1, 0.0, np.round(rng.uniform(1, 900, rows), 1))
    gap = np.where(rng.random(rows) < 0.2, np.nan, np.round(rng.uniform(0, 5, rows), 2))
    depot = rng.choice(["Aa", "Bb", "Cc", "Dd", "Ee"], rows, p=[0.5, 0.3, 0.14, 0.054, 0.006])
    service = rng.choice(["day", "night"], rows, p=[0.85, 0.15])
    offset = {"Aa": 0.0, "Bb": 2.0, "Cc": -1.0, "Dd": 4.0, "Ee": 1.0}
    hours = 5 + 0.5 * weight + 0.02 * distance + np.array([offset[d] for d in depot]) + rng.normal(0, 1.0, rows)
    return pa.table(
        {
            "parcel": [f"P{k:05d}" for k in range(rows)],
            "sent_at": pa.array([START + timedelta(days=float(d)) for d in day], pa.timestamp("us", tz="UTC")),
            "weight": weight,
            "distance": distance,
            "gap": pa.array(gap, mask=np.isnan(gap)),
            "depot": depot.tolist(),
            "service": service.tolist(),
            "hours": hours,
        }
    )


def between(table: pa.Table, start: datetime, end: datetime) -> pa.Table:
    sent = table.column("sent_at")
    kind = pa.timestamp("us", tz="UTC")
    return table.filter(pc.and_(pc.greater_equal(sent, pa.scalar(start, kind)), pc.less(sent, pa.scalar(end, kind))))


class ParcelData:
    roles = ROLES

    def dataset(self, split: str) -> pa.Table:
        first, last = ENDS[split]
        return between(parcels(), START + timedelta(days=first), START + timedelta(days=last))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        table = parcels() if window is None else between(parcels(), *window)
        senders = [f"S{int(key[1:]) % 50:05d}" for key in table.column("parcel").to_pylist()]
        return {
            "parcels": table.append_column("sender", pa.array(senders, pa.string())),
            "erasures": pa.table({"sender": ["S99999"]}),
        }

    privacy = PrivacyPolicy((SENDER,), SENDER, RawColumn("erasures", "sender"))

    def training_rows(self, raw: Mapping[str, Any]) -> pa.Table:
        table, asked = raw["parcels"], raw["erasures"].column("sender").combine_chunks()
        known = table.filter(pc.invert(pc.is_in(table.column("sender"), asked)))
        return between(known, START, START + timedelta(days=ENDS["train"][1])).select(parcels().column_names)

    @property
    def schema(self) -> Mapping[str, Any]:
        import pandera.polars as pandera

        return {
            "dataset": pandera.DataFrameSchema(
                {
                    "weight": pandera.Column(float, pandera.Check.in_range(0, 60)),
                    "distance": pandera.Column(float, pandera.Check.in_range(0, 1_000)),
                    "gap": pandera.Column(float, pandera.Check.in_range(0, 5), nullable=True),
                    "depot": pandera.Column(str, pandera.Check.isin(["Aa", "Bb", "Cc", "Dd", "Ee"])),
                }
            )
        }


class ParcelFeatures:
    policy = FeaturePolicy(
        sources={"parcels": "ours"},
        licences=("ours",),
        sensitivities=("none",),
        forbidden=(RawColumn("parcels", "service"),),
    )

    @property
    def catalogue(self) -> Sequence[FeatureInfo]:
        return [FeatureInfo(name, "float", "parcels", "team", "sent_at", cost_budget_us=500.0) for name in INPUTS]

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        table = raw["parcels"].select([name for name in raw["parcels"].column_names if name != "sender"])
        return table if at is None else between(table, *at)

    def online(self, raw: Mapping[str, Any], as_of: datetime) -> ParcelLookup:
        return ParcelLookup()


class ParcelLookup:
    """Takes every feature from the record."""

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        rows: list[dict[str, Any]] = between(raw["parcels"], *window).to_pylist()
        return rows

    def values(self, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        return {name: [record[name] for record in records] for name in names}


def design(batch: pa.Table, vocabulary: Sequence[str]) -> np.ndarray:
    numbers = [
        np.nan_to_num(_floats(batch, name), nan=2.5) / scale for name, scale in zip(NUMBERS, (6, 400, 3), strict=True)
    ]
    depot = batch.column("depot").to_pylist()
    codes = [np.array([float(d == word) for d in depot]) for word in vocabulary]
    return np.column_stack([np.ones(batch.num_rows), *numbers, *codes])


def _floats(batch: pa.Table, name: str) -> np.ndarray:
    values = pc.fill_null(batch.column(name).cast(pa.float64()), float("nan"))
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


@dataclass(frozen=True)
class ParcelModel:
    weights: np.ndarray
    vocabulary: tuple[str, ...]
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        for name in NUMBERS:
            if np.isinf(_floats(batch, name)).any():
                raise ValueError(f"{name} is infinite")
        return design(batch, self.vocabulary) @ self.weights

    def trace(self, batch: pa.Table) -> Mapping[str, np.ndarray]:
        inputs = design(batch, self.vocabulary)
        return {"inputs": inputs, "layer1": inputs * self.weights, "answer": inputs @ self.weights}


class ParcelTraining:
    """Stochastic gradient descent on few passes, so that seed, order and labels all matter."""

    config: Mapping[str, Any] = {"inputs": list(INPUTS), "rate": 0.05, "passes": 4}
    refresh = RefreshPolicy(
        timedelta(days=7),
        reported_age=lambda _, at: at - START,
        curve=(AgedLoss(timedelta(days=7), 0.014), AgedLoss(timedelta(days=14), 0.036)),
    )

    @property
    def offline_metric(self) -> OfflineMetric:
        return OfflineMetric("mae", "lower", lambda: ParcelData().dataset("validation"), mean_error)

    def search_log(self) -> SearchLog:
        """A search over the rate, judged on the first hundred keys."""
        rates = [0.05 * 2.0**step for step in range(-6, 7)]
        trials = [SearchTrial({"rate": rate, "passes": 4}, 1.0 + abs(np.log(rate / 0.05)), 0) for rate in rates]
        space = {"rate": Range(1e-4, 10.0, log=True), "passes": Range(0, 8, whole=True)}
        return SearchLog(space, trials, sketch(ParcelData().dataset("validation")["parcel"].to_pylist()))

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        settings = {**self.config, **config}
        vocabulary = sorted(set(dataset.column("depot").drop_null().to_pylist()))
        rows, target = design(dataset, vocabulary), _floats(dataset, "hours")
        rng = np.random.default_rng(seed)
        weights = np.zeros(rows.shape[1])
        for _ in range(settings["passes"]):
            for chosen in np.array_split(rng.permutation(len(target)), max(1, len(target) // 32)):
                gap = rows[chosen] @ weights - target[chosen]
                weights -= settings["rate"] * rows[chosen].T @ gap / max(1, len(chosen))
        text = json.dumps({"weights": weights.tolist(), "vocabulary": vocabulary})
        path = workdir / "model.json"
        path.write_text(text, encoding="utf-8")
        return Artifact(path, "1", sha256(text.encode()).hexdigest(), settings, {"mae": float(np.abs(gap).mean())})

    def load(self, artifact: Artifact) -> ParcelModel:
        plain = json.loads(artifact.path.read_text(encoding="utf-8"))
        return ParcelModel(np.array(plain["weights"]), tuple(plain["vocabulary"]))


def mean_error(model: Any, rows: pa.Table) -> float:
    return float(np.abs(model.predict(rows) - _floats(rows, "hours")).mean())


class ParcelLabels:
    """Hours are known as soon as a parcel was sent: nothing here waits."""

    impact = OnlineImpact("hours_waited", "lower", True, lambda answers, happened: np.abs(answers - happened))

    def arrived(self, at: datetime) -> pa.Table:
        rows = parcels().select(["parcel", "hours", "sent_at"]).rename_columns(["parcel", "hours", "arrived_at"])
        return rows.filter(pc.less_equal(rows["arrived_at"], pa.scalar(at, rows["arrived_at"].type)))

    def requests(self) -> pa.Table:
        return ParcelData().dataset("holdout").drop_columns(["hours"])

    def joined(self, answers: pa.Table, at: datetime) -> pa.Table:
        return answers.join(self.arrived(at), keys="parcel", join_type="inner")


class ParcelHandle:
    url = "http://127.0.0.1:1"

    def __init__(self, model: ParcelModel) -> None:
        self.model = model
        self.rows: list[Mapping[str, Any]] = []

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        batch = pa.Table.from_pylist(list(records), schema=parcels().schema)
        answers = self.model.predict(batch)
        made = [{"prediction": float(a), "version": "1"} for a in answers]
        self.rows += [{**record, **answer} for record, answer in zip(records, made, strict=True)]
        return made

    def request_log(self, since: datetime | None = None) -> pa.Table:
        schema = parcels().schema.append(pa.field("prediction", pa.float64())).append(pa.field("version", pa.string()))
        return pa.Table.from_pylist(self.rows, schema=schema)


@dataclass(frozen=True)
class ParcelServing:
    model: ParcelModel

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[ParcelHandle]:
        yield ParcelHandle(self.model)

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        return between(raw["parcels"], *window).to_pylist()  # type: ignore[no-any-return]


def system(ref: SystemRef) -> System:
    training = ParcelTraining()
    home = ref.workdir / "parcels"
    home.mkdir(parents=True, exist_ok=True)
    model = training.load(training.train(ParcelData().dataset("train"), seed=0, config={}, workdir=home))
    return System(
        name="parcels",
        task="regression",
        experiments=True,
        data=ParcelData(),
        features=ParcelFeatures(),
        training=training,
        model=model,
        serving=ParcelServing(model),
        labels=ParcelLabels(),
        repository=synthetic_repository.repository(home / "code"),
        registry=synthetic_repository.ParcelRegistry(home / "code", training.load),
    )


def only_a_model(ref: SystemRef) -> System:
    return System(name="bare", task="regression", model=system(ref).model)
