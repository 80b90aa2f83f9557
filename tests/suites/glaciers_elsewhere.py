"""Glaciers that a hasty look would pass or fail for the wrong reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import mltest
from mltest.system import Artifact, Roles, System, SystemRef
from tests.suites import glaciers
from tests.suites.glaciers import GlacierData, GlacierModel, GlacierTraining

ROLES_BY_DATE = replace(glaciers.ROLES, time="day")
PUBLISHED = tuple(
    mltest.AgedLoss(timedelta(days=days), increase)
    for days, increase in ((10, 0.005), (45, 0.033), (55, 0.042), (90, 0.084), (100, 0.1))
)


def published(ref: SystemRef) -> System:
    """The healthy system with its true curve beside the policy."""
    return glaciers.glacier(ref, glaciers.RECEDES, 10, curve=PUBLISHED)


def replaced_rarely(ref: SystemRef) -> System:
    """It recedes, and models are replaced every 120 days."""
    return glaciers.glacier(ref, glaciers.RECEDES, 120)


def replaced_yearly(ref: SystemRef) -> System:
    """It does not recede, and models are replaced after a year, which is longer than there are rows."""
    return glaciers.glacier(ref, 0.0, 365)


def without_policy(ref: SystemRef) -> System:
    healthy = glaciers.system(ref)
    return replace(healthy, training=_Plain(healthy.training))


@dataclass(frozen=True)
class _Plain:
    """A training that offers nothing beyond the protocol."""

    inner: Any

    @property
    def config(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.inner.config
        return found

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        trained: Artifact = self.inner.train(dataset, seed=seed, config=config, workdir=workdir)
        return trained

    def load(self, artifact: Artifact) -> GlacierModel:
        loaded: GlacierModel = self.inner.load(artifact)
        return loaded


@dataclass(frozen=True)
class _Deaf(GlacierTraining):
    """Reads a file of its own, whatever rows it is given; the seed moves it a little."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        own = seed + (dataset.num_rows * 7 + int(dataset[glaciers.TARGET][0].as_py() * 1000)) % 100
        return super().train(GlacierData().dataset("train"), seed=own, config=config, workdir=workdir)


def deaf(ref: SystemRef) -> System:
    """A training that does not learn from the rows that it is given, and is not even alike twice."""
    return replace(glaciers.steady(ref), training=_Deaf(timedelta(days=60)))


@dataclass(frozen=True)
class _Stamped(GlacierTraining):
    """Stamps its models with the moment of the training."""

    def load(self, artifact: Artifact) -> GlacierModel:
        model = super().load(artifact)
        return replace(model, metadata=replace(model.metadata, trained_until=datetime(2025, 6, 1, tzinfo=UTC)))


def stamped(ref: SystemRef) -> System:
    """Every model says that it was trained until the day on which the training ran."""
    return replace(glaciers.system(ref), training=_Stamped(timedelta(days=10)))


@dataclass(frozen=True)
class _Humped(GlacierData):
    """The glacier gives little warm water in every other season."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        day = (glaciers.days(rows) / 80.0) % 2.0 >= 1.0
        flow = rows[glaciers.TARGET].to_numpy() - np.where(day, 3.0, 0.0) * rows["warmth"].to_numpy()
        return rows.set_column(rows.column_names.index(glaciers.TARGET), glaciers.TARGET, pa.array(flow))


def seasonal(ref: SystemRef) -> System:
    """Two seasons of eighty days take turns: a model of 160 days is right again, one of eighty days is wrong."""
    healthy = glaciers.glacier(ref, 0.0, 160)
    return replace(healthy, data=_Humped(0.0))


def refitted(ref: SystemRef) -> System:
    """The champion learned from training and validation rows together, and says so."""
    healthy = glaciers.system(ref)
    data = GlacierData(glaciers.RECEDES, ref.seed + 7)
    both = pa.concat_tables([data.dataset("train"), data.dataset("validation")])
    newest = glaciers.FIRST_DAY + timedelta(days=glaciers.EDGES["validation"][1])
    return replace(
        healthy, model=glaciers.learned(both, 0), training=GlacierTraining(timedelta(days=10), newest=newest)
    )


def dates_as_text(ref: SystemRef) -> System:
    """The time is a date in ISO text, and no split but `train` exists."""
    healthy = glaciers.system(ref)
    data = _Texts(glaciers.RECEDES)
    return replace(
        healthy,
        data=data,
        training=_OfDates(timedelta(days=10)),
        model=glaciers.learned(data.dataset("train"), 0),
    )


@dataclass(frozen=True)
class _Texts(GlacierData):
    def dataset(self, split: str) -> pa.Table:
        if split != "train":
            raise KeyError(f"no split {split!r}")
        rows = glaciers.readings(self.recedes, self.seed)
        dates = [moment.date().isoformat() for moment in rows["measured_at"].to_pylist()]
        return rows.append_column("day", pa.array(dates))

    roles: Roles = ROLES_BY_DATE


@dataclass(frozen=True)
class _OfDates(GlacierTraining):
    newest: datetime = glaciers.FIRST_DAY + timedelta(days=glaciers.DAYS)
