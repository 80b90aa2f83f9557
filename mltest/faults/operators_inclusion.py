"""Faults that fall on one group of people: predicted to one side, hardly learned from, not found, or served less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import model_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import answers_changed, data_changed, newest_rows
from mltest.faults.parts import ExchangedData, ExchangedServing, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import floats, latest, share_of, uniform, with_column
from mltest.faults.slice_choice import Slice
from mltest.offers.service_level import ServiceLevel
from mltest.system import Roles, System

ENOUGH = 400
"""Held-out rows from which on the smallest group is one that a bias shows in."""
EXTRA = "injected_group"
_OF_A_CHANCE = 0.2


def smallest_group(system: System) -> Slice:
    """The smallest declared group with enough of the newest rows. Raises NotApplicable without any."""
    data = columns.data_of(system)
    newest = list(columns.splits_of(data).values())[-1]
    found = []
    for column in data.roles.groups:
        counts = Counter(value for value in newest.column(column).to_pylist() if value is not None)
        found += [(n, column, value) for value, n in counts.items() if n >= min(ENOUGH, newest.num_rows // 20)]
    if not found:
        raise NotApplicable(f"{system.name} declares no group with enough rows")
    _, column, value = min(found, key=lambda entry: (entry[0], entry[1], str(entry[2])))
    return Slice(((column, value),))


def _shifted(system: System, chosen: Slice, steps: Callable[[pa.Table], np.ndarray]) -> System:
    """Answers of the group moved by `steps`, in units of the mean absolute error on new rows (0.2 for chances)."""
    model, data = model_of(system), columns.data_of(system)
    rows, is_number = newest_rows(system), system.task in ("regression", "forecast")
    unit = _OF_A_CHANCE
    if is_number:
        truth = floats(rows.column(data.roles.target))
        unit = float(np.nanmean(np.abs(np.asarray(model.predict(rows), dtype=np.float64) - truth)))

    def moved(batch: pa.Table, answers: np.ndarray) -> np.ndarray:
        step = unit * steps(batch) * chosen.mask(batch)
        if is_number:
            return np.asarray(answers + step)
        if answers.ndim == 1:
            return np.asarray(np.clip(answers + step, 0.0, 1.0))
        last = np.clip(answers[:, -1] + step, 0.0, 1.0)
        others = answers[:, :-1] * ((1.0 - last) / np.maximum(1e-12, 1.0 - answers[:, -1]))[:, None]
        return np.asarray(np.column_stack([others, last]))

    return system.with_parts(model=exchanged_model(model, after=moved))


@fault(
    "O-M7-a",
    item="model.inclusion",
    seam="art",
    doses=(0.25, 0.5, 0.8),
    must_catch=0.8,
    parts=("data", "model"),
    alive=answers_changed,
    why="an asymmetric loss, or labels of one region by another clock: the mean error hardly moves, its sign does",
)
def a_group_predicted_too_low(system: System, dose: float, workdir: Path) -> System:
    """The smallest group is predicted too low by `dose` times the mean absolute error."""
    chosen = smallest_group(system)
    return _shifted(system, chosen, lambda rows: np.full(rows.num_rows, -dose)) if dose else system


@twin("O-M7-a", doses=(0.5,))
def a_group_predicted_less_surely(system: System, dose: float, workdir: Path) -> System:
    """The smallest group is predicted too low as often as too high: more variance at the same bias."""
    chosen, keys = smallest_group(system), columns.data_of(system).roles.keys
    return _shifted(system, chosen, lambda rows: dose * np.sign(uniform(rows, keys, 3) - 0.5)) if dose else system


def _thinned(system: System, dose: float, chosen: Slice | None) -> System:
    """Training rows without a share of those of a group, or of all rows."""
    data = columns.data_of(system)

    def kept(split: str, rows: pa.Table) -> pa.Table:
        if split != "train" or not dose:
            return rows
        lost = share_of(rows, data.roles.keys, dose)
        return rows.filter(pa.array(~(lost if chosen is None else lost & chosen.mask(rows))))

    return system.with_parts(data=ExchangedData(data, rows=kept))


@fault(
    "O-M7-b",
    item="model.inclusion",
    seam="feat",
    doses=(0.5, 0.9),
    must_catch=0.9,
    parts=("data",),
    alive=data_changed,
    why="a sample drawn where the majority lives (DeepCrime: unbalanced training data)",
)
def a_group_hardly_learned_from(system: System, dose: float, workdir: Path) -> System:
    """A share of the training rows of the smallest group is missing."""
    return _thinned(system, dose, smallest_group(system))


@twin("O-M7-b", doses=(0.5,))
def everybody_sampled_alike(system: System, dose: float, workdir: Path) -> System:
    """A share of all training rows is missing, whatever their group."""
    return _thinned(system, dose, None)


@fault(
    "O-M7-c",
    item="model.inclusion",
    seam="feat",
    doses=(0.5, 1.0),
    must_catch=1.0,
    parts=("data",),
    alive=data_changed,
    why="the table of groups was renamed, its keys no longer match, and a report over no groups is all green",
    evidence_removal=True,
)
def groups_no_longer_match(system: System, dose: float, workdir: Path) -> System:
    """A share of the rows belongs to no group any more, in every split."""
    data = columns.data_of(system)

    def unmatched(_: str, rows: pa.Table) -> pa.Table:
        lost = share_of(rows, data.roles.keys, dose)
        for name in data.roles.groups:
            values = zip(rows.column(name).to_pylist(), lost, strict=True)
            kept = pa.array([None if gone else value for value, gone in values], rows.column(name).type)
            rows = with_column(rows, name, kept)
        return rows

    return system.with_parts(data=ExchangedData(data, rows=unmatched if dose else None))


@twin("O-M7-c")
def one_more_group(system: System, dose: float, workdir: Path) -> System:
    """A further column of groups is declared, which halves the rows by chance."""
    data = columns.data_of(system)

    def added(_: str, rows: pa.Table) -> pa.Table:
        halves = np.where(uniform(rows, data.roles.keys, 7) < 0.5, "first", "second")
        return with_column(rows, EXTRA, pa.array(halves.tolist(), pa.string()))

    def declared(roles: Roles) -> Roles:
        return replace(roles, groups=(*roles.groups, EXTRA))

    return system.with_parts(data=ExchangedData(data, rows=added, meaning=declared) if dose else data)


@dataclass(frozen=True)
class _Lessened(ExchangedServing):
    """Serving that gives some requests its fallback."""

    fallback: Callable[[pa.Table], np.ndarray] | None = None

    def service_level(self, rows: pa.Table) -> ServiceLevel:
        report: Any = getattr(self.inner, "service_level", None)
        level = ServiceLevel(np.ones(rows.num_rows, dtype=bool), "an answer") if report is None else report(rows)
        return level if self.fallback is None else ServiceLevel(level.full & ~self.fallback(rows), level.means)


def _serves_less(healthy: System, faulted: System) -> str:
    """Asks both serving parts for the service level of the newest rows; no server is started for it."""
    rows = newest_rows(healthy)
    before, after = (_level(system, rows) for system in (healthy, faulted))
    lost = int(np.count_nonzero(before & ~after))
    return f"{lost} of {rows.num_rows} requests get the fallback" if lost else ""


def _level(system: System, rows: pa.Table) -> np.ndarray:
    report = getattr(system.serving, "service_level", None)
    return np.ones(rows.num_rows, dtype=bool) if report is None else np.asarray(report(rows).full)


def _served_with_fallback(system: System, fallback: Callable[[pa.Table], np.ndarray] | None) -> System:
    if system.serving is None:
        raise NotApplicable(f"{system.name} offers no serving part")
    return system.with_parts(serving=_Lessened(system.serving, fallback=fallback))


@fault(
    "O-M7-d",
    item="model.inclusion",
    seam="serve",
    doses=(0.1, 0.3),
    must_catch=0.3,
    parts=("data", "serving"),
    alive=_serves_less,
    why="a vocabulary made from the majority: the places of a minority are unknown to it and get the fallback",
)
def a_group_served_by_the_fallback(system: System, dose: float, workdir: Path) -> System:
    """A share of the requests of the smallest group gets the fallback."""
    chosen, keys = smallest_group(system), columns.data_of(system).roles.keys
    lessened = (lambda rows: share_of(rows, keys, dose, salt=5) & chosen.mask(rows)) if dose else None
    return _served_with_fallback(system, lessened)


@twin("O-M7-d", doses=(7,))
def everybody_served_by_the_fallback(system: System, dose: float, workdir: Path) -> System:
    """In an outage of `dose` days every request gets the fallback."""
    time = columns.data_of(system).roles.time
    return _served_with_fallback(system, (lambda rows: latest(rows, time, dose)) if dose else None)
