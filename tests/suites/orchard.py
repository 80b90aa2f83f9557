"""A small system with declared expectations and a training that heeds its inputs: how much does a tree bear today?

Every input matters, some of them weakly; the expectations are written down with a range, a share of nulls and a
median for each number, as somebody would who knows orchards.
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
import pandera.polars as pandera
import polars
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import Artifact, ModelInfo, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2023, 4, 1, tzinfo=UTC)
A_DAY = 150
EDGES = {"train": (0, 120), "validation": (120, 160), "holdout": (160, 200)}
VARIETIES = ("bramley", "cox", "gala", "idared")
NUMBERS = ("sunshine", "rain", "age", "moisture", "height")
INPUTS = (*NUMBERS, "variety")
TARGET = "kilograms"
ROLES = Roles(target=TARGET, inputs=INPUTS, time="at", keys=("tree_id",), slices=("variety",))


@cache
def trees(draw: int = 11) -> pa.Table:
    """Two hundred days of 150 trees: sunshine in W/m2, rain in mm, age in years, share of moisture, height in m.

    Every `draw` is another two hundred days under the same laws.
    """
    random = np.random.default_rng(draw)
    rows = EDGES["holdout"][1] * A_DAY
    sunshine, rain = random.uniform(300, 900, rows), random.gamma(2.0, 3.0, rows)
    age, moisture = random.uniform(3, 40, rows), random.normal(0.5, 0.1, rows).clip(0.1, 0.9)
    height, variety = random.uniform(2, 6, rows), random.integers(0, len(VARIETIES), rows)
    base = 10 + 0.02 * sunshine + 0.8 * rain - 0.1 * age + 30 * moisture + 1.5 * height + 2.0 * variety
    return pa.table(
        {
            "tree_id": [f"T{number:06d}" for number in range(rows)],
            "at": pa.array(
                [FIRST_DAY + timedelta(days=n // A_DAY, minutes=9 * (n % A_DAY)) for n in range(rows)],
                pa.timestamp("us", "UTC"),
            ),
            "sunshine": sunshine,
            "rain": pa.array(rain, mask=random.uniform(size=rows) < 0.02),
            "age": age,
            "moisture": moisture,
            "height": height,
            "variety": [VARIETIES[number] for number in variety],
            TARGET: base + random.normal(0, 3, rows),
        }
    )


def number(low: float, high: float, median: tuple[float, float], nulls: float = 0.0) -> pandera.Column:
    """A number between `low` and `high` whose median over a batch lies in `median`, missing in a share of `nulls`."""

    def middle(data: Any) -> Any:
        seen = polars.col(data.key).cast(polars.Float64, strict=False).median()
        return data.lazyframe.select(seen.is_between(*median))

    def known(data: Any) -> Any:
        return data.lazyframe.select(polars.col(data.key).null_count() <= nulls * polars.len())

    checks = [
        pandera.Check.in_range(low, high),
        pandera.Check(middle, name="median"),
        pandera.Check(known, name="known"),
    ]
    return pandera.Column(polars.Float64, checks=checks, nullable=nulls > 0)


def expectations() -> pandera.DataFrameSchema:
    return pandera.DataFrameSchema(
        {
            "tree_id": pandera.Column(polars.String, unique=True),
            "sunshine": number(250, 950, (500, 700)),
            "rain": number(0, 60, (3, 8), nulls=0.06),
            "age": number(2, 45, (18, 25)),
            "moisture": number(0.05, 0.95, (0.45, 0.55)),
            "height": number(1.5, 7, (3.5, 4.5)),
            "variety": pandera.Column(polars.String, pandera.Check(mostly_known, name="known varieties")),
        }
    )


def mostly_known(data: Any) -> Any:
    """Orchards are replanted: one tree in two hundred may be of a variety that nobody wrote down."""
    return data.lazyframe.select(polars.col(data.key).is_in(VARIETIES).mean() >= 0.995)


def between(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["at"], begin), pc.less(table["at"], end)))


@dataclass(frozen=True)
class OrchardData:
    schema: Mapping[str, Any] = field(default_factory=lambda: {"dataset": expectations()})
    roles: Roles = ROLES
    draw: int = 11

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return trees(self.draw).slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"trees": between(trees(self.draw), window)}


@dataclass(frozen=True)
class OrchardModel:
    """Least squares on whatever columns it was trained with."""

    state: Mapping[str, Any]
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(design(batch, self.state["inputs"]) @ np.array(self.state["weights"]))


def design(batch: pa.Table, inputs: list[str]) -> np.ndarray:
    columns = [np.ones(batch.num_rows)]
    for name in inputs:
        column = batch[name]
        if pa.types.is_string(column.type):
            words = np.array(column.to_pylist(), dtype=object)
            columns += [(words == level).astype(float) for level in VARIETIES]
        else:
            columns.append(pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy())
    return np.column_stack(columns)


class OrchardTraining:
    config: Mapping[str, Any] = {"inputs": list(INPUTS)}

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        """Learns from nine tenths of the rows, drawn by the seed."""
        settings = {**self.config, **config}
        random = np.random.default_rng(seed)
        rows = dataset.filter(pa.array(random.uniform(size=dataset.num_rows) < 0.9))
        matrix = design(rows, settings["inputs"])
        weights = np.linalg.solve(
            matrix.T @ matrix + 1e-3 * np.eye(matrix.shape[1]), matrix.T @ rows[TARGET].to_numpy()
        )
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "model.json"
        path.write_text(json.dumps({"inputs": list(settings["inputs"]), "weights": weights.tolist()}))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Artifact(path, digest[:8], digest, settings, {})

    def load(self, artifact: Artifact) -> OrchardModel:
        state = json.loads(artifact.path.read_text())
        return OrchardModel(state, ModelInfo(artifact.version, artifact.digest, inputs=tuple(state["inputs"])))


@dataclass(frozen=True)
class Champion:
    """The model in service, trained on the training rows when it is first asked."""

    folder: Path
    draw: int = 11

    @property
    def metadata(self) -> ModelInfo:
        until = FIRST_DAY + timedelta(days=EDGES["train"][1])
        return ModelInfo("1", trained_until=until, inputs=INPUTS)

    def predict(self, batch: pa.Table) -> np.ndarray:
        training = OrchardTraining()
        made = training.train(OrchardData(draw=self.draw).dataset("train"), seed=0, config={}, workdir=self.folder)
        return training.load(made).predict(batch)


def system(ref: SystemRef) -> System:
    return System(
        name="orchard",
        task="regression",
        data=OrchardData(),
        training=OrchardTraining(),
        model=Champion(ref.workdir / "champion"),
    )


def drawn(ref: SystemRef) -> System:
    """A healthy system of the same kind: other days under the same laws, and a champion that learned from them."""
    draw = 1_000 + ref.seed
    champion = Champion(ref.workdir / "champion", draw)
    return system(ref).with_parts(name="orchard-drawn", data=OrchardData(draw=draw), model=champion)


def without_training(ref: SystemRef) -> System:
    return system(ref).with_parts(training=None)


class DeafTraining(OrchardTraining):
    """Learns from the same columns whatever it is told."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        return super().train(dataset, seed=seed, config={}, workdir=workdir)


