"""Faults of how a feature is added: lists in several places, caches that are too broad, features lost on the way.

They act on a system wherever it is rebuilt, so in the copy of a drill as well; the toy feature is the one that the
repository's drill names.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults.fault import NotApplicable
from mltest.faults.parts import ExchangedFeatures, ExchangedHandle, ExchangedServing, ExchangedTraining, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, with_column
from mltest.offers.drill import FeatureDrill, Insertion
from mltest.probes.drill_planting import held_still
from mltest.system import System

_GENERATED = "generated_schema.txt"


@dataclass(frozen=True)
class Redrilled:
    """A repository whose drill is another one."""

    inner: Any
    told: FeatureDrill

    def drill(self) -> FeatureDrill:
        return self.told

    def __getattr__(self, name: str) -> Any:
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)


@dataclass(frozen=True)
class StillServing(ExchangedServing):
    """Servers whose model gets the middle value of a feature in its place; the log shows the true one."""

    feature: str = ""
    model_of: Callable[[str | None], Any] | None = None

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[ExchangedHandle]:
        with self.inner.start(workdir, version=version, as_of=as_of) as handle:
            yield ExchangedHandle(handle, logged=lambda log: self._predicted_anew(log, version))

    def _predicted_anew(self, log: pa.Table, version: str | None) -> pa.Table:
        if self.model_of is None or self.feature not in log.column_names or not log.num_rows:
            return log
        answers = np.asarray(self.model_of(version).predict(held_still(log, self.feature)), dtype=np.float64)
        return with_column(log, "prediction", pa.array(answers if answers.ndim == 1 else answers[:, -1]))


def drill_of(system: System) -> FeatureDrill:
    """The drill of the repository. Raises NotApplicable for a system without one."""
    offered: Any = getattr(system.repository, "drill", None)
    if offered is None:
        raise NotApplicable(f"{system.name} offers no drill")
    told: FeatureDrill = offered()
    return told


def redrilled(system: System, **changes: Any) -> System:
    """The system whose drill has some of its fields exchanged."""
    return system.with_parts(repository=Redrilled(system.repository, replace(drill_of(system), **changes)))


def _drill_changed(healthy: System, faulted: System) -> str:
    before, after = drill_of(healthy), drill_of(faulted)
    if before == after:
        return ""
    return f"the drill takes {len(after.edits)} edits instead of {len(before.edits)}, or runs another command"


def _acts(part: str) -> Callable[[System, System], str]:
    """A proof of life of a part that acts only once the toy feature is there, which it is not before a drill."""

    def alive(healthy: System, faulted: System) -> str:
        wrapped: Any = getattr(faulted, part)
        aspects = ("computed", "loaded", "model_of", "logged", "given")
        acting = [aspect for aspect in aspects if getattr(wrapped, aspect, None) is not None]
        feature = drill_of(healthy).feature
        return f"the part {part} is exchanged ({acting[0]}) and acts on {feature}" if acting else ""

    return alive


@fault(
    "O-D6-a",
    item="data.agility",
    seam="repo",
    doses=(1, 3),
    must_catch=1,
    parts=("repository",),
    alive=_drill_changed,
    why="training, serving and schema hold a list of features each",
)
def scattered_lists(system: System, dose: float, workdir: Path) -> System:
    """Adding a feature takes `dose` edits more, as where several lists of features are kept by hand."""
    edits = drill_of(system).edits
    more = tuple(Insertion(edits[0].path, edits[0].after, f"    # list number {2 + k}\n") for k in range(int(dose)))
    return redrilled(system, edits=(*edits, *more))


@twin("O-D6-a")
def generated_schema(system: System, dose: float, workdir: Path) -> System:
    """A command writes a file that follows from the edited one: nobody has to edit it."""
    path = drill_of(system).edits[0].path
    program = (
        "import hashlib, pathlib, sys; "
        f"pathlib.Path({_GENERATED!r}).write_text(hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())"
    )
    return redrilled(system, generate=(sys.executable, "-c", program, path)) if dose else redrilled(system)


def _backfilled(system: System, seconds: float) -> System:
    """Features that take so much longer in each call, once the toy feature is among them."""
    features, feature = system.features, drill_of(system).feature
    if features is None:
        raise NotApplicable(f"{system.name} offers no features")
    if not seconds:
        return system.with_parts(features=ExchangedFeatures(features))

    def slow(rows: pa.Table) -> pa.Table:
        if feature in rows.column_names:
            time.sleep(seconds)
        return rows

    return system.with_parts(features=ExchangedFeatures(features, computed=slow))


@fault(
    "O-D6-b",
    item="data.agility",
    seam="feat",
    doses=(1, 4),
    must_catch=4,
    parts=("features", "repository"),
    alive=_acts("features"),
    why="the cache of the backfill is keyed by the whole pipeline: any edit computes years of features anew",
)
def cache_too_broad(system: System, dose: float, workdir: Path) -> System:
    """With one feature more, every computation of features takes `dose` seconds longer."""
    return _backfilled(system, dose)


@twin("O-D6-b", doses=(0.3,))
def feature_that_needs_history(system: System, dose: float, workdir: Path) -> System:
    """With one feature more, every computation takes `dose` seconds longer: it needs some history."""
    return _backfilled(system, dose)


@fault(
    "O-D6-c",
    item="data.agility",
    seam="serve",
    doses=(1,),
    parts=("serving", "registry", "repository"),
    alive=_acts("serving"),
    why="the server puts its columns in the order of an old list, which drops what is new without a word",
)
def dropped_on_the_way(system: System, dose: float, workdir: Path) -> System:
    """The served model never gets the new feature, but its middle value; the log shows it as it is."""
    if system.serving is None or system.registry is None:
        raise NotApplicable(f"{system.name} offers no serving or no registry")
    feature, registry = drill_of(system).feature, system.registry
    model_of = (lambda version: registry.load(str(version))) if dose else None
    return system.with_parts(serving=StillServing(system.serving, feature=feature, model_of=model_of))


@twin("O-D6-c")
def one_column_more_in_the_log(system: System, dose: float, workdir: Path) -> System:
    """The log carries a column that no model reads."""
    if system.serving is None:
        raise NotApplicable(f"{system.name} offers no serving")

    def noted(log: pa.Table) -> pa.Table:
        return with_column(log, "note", pa.array(["none"] * log.num_rows, pa.string()))

    return system.with_parts(serving=ExchangedServing(system.serving, logged=noted if dose else None))


def _read_otherwise(system: System, before: Callable[[Any, pa.Table], pa.Table] | None) -> System:
    """The system whose loaded models get batches passed through `before(model, batch)`."""
    training = system.training
    if training is None:
        raise NotApplicable(f"{system.name} offers no training")
    if before is None:
        return system.with_parts(training=ExchangedTraining(training))

    def loaded(model: Any) -> Any:
        return exchanged_model(model, before=lambda batch: before(model, batch))

    return system.with_parts(training=ExchangedTraining(training, loaded=loaded))


@fault(
    "O-D6-d",
    item="data.agility",
    seam="art",
    doses=(1,),
    parts=("features", "training", "repository"),
    alive=_acts("training"),
    why="a matrix without names: one column in the middle moves all behind it",
)
def read_by_position(system: System, dose: float, workdir: Path) -> System:
    """Models take their inputs by position from a table in the order of the catalogue."""
    features, feature = system.features, drill_of(system).feature

    def shifted(model: Any, batch: pa.Table) -> pa.Table:
        listed = [info.name for info in (features.catalogue if features is not None else ())]
        now = [name for name in listed if name in batch.column_names]
        then = [name for name in now if name != feature or feature in model.metadata.inputs]
        columns: Mapping[str, Any] = {name: batch.column(name) for name in batch.column_names}
        moved = {name: batch.column(there) for name, there in zip(then, now, strict=False)}
        return pa.table({**columns, **moved})

    return _read_otherwise(system, shifted if dose else None)


@twin("O-D6-d")
def columns_in_another_order(system: System, dose: float, workdir: Path) -> System:
    """Models that read by name get their columns in the opposite order."""

    def turned(model: Any, batch: pa.Table) -> pa.Table:
        return as_arrow(batch).select(batch.column_names[::-1])

    return _read_otherwise(system, turned if dose else None)
