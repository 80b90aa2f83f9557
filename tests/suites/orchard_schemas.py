"""Orchards whose expectations have one gap or were read off the wrong rows, and honest ones that look like them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandera.polars as pandera
import polars
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import Roles, System, SystemRef, Window
from tests.suites import orchard
from tests.suites.orchard import INPUTS, NUMBERS, ROLES, VARIETIES, OrchardData, expectations, number

EXTRA = tuple(f"x{i}" for i in range(14))


def expecting(ref: SystemRef, changed: Mapping[str, pandera.Column], **options: Any) -> System:
    """The orchard's own expectations, some of them exchanged."""
    schema = pandera.DataFrameSchema({**expectations().columns, **changed}, **options)
    return orchard.system(ref).with_parts(data=OrchardData(schema={"dataset": schema}))


def with_variety(ref: SystemRef, check: pandera.Check) -> System:
    return expecting(ref, {"variety": pandera.Column(polars.String, check)})


def any_word(ref: SystemRef) -> System:
    return with_variety(ref, pandera.Check.str_length(1, 20))


def any_text(ref: SystemRef) -> System:
    return with_variety(ref, pandera.Check.str_matches(r"^.+$"))


def letters(ref: SystemRef) -> System:
    return with_variety(ref, pandera.Check.str_matches(r"^[A-Za-z ]+$"))


def always_true(ref: SystemRef) -> System:
    """A check somebody switched off."""

    def accepted(data: Any) -> Any:
        return data.lazyframe.select(polars.col(data.key).is_not_null() | True)

    return with_variety(ref, pandera.Check(accepted))


def coercing(ref: SystemRef) -> System:
    """Numbers that arrive as text are made numbers before anybody looks."""
    return expecting(ref, {}, coerce=True)


@dataclass(frozen=True)
class WideData(OrchardData):
    """Fourteen numbers more."""

    roles: Roles = field(default_factory=lambda: replace(ROLES, inputs=(*INPUTS, *EXTRA)))

    def dataset(self, split: str) -> pa.Table:
        return _widened(super().dataset(split))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"trees": _widened(super().raw(window)["trees"])}


def _widened(rows: pa.Table) -> pa.Table:
    for seed, name in enumerate(EXTRA):
        rows = rows.append_column(name, pa.array(np.random.default_rng(seed).uniform(3, 40, rows.num_rows)))
    return rows


def two_of_twenty_unbounded(ref: SystemRef) -> System:
    columns = {**expectations().columns, **{name: number(2, 45, (18, 25)) for name in EXTRA}}
    for name in EXTRA[:2]:
        columns[name] = pandera.Column(polars.Float64, pandera.Check.in_range(-1e9, 1e9))
    return orchard.system(ref).with_parts(data=WideData(schema={"dataset": pandera.DataFrameSchema(columns)}))


def read_off(ref: SystemRef, rows: pa.Table, made: Callable[[float, float], tuple[float, float]]) -> System:
    """Bounds that `made` makes of the ends of `rows`."""
    changed = {}
    for name in NUMBERS:
        ends = pc.min_max(rows[name]).as_py()
        check = pandera.Check.in_range(*made(ends["min"], ends["max"]))
        changed[name] = pandera.Column(polars.Float64, check, nullable=rows[name].null_count > 0)
    return expecting(ref, {**changed, "variety": pandera.Column(polars.String, pandera.Check.isin(VARIETIES))})


def read_off_all_rows(ref: SystemRef) -> System:
    return read_off(ref, orchard.trees(), lambda low, high: (low, high))


def read_off_with_slack(ref: SystemRef) -> System:
    rows = OrchardData().dataset("holdout")
    return read_off(ref, rows, lambda low, high: (low - 0.01 * (high - low), high + 0.01 * (high - low)))


def read_off_and_rounded(ref: SystemRef) -> System:
    rows = OrchardData().dataset("holdout")
    return read_off(ref, rows, lambda low, high: (math.floor(10 * low) / 10, math.ceil(10 * high) / 10))


def read_off_the_training_rows(ref: SystemRef) -> System:
    """Honest: the training rows with a tenth of slack."""
    rows = OrchardData().dataset("train")
    return read_off(ref, rows, lambda low, high: (low - 0.1 * (high - low), high + 0.1 * (high - low)))


@dataclass(frozen=True)
class Changed(OrchardData):
    """Rows that `change` changes, given the split; raw rows as those of the holdout."""

    change: Callable[[pa.Table, str], pa.Table] = lambda rows, split: rows

    def dataset(self, split: str) -> pa.Table:
        return self.change(super().dataset(split), split)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"trees": self.change(super().raw(window)["trees"], "holdout")}


def put(rows: pa.Table, name: str, values: Any) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, pa.array(values))


@dataclass(frozen=True)
class Rekeyed(OrchardData):
    """Training rows are held back, under the keys of others."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split != "holdout":
            return rows
        taken = super().dataset("train").slice(0, rows.num_rows)
        for name in ("tree_id", "at"):
            taken = taken.set_column(taken.column_names.index(name), name, rows[name])
        return taken


def training_rows_under_other_keys(ref: SystemRef) -> System:
    return orchard.system(ref).with_parts(data=Rekeyed())


def _stuck(rows: pa.Table, split: str) -> pa.Table:
    return rows if split == "train" else put(rows, "rain", [5.0] * rows.num_rows)


def with_a_stuck_gauge(ref: SystemRef) -> System:
    """A rain gauge that says 5 mm since training ended."""
    return orchard.system(ref).with_parts(data=Changed(change=_stuck))


def _replanted(rows: pa.Table, split: str) -> pa.Table:
    varieties = rows["variety"].to_pylist()
    varieties[-1] = "lexington"
    return put(rows, "variety", varieties)


def one_new_variety(ref: SystemRef) -> System:
    """Honest: one tree of a variety that nobody wrote down, within the budget."""
    return orchard.system(ref).with_parts(data=Changed(change=_replanted))


def _dry(rows: pa.Table, split: str) -> pa.Table:
    rain = rows["rain"].to_numpy(zero_copy_only=False)
    wet = rain > 15 if split == "train" else np.zeros(len(rain), dtype=bool)
    return put(rows, "rain", np.where(wet, rain, 0.0))


def one_season(ref: SystemRef) -> System:
    """Honest: rain that is rare in training, and none in the season that was held back."""
    dry = pandera.Column(polars.Float64, [pandera.Check.in_range(0, 60), pandera.Check(_mostly_none)], nullable=True)
    schema = pandera.DataFrameSchema({**expectations().columns, "rain": dry})
    return orchard.system(ref).with_parts(data=Changed(schema={"dataset": schema}, change=_dry))


def _mostly_none(data: Any) -> Any:
    seen = polars.col(data.key).cast(polars.Float64, strict=False)
    return data.lazyframe.select((seen.median() <= 1) & (seen.null_count() <= 0.06 * polars.len()))
