"""Eight ways to leave a check nothing to look at: whatever it asks, it must not pass.

They apply to every part that a system offers, and to any item. Not demonstrated is the right answer to most of them,
an error to the fourth; a probe that passes under one of them would pass without looking.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.emptied import Rowwise, Silent, rows_exchanged
from mltest.faults.fault import ANY_ITEM, Apply
from mltest.faults.liveness import anything_changed
from mltest.faults.parts import ExchangedData, ExchangedServing, ExchangedTraining, exchanged_model
from mltest.faults.registry import fault
from mltest.faults.repositories import ExchangedRepository
from mltest.faults.rows import is_numeric, with_column
from mltest.system import Artifact, ModelInfo, Review, System

FEW = 3
"""Rows that are left where too few rows are meant."""

FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
"""When a model was trained that does not say it."""

LATER = timedelta(days=3650)
"""How much newer than its evidence a model claims to be."""


def _vacuity(fault_id: str, why: str) -> Callable[[Apply], Apply]:
    return fault(
        fault_id,
        item=ANY_ITEM,
        seam="spec",
        doses=(1,),
        alive=_alive,
        why=why,
        kind="vacuity",
        evidence_removal=True,
    )


def _alive(healthy: System, faulted: System) -> str:
    """What can be seen without a server; else which parts were exchanged."""
    seen = anything_changed(healthy, faulted)
    if seen:
        return seen
    exchanged = [p for p in faulted.parts() if getattr(faulted, p) is not getattr(healthy, p)]
    quiet = {"data", "features", "training", "model"}
    return f"exchanged parts: {', '.join(exchanged)}" if set(exchanged) - quiet else ""


@_vacuity("V1-empty", "a success for every expectation on an empty table, an empty list of batches, no tests collected")
def empty(system: System, dose: float, workdir: Path) -> System:
    """Every table has its columns and no rows, every list no entries."""
    return (
        rows_exchanged(system, Rowwise(lambda rows: rows.slice(0, 0), lambda entries: entries[:0])) if dose else system
    )


@_vacuity("V2-missing", "a renamed column or a moved file, and a check that skips what it does not find")
def missing(system: System, dose: float, workdir: Path) -> System:
    """Inputs and target are renamed everywhere, raw tables, expectations, catalogue and versions are gone."""
    if not dose:
        return system
    keep = _kept_names(system)

    def renamed(rows: pa.Table) -> pa.Table:
        return rows.rename_columns([name if name in keep else f"{name}_renamed" for name in rows.column_names])

    changed = rows_exchanged(system, Rowwise(renamed, lambda entries: entries[:0]))
    if changed.data is None:
        return changed
    return changed.with_parts(data=_NoRaw(changed.data, expectations=lambda _: {}))


@_vacuity("V3-nan", "a statistic that is not a number compares as false with every limit")
def not_a_number(system: System, dose: float, workdir: Path) -> System:
    """Every number in every table (keys excepted), every answer and every metric is not a number."""
    if not dose:
        return system
    keep = _kept_names(system)

    def blurred(rows: pa.Table) -> pa.Table:
        for name in rows.column_names:
            if name not in keep and is_numeric(rows.column(name)):
                rows = with_column(rows, name, pa.array(np.full(rows.num_rows, math.nan)))
        return rows

    changed = rows_exchanged(system, Rowwise(blurred, lambda entries: entries))
    return _answering(changed, lambda answers: np.full_like(answers, math.nan, dtype=np.float64), math.nan)


@_vacuity("V4-raise", "an adapter that raises or times out, and a runner that takes silence for consent")
def raising(system: System, dose: float, workdir: Path) -> System:
    """Every part raises, whatever it is asked."""
    if not dose:
        return system
    return system.with_parts(**{part: Silent(part, getattr(system, part)) for part in system.parts()})


@_vacuity("V5-self", "a reference that is the candidate itself: no comparison has any content")
def compared_with_itself(system: System, dose: float, workdir: Path) -> System:
    """Every split is the same rows, every training the same whatever its seed, the log is the batch path's table."""
    if not dose:
        return system
    changed: dict[str, Any] = {}
    if system.data is not None:
        first = columns.learned_from(system.data)
        changed["data"] = ExchangedData(system.data, rows=lambda split, rows: first)
    if system.training is not None:
        changed["training"] = ExchangedTraining(system.training, seeded=lambda _: 0, finished=_always_the_first())
    if system.serving is not None and system.features is not None and system.data is not None:
        features, data = system.features, system.data
        changed["serving"] = ExchangedServing(
            system.serving, logged=lambda log: _copied(log, features.compute(data.raw(), _span(log)))
        )
    if system.repository is not None:
        changed["repository"] = _reviewed(system.repository, lambda review: replace(review, reviewer=review.author))
    return system.with_parts(**changed)


