"""The couriers with one hand-over of their pipeline changed: for the worse, or in a way that harms nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import Artifact, Judgement, System, SystemRef, Window
from tests.suites.couriers import (
    CourierFeatures,
    CourierHandle,
    CourierServing,
    CourierTraining,
    PromotingRegistry,
    deliveries,
    system,
)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class ChangedHandle:
    inner: CourierHandle
    asked: Callable[[Record], Record]
    answered: Callable[[list[Record]], Sequence[Record]]

    @property
    def url(self) -> str:
        return self.inner.url

    def predict(self, records: Sequence[Record]) -> Sequence[Record]:
        return self.answered(list(self.inner.predict([self.asked(record) for record in records])))

    def request_log(self, since: datetime | None = None) -> pa.Table:
        return self.inner.request_log(since)


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class ChangedServing:
    """A server that understands requests, or answers, otherwise; with `health`, one that is asked for its health."""

    inner: CourierServing
    asked: Callable[[Record], Record] = _same
    answered: Callable[[list[Record]], Sequence[Record]] = _same
    health: bool = False

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[ChangedHandle]:
        with self.inner.start(workdir, version=version, as_of=as_of) as handle:
            if self.health:
                check = {"delivery_id": "health", "at": "2024-03-01T00:00:00+00:00"}
                handle.predict([{**check, "courier": "AK", "distance": 8.0, "load": 4.0}])
            yield ChangedHandle(handle, self.asked, self.answered)

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Record]:
        return self.inner.records(raw, window)


def _served(ref: SystemRef, **changes: Any) -> System:
    healthy = system(ref)
    assert isinstance(healthy.serving, CourierServing)
    return healthy.with_parts(serving=ChangedServing(healthy.serving, **changes))


def answered_in_reverse(ref: SystemRef) -> System:
    """The answers of a batch come back in another order."""
    return _served(ref, answered=lambda answers: answers[::-1])


def without_load_at_serving(ref: SystemRef) -> System:
    """The server follows the first version of the feature list, which knew no load."""
    return _served(ref, asked=lambda record: {**record, "load": 0.0})


def swapped_at_serving(ref: SystemRef) -> System:
    return _served(ref, asked=lambda r: {**r, "load": r["distance"], "distance": r["load"]})


def asked_for_its_health(ref: SystemRef) -> System:
    """A warm-up that nobody asked for stands in the request log."""
    return _served(ref, health=True)


def rounded(ref: SystemRef) -> System:
    return _served(ref, answered=lambda answers: [{**a, "prediction": round(a["prediction"], 2)} for a in answers])


class OutOfOrder(CourierFeatures):
    """One column is joined by its place, and not by its key."""

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        rows = super().compute(raw, at)
        order = pa.array(np.random.default_rng(1).permutation(rows.num_rows))
        return rows.set_column(rows.column_names.index("distance"), "distance", rows["distance"].take(order))


def out_of_order(ref: SystemRef) -> System:
    return system(ref).with_parts(features=OutOfOrder())


class OneOldColumn(CourierFeatures):
    """One column comes from a file of yesterday, joined by key, and the rest from the rows that are handed over."""

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        rows, old = super().compute(raw, at), deliveries()
        known = dict(zip(old["delivery_id"].to_pylist(), old["distance"].to_pylist(), strict=True))
        distances = pa.array([known[key] for key in rows["delivery_id"].to_pylist()])
        return rows.set_column(rows.column_names.index("distance"), "distance", distances)


def one_old_column(ref: SystemRef) -> System:
    return system(ref).with_parts(features=OneOldColumn())


class OneSmoothedColumn(CourierFeatures):
    """A number that tells of the rows around it too: whoever changes one raw row moves others."""

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        rows = super().compute(raw, at)
        usual = rows["load"].to_numpy().mean() * 1e-6
        return rows.set_column(rows.column_names.index("load"), "load", pc.add(rows["load"], usual))


def one_smoothed_column(ref: SystemRef) -> System:
    return system(ref).with_parts(features=OneSmoothedColumn())


class Secretive(CourierTraining):
    """Trains with another learning rate than the shipped one, and does not say with which."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        trained = super().train(dataset, seed=seed, config={**config, "learning_rate": 0.02}, workdir=workdir)
        return replace(trained, config={k: v for k, v in trained.config.items() if k != "learning_rate"})


def secretive(ref: SystemRef) -> System:
    return system(ref).with_parts(training=Secretive())


class RefusingGate:
    def judge(self, artifact: Artifact) -> Judgement:
        return Judgement(False, ("it is worse than the champion by 40 %",))


def refused(ref: SystemRef) -> System:
    """What learnt from a slice is not good enough for this gate, and nothing is put into service."""
    return system(ref).with_parts(gate=RefusingGate())


def refused_and_promoted(ref: SystemRef) -> System:
    """The registry puts every new version into service, whatever the gate says."""
    return system(ref).with_parts(gate=RefusingGate(), registry=PromotingRegistry(ref.workdir / "registry"))