def with_a_deaf_training(ref: SystemRef) -> System:
    return system(ref).with_parts(training=DeafTraining())


def without_a_schema(ref: SystemRef) -> System:
    return system(ref).with_parts(data=OrchardData(schema={}))


def with_loose_expectations(ref: SystemRef) -> System:
    """Every number lies somewhere between minus and plus a million, every word is a word."""
    loose = {name: pandera.Column(polars.Float64, pandera.Check.in_range(-1e6, 1e6), nullable=True) for name in NUMBERS}
    word = pandera.Column(polars.String, pandera.Check.str_length(1, 20), nullable=True)
    schema = pandera.DataFrameSchema({**loose, "variety": word})
    return system(ref).with_parts(data=OrchardData(schema={"dataset": schema}))


def with_a_schema_read_off_the_holdout(ref: SystemRef) -> System:
    rows = OrchardData().dataset("holdout")
    read_off = {}
    for name in NUMBERS:
        ends = pc.min_max(rows[name]).as_py()
        check = pandera.Check.in_range(ends["min"], ends["max"])
        read_off[name] = pandera.Column(polars.Float64, check, nullable=True)
    word = pandera.Column(polars.String, pandera.Check.isin(VARIETIES))
    schema = pandera.DataFrameSchema({**read_off, "variety": word})
    return system(ref).with_parts(data=OrchardData(schema={"dataset": schema}))


class SilentInput(OrchardData):
    """Rain stopped being measured when training ended, and the schema lets it."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows if split == "train" else silenced(rows)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"trees": silenced(super().raw(window)["trees"])}


def silenced(rows: pa.Table) -> pa.Table:
    return rows.set_column(rows.column_names.index("rain"), "rain", pa.nulls(rows.num_rows, pa.float64()))


def with_an_input_that_went_silent(ref: SystemRef) -> System:
    tolerant = expectations()
    tolerant.columns["rain"] = pandera.Column(polars.Float64, pandera.Check.in_range(0, 60), nullable=True)
    return system(ref).with_parts(data=SilentInput(schema={"dataset": tolerant}))


class NothingHeldBack(OrchardData):
    def dataset(self, split: str) -> pa.Table:
        return super().dataset("train")


def with_training_rows_held_back(ref: SystemRef) -> System:
    return system(ref).with_parts(data=NothingHeldBack())
