"""Faults between what is measured offline and what users feel: a wrong proxy, easy rows, a broken join, few models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import difference
from mltest.faults.parts import ExchangedTraining, Rows
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, floats, is_numeric, replaced, share_of, with_column
from mltest.offers.impact import OfflineMetric
from mltest.system import Artifact, System

FEW = 3
"""Models that are left where too few are meant."""


@dataclass(frozen=True)
class _Measured(ExchangedTraining):
    """Training whose offline metric is another one."""

    measured: Callable[[OfflineMetric], OfflineMetric] | None = None

    @property
    def offline_metric(self) -> OfflineMetric:
        inner: Any = self.inner
        metric: OfflineMetric = inner.offline_metric
        return metric if self.measured is None else self.measured(metric)


@dataclass(frozen=True)
class _ExchangedLabels:
    """Labels that arrive otherwise, or that the system joins otherwise; what else the part offers is passed on."""

    inner: Any
    came: Rows | None = None
    found: Rows | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def arrived(self, at: datetime) -> pa.Table:
        table = as_arrow(self.inner.arrived(at))
        return table if self.came is None else self.came(table)

    def joined(self, answers: pa.Table, at: datetime) -> pa.Table:
        table = as_arrow(self.inner.joined(answers, at))
        return table if self.found is None else self.found(table)


def measured_otherwise(system: System, change: Callable[[OfflineMetric], OfflineMetric] | None) -> System:
    """The system whose offline metric passed through `change`. Raises NotApplicable without one."""
    training = training_of(system)
    if getattr(training, "offline_metric", None) is None:
        raise NotApplicable(f"{system.name} offers no offline metric")
    return system.with_parts(training=_Measured(training, measured=change))


def labelled_otherwise(system: System, *, came: Rows | None = None, found: Rows | None = None) -> System:
    """The system whose labels arrive, or are joined, through a change. Raises NotApplicable without a join."""
    if getattr(system.labels, "joined", None) is None:
        raise NotApplicable(f"{system.name} offers no join of labels")
    return system.with_parts(labels=_ExchangedLabels(system.labels, came=came, found=found))


def _metric_changed(healthy: System, faulted: System) -> str:
    """Looks at the rows that both offline metrics are computed on, and at their values for the model that is served."""
    before, after = (_metric_of(system) for system in (healthy, faulted))
    if before is None or after is None:
        return "" if before is after else "the offline metric is gone"
    rows = as_arrow(before.rows())
    seen = difference(rows, as_arrow(after.rows()))
    if seen:
        return f"evaluated rows: {seen}"
    some = rows.take(pa.array(np.linspace(0, rows.num_rows - 1, min(rows.num_rows, 500)).astype(np.int64)))
    outcomes = floats(some.column(columns.data_of(healthy).roles.target))
    wave = _Wave(float(np.nanmedian(outcomes)), float(np.nanstd(outcomes)))
    one, other = before.value(wave, some), after.value(wave, some)
    return "" if one == other else f"{before.name} of a wave is {other:.4g} instead of {one:.4g}"


@dataclass(frozen=True)
class _Wave:
    """Answers that rise and fall around the outcomes; what a metric makes of them needs no training."""

    middle: float
    height: float
    metadata: Any = None

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(self.middle + self.height * np.sin(np.arange(batch.num_rows)))

    def quantiles(self, batch: pa.Table) -> np.ndarray:
        """For metrics that ask for an interval around the answer."""
        return np.asarray(self.predict(batch)[:, None] + np.array([-1.0, 0.0, 1.0]))


def _metric_of(system: System) -> OfflineMetric | None:
    found: OfflineMetric | None = getattr(system.training, "offline_metric", None)
    return found


def _labels_changed(healthy: System, faulted: System) -> str:
    """Looks at all labels, and at the join of answers of 1 to all requests."""
    at = datetime.now().astimezone()
    seen = difference(*(as_arrow(labels.arrived(at)) for labels in (healthy.labels, faulted.labels) if labels))
    if seen:
        return f"labels: {seen}"
    seen = difference(_joined(healthy, at), _joined(faulted, at))
    return f"joined labels: {seen}" if seen else ""


def _joined(system: System, at: datetime) -> pa.Table:
    labels: Any = system.labels
    asked = as_arrow(labels.requests())
    roles = columns.data_of(system).roles
    names = [*roles.keys, *((roles.time,) if roles.time else ())]
    answers = asked.select(names).append_column("prediction", pa.array(np.ones(asked.num_rows)))
    return as_arrow(labels.joined(answers, at)).sort_by([(key, "ascending") for key in roles.keys])


def _mirrored(share: float, system: System) -> Callable[[OfflineMetric], OfflineMetric]:
    """The metric against outcomes mirrored at their median (of classes: the next one) in a share of the rows."""
    roles = columns.data_of(system).roles

    def changed(metric: OfflineMetric) -> OfflineMetric:
        def value(model: Any, rows: pa.Table) -> float:
            outcome, chosen = rows.column(roles.target), share_of(rows, roles.keys, share, salt=9)
            if is_numeric(outcome):
                turned = replaced(outcome, chosen, lambda y: 2.0 * np.nanmedian(y) - y)
            else:
                classes = sorted(set(outcome.drop_null().to_pylist()))
                following = dict(zip(classes, [*classes[1:], *classes[:1]], strict=True))
                told = zip(outcome.to_pylist(), chosen, strict=True)
                turned = pa.array([following.get(y) if hit else y for y, hit in told], outcome.type)
            return metric.value(model, with_column(rows, roles.target, turned))

        return replace(metric, value=value)

    return changed


@fault(
    "O-M2-a",
    item="model.offline_online",
    seam="spec",
    doses=(0.5, 1.0),
    must_catch=1.0,
    parts=("data", "training", "labels"),
    alive=_metric_changed,
    why="an offline gain that is a health check and no gain for users (Bernardi et al., KDD 2019)",
)
def a_wrong_proxy(system: System, dose: float, workdir: Path) -> System:
    """The offline metric holds a share of the answers against the opposite of what came of them."""
    return measured_otherwise(system, _mirrored(dose, system) if dose else None)


@twin("O-M2-a")
def a_monotone_proxy(system: System, dose: float, workdir: Path) -> System:
    """The offline metric is reported on another scale: its order stays, its distances do not."""

    def changed(metric: OfflineMetric) -> OfflineMetric:
        return replace(metric, value=lambda model, rows: float(np.arctan(metric.value(model, rows) / 5.0) ** 3))

    return measured_otherwise(system, changed if dose else None)


def _without(metric: OfflineMetric, lost: Callable[[pa.Table], np.ndarray]) -> OfflineMetric:
    def rows() -> pa.Table:
        evaluated = as_arrow(metric.rows())
        return evaluated.filter(pa.array(~lost(evaluated)))

    return replace(metric, rows=rows)


@fault(
    "O-M2-b",
    item="model.offline_online",
    seam="spec",
    doses=(0.05, 0.2),
    must_catch=0.2,
    parts=("data", "training", "labels"),
    alive=_metric_changed,
    why="an evaluation set without the delayed and the diverted: the hard rows are the ones that users remember",
)
def a_flattering_evaluation(system: System, dose: float, workdir: Path) -> System:
    """The offline metric leaves out the share of rows whose outcome is farthest from the median."""
    target = columns.data_of(system).roles.target

    def hard(rows: pa.Table) -> np.ndarray:
        if not is_numeric(rows.column(target)):
            raise NotApplicable(f"{system.name} predicts classes, of which none is far from the median")
        outcome = floats(rows.column(target))
        distance = np.abs(outcome - np.nanmedian(outcome))
        return np.asarray(distance > np.nanquantile(distance, 1.0 - dose))

    return measured_otherwise(system, (lambda metric: _without(metric, hard)) if dose else None)


@twin("O-M2-b", doses=(0.2,))
def a_sampled_evaluation(system: System, dose: float, workdir: Path) -> System:
    """The offline metric leaves out a share of the rows by their keys, whatever came of them."""
    keys = columns.data_of(system).roles.keys

    def sampled(metric: OfflineMetric) -> OfflineMetric:
        return _without(metric, lambda rows: share_of(rows, keys, dose, salt=11))

    return measured_otherwise(system, sampled if dose else None)


@fault(
    "O-M2-c",
    item="model.offline_online",
    seam="label",
    doses=(0.1, 1.0),
    must_catch=0.1,
    parts=("data", "training", "labels"),
    alive=_labels_changed,
    why="labels joined on the flight number without its date: every answer has an outcome, and it is another day's",
)
def a_broken_join(system: System, dose: float, workdir: Path) -> System:
    """A share of the joined answers has the outcome of another row."""
    roles = columns.data_of(system).roles

    def mixed(rows: pa.Table) -> pa.Table:
        chosen = np.flatnonzero(share_of(rows, roles.keys, dose, salt=13))
        order = np.arange(rows.num_rows)
        order[chosen] = np.roll(chosen, 1)
        return with_column(rows, roles.target, rows.column(roles.target).take(pa.array(order)))

    return labelled_otherwise(system, found=mixed if dose else None)


@twin("O-M2-c", doses=(0.05,))
def some_labels_missing(system: System, dose: float, workdir: Path) -> System:
    """A share of the labels has not come, in the feed and in the join alike."""
    keys = columns.data_of(system).roles.keys

    def kept(rows: pa.Table) -> pa.Table:
        return rows.filter(pa.array(~share_of(rows, keys, dose, salt=17)))

    return labelled_otherwise(system, came=kept if dose else None, found=kept if dose else None)


def _always_few() -> Callable[[Artifact, Path], Artifact]:
    known: list[Artifact] = []

    def one_of_few(artifact: Artifact, _: Path) -> Artifact:
        if len(known) < FEW:
            known.append(artifact)
            return artifact
        return known[sum(artifact.digest.encode()) % FEW]

    return one_of_few


def _gives_few(healthy: System, faulted: System) -> str:
    """Which training is asked for decides too late for a look: the machinery says what it does."""
    finished = getattr(faulted.training, "finished", None)
    return f"whatever is asked for, one of {FEW} models comes" if finished is not None else ""


@fault(
    "O-M2-d",
    item="model.offline_online",
    seam="train",
    doses=(1,),
    parts=("data", "training", "labels"),
    alive=_gives_few,
    why="three releases with a correlation of 0.99: chance puts three points in order one time in three",
    evidence_removal=True,
)
def three_models(system: System, dose: float, workdir: Path) -> System:
    """Whatever training is asked for, one of three models comes."""
    training = training_of(system)
    return system.with_parts(training=ExchangedTraining(training, finished=_always_few() if dose else None))


@twin("O-M2-d", alive=_labels_changed)
def every_label_twice(system: System, dose: float, workdir: Path) -> System:
    """The feed of labels repeats each of its rows, with the same outcome."""

    def repeated(rows: pa.Table) -> pa.Table:
        return pa.concat_tables([rows, rows])

    return labelled_otherwise(system, came=repeated if dose else None)
