"""Faults of the live path: a feature that is computed, filled or encoded otherwise than in training.

The request log of a server shows features as served; these faults change what it served them as.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mltest.faults import columns
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import log_changed, newest_rows
from mltest.faults.parts import ExchangedServing
from mltest.faults.registry import fault, twin
from mltest.faults.rows import floats, is_numeric, is_text, replaced, share_of, text, with_column
from mltest.system import System

HARDLY_VISIBLE = 0.1
"""Standard deviations by which the feature with another meaning is off."""


def served_otherwise(system: System, change: Callable[[pa.Table], pa.Table] | None) -> System:
    """The system whose servers log features passed through `change` (a function of the log's rows)."""
    if system.serving is None:
        raise NotApplicable(f"{system.name} offers no serving part")
    return system.with_parts(serving=ExchangedServing(system.serving, logged=change))


@fault(
    "O-MON3-a",
    item="monitoring.skew",
    seam="serve",
    doses=(0.01, 0.1, 1.0),
    must_catch=0.1,
    parts=("data", "serving"),
    alive=log_changed,
    why="the server derives a feature from the actual time, the training from the scheduled one",
)
def another_meaning(system: System, dose: float, workdir: Path) -> System:
    """In a share of the requests a numeric feature is off by a tenth of its standard deviation."""
    column, roles = columns.most_varied_number(system), columns.data_of(system).roles
    values = floats(columns.learned_from(columns.data_of(system)).column(column))
    shift = HARDLY_VISIBLE * float(np.nanstd(values))
    whole = bool(np.all(values[np.isfinite(values)] % 1 == 0))
    step = float(np.ceil(shift)) if whole else shift

    def off(rows: pa.Table) -> pa.Table:
        chosen = share_of(rows, roles.keys, dose)
        if column not in rows.column_names or not chosen.any():
            return rows
        return with_column(rows, column, replaced(rows.column(column), chosen, lambda v: v + step))

    return served_otherwise(system, off if dose else None)


@twin("O-MON3-a")
def single_precision(system: System, dose: float, workdir: Path) -> System:
    """The server logs floating-point features in single precision."""

    def rounded(rows: pa.Table) -> pa.Table:
        for name in _inputs(system, rows):
            if pt.is_float64(rows.column(name).type):
                single = floats(rows.column(name)).astype(np.float32).astype(np.float64)
                rows = with_column(rows, name, pa.array(single, mask=np.isnan(single)))
        return rows

    return served_otherwise(system, rounded if dose else None)


@fault(
    "O-MON3-c",
    item="monitoring.skew",
    seam="serve",
    doses=(0.1, 1.0),
    must_catch=1.0,
    parts=("data", "serving"),
    alive=log_changed,
    why="training fills gaps with a median, the server with nought",
)
def another_imputation(system: System, dose: float, workdir: Path) -> System:
    """In a share of the requests missing numbers are served as 0."""
    roles = columns.data_of(system).roles
    _require_gaps(system)

    def filled(rows: pa.Table) -> pa.Table:
        chosen = share_of(rows, roles.keys, dose)
        for name in _inputs(system, rows):
            gaps = np.isnan(floats(rows.column(name))) & chosen if is_numeric(rows.column(name)) else chosen & False
            if gaps.any():
                rows = with_column(rows, name, replaced(rows.column(name), gaps, np.zeros_like))
        return rows

    return served_otherwise(system, filled if dose else None)


def _gaps_are_written_otherwise(healthy: System, faulted: System) -> str:
    """Looks at how missing numbers and zeros are stored, which no comparison of values shows."""
    rows = newest_rows(healthy)
    logged = _logged(faulted, rows)
    changed = [name for name in rows.column_names if _storage(rows.column(name)) != _storage(logged.column(name))]
    return f"stored otherwise in the log: {', '.join(changed)}" if changed else ""


@twin("O-MON3-c", alive=_gaps_are_written_otherwise)
def missing_as_not_a_number(system: System, dose: float, workdir: Path) -> System:
    """The server logs missing numbers as NaN instead of null, and zeros with a minus sign."""

    def written(rows: pa.Table) -> pa.Table:
        for name in _inputs(system, rows):
            if pt.is_floating(rows.column(name).type):
                values = floats(rows.column(name))
                rows = with_column(rows, name, pa.array(np.where(values == 0.0, -0.0, values), from_pandas=False))
        return rows

    return served_otherwise(system, written if dose else None)


@fault(
    "O-MON3-d",
    item="monitoring.skew",
    seam="serve",
    doses=(0.1, 1.0),
    must_catch=1.0,
    parts=("data", "serving"),
    alive=log_changed,
    why="categories coded afresh in every request: a request of one row always means the first category",
)
def coded_per_request(system: System, dose: float, workdir: Path) -> System:
    """In a share of the requests, each of one row, a category is served as the first of the vocabulary."""
    names, roles = columns.text_inputs(system), columns.data_of(system).roles
    if not names:
        raise NotApplicable(f"{system.name} has no text input")
    rows = columns.learned_from(columns.data_of(system))
    first = {name: min(text(rows.column(name)).drop_null().to_pylist(), default="") for name in names}

    def coded(log: pa.Table) -> pa.Table:
        chosen = share_of(log, roles.keys, dose)
        for name in (n for n in names if n in log.column_names and is_text(log.column(n))):
            words = zip(text(log.column(name)).to_pylist(), chosen, strict=True)
            log = with_column(log, name, pa.array([first[name] if hit and w else w for w, hit in words], pa.string()))
        return log

    return served_otherwise(system, coded if dose else None)


@twin("O-MON3-d", alive=_gaps_are_written_otherwise)
def stored_as_dictionary(system: System, dose: float, workdir: Path) -> System:
    """The server logs categories as a dictionary with codes; the values are the same."""

    def encoded(rows: pa.Table) -> pa.Table:
        for name in _inputs(system, rows):
            if is_text(rows.column(name)) and not pt.is_dictionary(rows.column(name).type):
                rows = with_column(rows, name, rows.column(name).dictionary_encode())
        return rows

    return served_otherwise(system, encoded if dose else None)


def _require_gaps(system: System) -> None:
    rows = columns.learned_from(columns.data_of(system))
    if not any(np.isnan(floats(rows.column(name))).any() for name in columns.number_inputs(system)):
        raise NotApplicable(f"{system.name} has no missing number among its inputs")


def _inputs(system: System, rows: pa.Table) -> Sequence[str]:
    return [name for name in columns.inputs_of(columns.data_of(system).roles, rows) if name in rows.column_names]


def _logged(system: System, rows: pa.Table) -> pa.Table:
    serving: Any = system.serving
    return serving.logged_as(rows) if isinstance(serving, ExchangedServing) else rows


def _storage(column: Any) -> tuple[str, int, int]:
    """Type, number of nulls and number of negative zeros."""
    signs = 0
    if pt.is_floating(column.type):
        values = floats(column)
        signs = int(np.sum(np.signbit(values) & (values == 0.0)))
    return str(column.type), int(column.null_count), signs
