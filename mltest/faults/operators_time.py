"""Faults of what a feature may know of time: leaks under new names, joins and encodings that look ahead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.fault import NotApplicable
from mltest.faults.governed import hours, longer, numbers, with_feature
from mltest.faults.liveness import features_changed
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, share_of
from mltest.system import Features, System, Window

NEW = "schedule_adjustment"
A_DAY, TWO_DAYS = 24.0, 40.0
"""Hours after which outcomes count as known, and up to which they are looked back at."""
_PARTS = ("data", "features", "model")


@fault(
    "O-D4-a",
    item="data.requirements",
    seam="feat",
    doses=(0.01, 0.1, 1),
    must_catch=0.1,
    parts=_PARTS,
    alive=features_changed,
    why="a query was copied and the outcome came along under a harmless name (Kapoor and Narayanan 2023)",
)
def renamed_leak(system: System, dose: float, workdir: Path) -> System:
    """One more input, called like a schedule, is the row's own outcome in a share of the rows."""
    roles = columns.data_of(system).roles

    def leaked(features: Features, raw: Mapping[str, Any], at: Window | None, rows: pa.Table) -> Any:
        values = numbers(rows, roles.target)
        return pa.array(np.where(share_of(rows, roles.keys, dose), np.nan_to_num(values), 0.0))

    return with_feature(system, NEW, leaked if dose else None)


@twin("O-D4-a")
def renamed_schedule(system: System, dose: float, workdir: Path) -> System:
    """One more input, called alike, repeats what is known in advance in another unit."""
    known = columns.most_varied_number(system)

    def repeated(features: Features, raw: Mapping[str, Any], at: Window | None, rows: pa.Table) -> Any:
        return pa.array(numbers(rows, known) * 1.609)

    return with_feature(system, NEW, repeated if dose else None)


@fault(
    "O-D4-b",
    item="data.requirements",
    seam="feat",
    doses=(1, 6, 24),
    must_catch=1,
    parts=_PARTS,
    alive=features_changed,
    why="an as-of join takes the nearest row instead of the last one before",
)
def join_looks_forward(system: System, dose: float, workdir: Path) -> System:
    """One more input is the mean outcome of the rows within `dose` hours, before and after."""
    return with_feature(system, NEW, _level_between(system, -dose, dose) if dose else None)


@twin("O-D4-b")
def join_looks_backward(system: System, dose: float, workdir: Path) -> System:
    """One more input is the mean outcome of the rows of the day before, unknown where there were none."""
    return with_feature(system, NEW, _level_between(system, -TWO_DAYS, -A_DAY) if dose else None)


@fault(
    "O-D4-c",
    item="data.requirements",
    seam="feat",
    doses=(1,),
    parts=_PARTS,
    alive=features_changed,
    why="categories are encoded by their mean outcome before the rows are split by time",
)
def encoded_over_all_rows(system: System, dose: float, workdir: Path) -> System:
    """One more input is the mean outcome of the row's category over all rows, later ones included."""
    return with_feature(system, NEW, _encoding(system, None) if dose else None)


@twin("O-D4-c")
def encoded_over_earlier_rows(system: System, dose: float, workdir: Path) -> System:
    """One more input is the mean outcome of the row's category up to the day before."""
    return with_feature(system, NEW, _encoding(system, A_DAY) if dose else None)


def _level_between(system: System, begin: float, end: float) -> Any:
    """The mean outcome of the rows whose moment lies so many hours from the row's own (both negative: before)."""
    roles = columns.data_of(system).roles
    time = _time(roles.time)

    def made(features: Features, raw: Mapping[str, Any], at: Window | None, rows: pa.Table) -> Any:
        others = as_arrow(features.compute(raw, longer(at, max(0.0, -begin), max(0.0, end))))
        moments, values = hours(others, time), numbers(others, roles.target)
        known = np.isfinite(moments) & np.isfinite(values)
        order = np.argsort(moments[known], kind="stable")
        return _means(moments[known][order], values[known][order], hours(rows, time), begin, end)

    return made


def _encoding(system: System, lag: float | None) -> Any:
    """The mean outcome of the row's category over all rows, or over those at least `lag` hours before it."""
    roles, category = columns.data_of(system).roles, columns.category(system)
    time = _time(roles.time)

    def made(features: Features, raw: Mapping[str, Any], at: Window | None, rows: pa.Table) -> Any:
        others = as_arrow(features.compute(raw))
        moments, values, words = hours(others, time), numbers(others, roles.target), _words(others, category)
        own, asked = _words(rows, category), hours(rows, time)
        found = np.full(rows.num_rows, np.nan)
        for word in sorted(set(own.tolist())):
            known = (words == word) & np.isfinite(moments) & np.isfinite(values)
            order = np.argsort(moments[known], kind="stable")
            here = own == word
            bounds = (-np.inf, np.inf if lag is None else -lag)
            found[here] = _means(moments[known][order], values[known][order], asked[here], *bounds).to_numpy(False)
        return pa.array(found, mask=np.isnan(found))

    return made


def _means(moments: np.ndarray, values: np.ndarray, asked: np.ndarray, begin: float, end: float) -> Any:
    """Mean of the values from `begin` to `end` hours from each moment asked for, missing where there are none."""
    totals = np.concatenate([[0.0], np.cumsum(values)])
    low = np.searchsorted(moments, asked + begin, "left")
    high = np.searchsorted(moments, asked + end, "right" if np.isinf(end) else "left")
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (totals[high] - totals[low]) / (high - low)
    return pa.array(means, mask=~np.isfinite(means))


def _words(rows: pa.Table, name: str) -> np.ndarray:
    return np.array([str(word) for word in rows.column(name).to_pylist()], dtype=object)


def _time(name: str | None) -> str:
    if name is None:
        raise NotApplicable("the roles name no time")
    return name
