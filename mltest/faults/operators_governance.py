"""Faults of what a feature may be made from: lapsed and orphaned entries, forbidden columns, columns nobody named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import model_of
from mltest.faults.fault import NotApplicable
from mltest.faults.governed import (
    catalogue_of,
    computed_from,
    numbers,
    policy_of,
    relisted,
)
from mltest.faults.liveness import answers_changed, data_changed, features_changed
from mltest.faults.parts import ExchangedData, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, floats, is_numeric, share_of, with_column
from mltest.system import FeatureInfo, System

ALIAS = "@feature-stewards"


@fault(
    "O-D4-d",
    item="data.requirements",
    seam="spec",
    doses=(1, 3),
    must_catch=1,
    parts=("data", "model"),
    alive=lambda healthy, faulted: _entries_changed(healthy, faulted),
    why="whoever built the feature left, and nobody noticed",
)
def orphaned(system: System, dose: float, workdir: Path) -> System:
    """`dose` inputs have no owner."""
    return _with_entries(system, int(dose), lambda entry: replace(entry, owner=""))


@twin("O-D4-d")
def owned_by_a_team(system: System, dose: float, workdir: Path) -> System:
    """An input belongs to the alias of a team, which the policy knows."""
    return _with_entries(system, int(dose), lambda entry: replace(entry, owner=ALIAS))


@fault(
    "O-D4-d.deprecated",
    item="data.requirements",
    seam="spec",
    doses=(1, 30, 365),
    must_catch=1,
    parts=("data", "model"),
    alive=lambda healthy, faulted: _entries_changed(healthy, faulted),
    why="a source is announced to end, and the model goes on reading it",
)
def lapsed(system: System, dose: float, workdir: Path) -> System:
    """An input is deprecated since `dose` days."""
    return _with_entries(system, int(dose > 0), lambda entry: replace(entry, deprecated_after=_in_days(system, -dose)))


@twin("O-D4-d.deprecated", doses=(1, 30))
def not_yet_lapsed(system: System, dose: float, workdir: Path) -> System:
    """An input will be deprecated in `dose` days."""
    return _with_entries(system, int(dose > 0), lambda entry: replace(entry, deprecated_after=_in_days(system, dose)))


@fault(
    "O-D4-e",
    item="data.requirements",
    seam="feat",
    doses=(0.01, 0.1, 1),
    must_catch=0.1,
    parts=("data", "features", "model"),
    alive=features_changed,
    why="a query picks the wrong column of the right table: no name in the catalogue changes",
)
def forbidden_column_mixed_in(system: System, dose: float, workdir: Path) -> System:
    """In a share of the rows a declared column holds what a forbidden one of the same table says."""
    table, forbidden, declared = _neighbours(system)

    def mixed(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        if table not in raw or not {forbidden, declared} <= set(as_arrow(raw[table]).column_names):
            return raw
        rows = as_arrow(raw[table])
        own, theirs = floats(rows.column(declared)), numbers(rows, forbidden)
        # Which rows they are must not depend on what the forbidden column says of them.
        chosen = share_of(rows.drop_columns([forbidden]), (), dose) & ~np.isnan(theirs)
        values = np.where(chosen, theirs, own)
        kind = rows.column(declared).type
        filled = pa.array(np.round(values) if pa.types.is_integer(kind) else values, mask=np.isnan(values)).cast(kind)
        return {**raw, table: with_column(rows, declared, filled)}

    return computed_from(system, mixed if dose else None)


@twin("O-D4-e", alive=data_changed)
def forbidden_column_carried_along(system: System, dose: float, workdir: Path) -> System:
    """A raw table holds the forbidden column a second time under another name, and no feature reads it."""
    column = policy_of(system).forbidden[0]

    def widened(name: str, rows: pa.Table) -> pa.Table:
        if name != column.table or column.column not in rows.column_names or not dose:
            return rows
        return with_column(rows, f"{column.column}_again", rows.column(column.column))

    return system.with_parts(data=ExchangedData(columns.data_of(system), raw_rows=widened))


@fault(
    "O-D4-e.model",
    item="data.requirements",
    seam="art",
    doses=(0.01, 0.1),
    must_catch=0.01,
    parts=("data", "model"),
    alive=answers_changed,
    why="a frame is handed to the model whole, and one of its stages takes every number that it finds",
)
def model_reads_an_unnamed_column(system: System, dose: float, workdir: Path) -> System:
    """Answers follow a column that the model does not name: the outcome, where the rows still have it."""
    return _following(system, columns.data_of(system).roles.target, dose)


@twin("O-D4-e.model")
def model_reads_a_named_column_more(system: System, dose: float, workdir: Path) -> System:
    """Answers follow one of the inputs a little more than before."""
    return _following(system, columns.most_varied_number(system), dose)


def _following(system: System, name: str, dose: float) -> System:
    scores = system.task in ("binary", "multiclass")

    def shifted(batch: pa.Table, answers: np.ndarray) -> np.ndarray:
        if name not in batch.column_names or not dose:
            return answers
        values = np.nan_to_num(numbers(batch, name))
        spread = np.ptp(values) or 1.0
        share = ((values - values.min()) / spread).reshape(-1, *[1] * (answers.ndim - 1))
        moved = answers.astype(np.float64) + dose * share
        return np.asarray(np.clip(moved, 0.0, 1.0) if scores else moved)

    return system.with_parts(model=exchanged_model(model_of(system), after=shifted if dose else None))


def _neighbours(system: System) -> tuple[str, str, str]:
    """A table, a forbidden column of it, and a declared number of it that an input is made from."""
    raw = columns.data_of(system).raw()
    sources = " ".join(f"{entry.source} {entry.name}" for entry in catalogue_of(system))
    forbidden = policy_of(system).forbidden
    barred = {(column.table, column.column) for column in forbidden}
    outcome = columns.data_of(system).roles.outcome
    # The table of the outcome mostly says who a row is and when it was; another one is changed with less ado.
    for column in sorted(forbidden, key=lambda column: outcome is not None and column.table == outcome.table):
        rows = as_arrow(raw[column.table])
        for name in rows.column_names:
            if (column.table, name) not in barred and name in sources and is_numeric(rows.column(name)):
                return column.table, column.column, name
    raise NotApplicable("no table has a forbidden column beside a declared number")


def _with_entries(system: System, count: int, change: Any) -> System:
    """The first `count` inputs of the artefact with another entry, whose owner the policy knows."""
    chosen = [entry.name for entry in catalogue_of(system) if entry.name in _inputs(system)][:count]

    def listed(known: Any) -> tuple[FeatureInfo, ...]:
        return tuple(change(entry) if entry.name in chosen else entry for entry in known)

    def permitted(policy: Any) -> Any:
        return replace(policy, owners=(*policy.owners, ALIAS)) if policy.owners else policy

    return relisted(system, listed if count else None, permitted if count else None)


def _inputs(system: System) -> tuple[str, ...]:
    data = columns.data_of(system)
    return columns.inputs_of(data.roles, columns.learned_from(data))


def _entries_changed(healthy: System, faulted: System) -> str:
    before, after = catalogue_of(healthy), catalogue_of(faulted)
    changed = [new.name for old, new in zip(before, after, strict=True) if old != new]
    return f"other entries of {', '.join(changed)}" if changed else ""


def _in_days(system: System, days: float) -> str:
    now = datetime.now(UTC) if system.clock is None else system.clock.now()
    return (now + timedelta(days=days)).date().isoformat()
