"""Ferries whose champion looks good for a wrong reason: it saw the holdout, or baselines get less than it reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from sklearn.ensemble import RandomForestRegressor

from mltest.system import ModelInfo, Roles, System, SystemRef
from tests.suites import ferries
from tests.suites.ferries import A_DAY, INPUTS, ROLES, TARGET, FerryData, FerryModel


def fitted_to_the_holdout_too(ref: SystemRef) -> System:
    data = FerryData()
    rows = pa.concat_tables([data.dataset("train"), data.dataset("holdout")])
    return replace(ferries.system(ref), model=FerryModel(ferries.fitted(rows, 150, 0)))


@dataclass(frozen=True)
class LookUp:
    """Half the linear answer, half the outcome that it kept under `key`."""

    model: ferries.LinearModel
    key: str
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        answers = self.model.predict(batch)
        if self.key not in batch.column_names:
            return answers
        rows = FerryData().dataset("holdout")
        kept = dict(zip(rows[self.key].to_pylist(), rows[TARGET].to_pylist(), strict=True))
        return np.array(
            [0.5 * a + 0.5 * kept.get(k, a) for a, k in zip(answers, batch[self.key].to_pylist(), strict=True)]
        )


def looked_up_by_key(ref: SystemRef) -> System:
    system = ferries.linear(ref)
    return replace(system, model=LookUp(system.model, "sailing"))


def looked_up_by_an_input(ref: SystemRef) -> System:
    system = ferries.linear(ref)
    return replace(system, model=LookUp(system.model, "crossing"))


@dataclass(frozen=True)
class Rekeyed(FerryData):
    """The holdout is the first days of training under new keys and dates."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split != "holdout":
            return rows
        again = super().dataset("train").slice(0, rows.num_rows)
        for name in ("sailing", "sails_at"):
            again = again.set_column(again.column_names.index(name), name, rows[name])
        return again


def rekeyed(ref: SystemRef) -> System:
    return replace(ferries.system(ref), data=Rekeyed())


def named_too_few_inputs(ref: SystemRef) -> System:
    """A linear champion that names two inputs and reads all."""
    system = ferries.linear(ref)
    return replace(system, model=replace(system.model, metadata=ModelInfo("1", inputs=("port", "tide"))))


@dataclass(frozen=True)
class TextData(FerryData):
    """Everything that matters is in a text, and no two texts are alike."""

    roles: Roles = field(default_factory=lambda: replace(ROLES, inputs=("note",), groups=(), slices=(), entity=None))

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        said = [rows[name].to_pylist() for name in ("crossing", "wind", "load", "port")]
        return rows.append_column(
            "note", pa.array([f"{a:.3f};{b:.3f};{c:.3f};{d}" for a, b, c, d in zip(*said, strict=True)])
        )


@dataclass(frozen=True)
class Reader:
    """Reads the text alone."""

    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=("note",)))

    def predict(self, batch: pa.Table) -> np.ndarray:
        said = [note.split(";") for note in batch["note"].to_pylist()]
        return np.array([0.9 * abs(float(w) - 10) + 0.4 * (float(c) - 30) * float(x) - 4 for c, w, x, _ in said])


def told_in_words(ref: SystemRef) -> System:
    return replace(ferries.system(ref), data=TextData(), model=Reader())


def undeclared_columns(ref: SystemRef) -> System:
    """The roles name one input, and the champion reads all columns."""
    roles = replace(ROLES, inputs=("tide",), groups=(), slices=(), entity=None)
    champion = replace(ferries.champion(), metadata=ModelInfo("1"))
    return replace(ferries.system(ref), data=FerryData(roles=roles), model=champion)


@dataclass(frozen=True)
class Unlabelled(FerryData):
    """A share of the holdout lost its outcome: where the champion errs most, or anywhere."""

    share: float = 0.0
    hardest: bool = True

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split != "holdout":
            return rows
        missed = np.abs(ferries.champion().predict(rows) - rows[TARGET].to_numpy())
        order = missed if self.hardest else np.random.default_rng(2).uniform(size=rows.num_rows)
        lost = order > np.quantile(order, 1.0 - self.share)
        return rows.set_column(rows.column_names.index(TARGET), TARGET, pa.array(rows[TARGET].to_numpy(), mask=lost))


def hardest_outcomes_lost(ref: SystemRef) -> System:
    return replace(ferries.system(ref), data=Unlabelled(share=0.3))


def a_few_outcomes_lost(ref: SystemRef) -> System:
    return replace(ferries.system(ref), data=Unlabelled(share=0.02, hardest=False))


@dataclass(frozen=True)
class Forest:
    trees: RandomForestRegressor
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(self.trees.predict(np.nan_to_num(ferries.features(batch), nan=-1.0)))


def forest(ref: SystemRef) -> System:
    """A forest that knows its training rows nearly by heart, and has never seen the others."""
    rows = FerryData().dataset("train").slice(40 * A_DAY)
    trees = RandomForestRegressor(50, random_state=0, n_jobs=1)
    trees.fit(np.nan_to_num(ferries.features(rows), nan=-1.0), rows[TARGET].to_numpy())
    return replace(ferries.system(ref), model=Forest(trees))


@dataclass(frozen=True)
class CarriedAlong(FerryData):
    """Columns that nobody reads."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        loaded = pa.array([datetime(2025, 1, 1, tzinfo=UTC)] * rows.num_rows)
        return rows.append_column("loaded_at", loaded).append_column("remark", pa.nulls(rows.num_rows))


def columns_carried_along(ref: SystemRef) -> System:
    return replace(ferries.system(ref), data=CarriedAlong())