@_vacuity("V6-direction", "a metric declared the wrong way round: the worse, the better")
def wrong_direction(system: System, dose: float, workdir: Path) -> System:
    """Answers and metrics have the opposite sign, scores of a class are turned around."""
    if not dose:
        return system
    scores = system.task in ("binary", "multiclass")

    def opposite(answers: np.ndarray) -> np.ndarray:
        if answers.ndim == 2:
            return answers[:, ::-1]
        return 1.0 - answers if scores else -answers

    return _answering(system, opposite, -1.0)


@_vacuity("V7-tiny-n", "a test without power finds nothing, and nothing found reads as nothing wrong")
def too_few_rows(system: System, dose: float, workdir: Path) -> System:
    """Three rows are left of every table, three entries of every list."""
    return (
        rows_exchanged(system, Rowwise(lambda rows: rows.slice(0, FEW), lambda entries: entries[:FEW]))
        if dose
        else system
    )


@_vacuity("V8-stale", "evidence that is older than the model it speaks about, or is about another version")
def stale_evidence(system: System, dose: float, workdir: Path) -> System:
    """The model claims to be of another version and trained ten years after the rows; logs name a forgotten one."""
    if not dose:
        return system
    changed: dict[str, Any] = {}
    if system.model is not None:
        changed["model"] = exchanged_model(system.model, described=lambda info: _newer(system, info))
    if system.training is not None:
        changed["training"] = ExchangedTraining(
            system.training, finished=lambda artifact, _: replace(artifact, digest="0" * 64)
        )
    if system.serving is not None:
        changed["serving"] = ExchangedServing(system.serving, answered=_forgotten, logged=_of_a_forgotten_version)
    if system.repository is not None:
        changed["repository"] = _reviewed(system.repository, lambda review: replace(review, at=review.at - LATER))
    return system.with_parts(**changed)


def _reviewed(repository: Any, change: Callable[[Review], Review]) -> ExchangedRepository:
    """The repository whose reviews are each passed through a change."""
    return ExchangedRepository(repository, lists=(("reviews", lambda given: [change(each) for each in given]),))


class _NoRaw(ExchangedData):
    """Data that lost its raw tables."""

    def raw(self, window: Any = None) -> Mapping[str, Any]:
        return {}


def _kept_names(system: System) -> set[str]:
    """Keys and instants keep their names, so that rows can still be found and nothing is in them."""
    if system.data is None:
        return set()
    roles = system.data.roles
    return {name for name in (*roles.keys, roles.time, roles.block) if name is not None}


def _answering(system: System, change: Callable[[np.ndarray], np.ndarray], factor: float) -> System:
    """The system whose model answers through `change`, and whose artifacts have their metrics times `factor`."""
    changed: dict[str, Any] = {}
    if system.model is not None:
        changed["model"] = exchanged_model(system.model, after=lambda _, answers: change(answers))
    if system.training is not None:
        changed["training"] = ExchangedTraining(
            system.training,
            finished=lambda artifact, _: replace(
                artifact, metrics={name: value * factor for name, value in artifact.metrics.items()}
            ),
        )
    return system.with_parts(**changed)


def _always_the_first() -> Callable[[Artifact, Path], Artifact]:
    known: list[Artifact] = []

    def first(artifact: Artifact, _: Path) -> Artifact:
        known.append(artifact)
        return known[0]

    return first


def _span(log: pa.Table) -> tuple[datetime, datetime] | None:
    """From the first to after the last instant in the log."""
    for name in log.column_names:
        if pa.types.is_timestamp(log.column(name).type) and log.column(name).type.tz is not None:
            instants = log.column(name).drop_null().to_pylist()
            return (min(instants), max(instants) + timedelta(microseconds=1)) if instants else None
    return None


def _copied(log: pa.Table, batch: pa.Table) -> pa.Table:
    """The batch path's table, dressed as a log: the columns that only the log has are repeated from its first row."""
    for name in log.column_names:
        if name not in batch.column_names and log.num_rows:
            filler = [log.column(name)[0].as_py()] * batch.num_rows
            batch = batch.append_column(name, pa.array(filler, type=log.column(name).type))
    return batch


def _newer(system: System, info: ModelInfo) -> ModelInfo:
    latest = info.trained_until or FAR_FUTURE
    if system.data is not None and system.data.roles.time is not None:
        rows = list(columns.splits_of(system.data).values())[-1]
        instants = [t for t in rows.column(system.data.roles.time).to_pylist() if isinstance(t, datetime)]
        latest = max([latest, *(t if t.tzinfo else t.replace(tzinfo=UTC) for t in instants)])
    return replace(info, version=f"{info.version}-unseen", digest="0" * 64, trained_until=latest + LATER)


def _forgotten(_: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [{**answer, "version": "forgotten"} for answer in answers]


def _of_a_forgotten_version(log: pa.Table) -> pa.Table:
    return with_column(log, "version", pa.array(["forgotten"] * log.num_rows, type=pa.string()))
