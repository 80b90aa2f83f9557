"""Clinics that are lopsided, or that only look so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults.parts import ExchangedData, exchanged_model
from mltest.faults.rows import with_column
from mltest.offers.inclusion import InclusionPolicy
from mltest.system import ModelInfo, Roles, System, SystemRef, Window
from tests.suites import clinics
from tests.suites.clinics import ROLES, TARGET, ClinicData, between, visits

Change = Callable[[pa.Table], pa.Table]


def is_in(rows: pa.Table, column: str, *values: str) -> np.ndarray:
    return np.asarray(pc.is_in(rows[column], pa.array(values)).to_numpy(zero_copy_only=False), dtype=bool)


def with_rows(ref: SystemRef, change: Callable[[str, pa.Table], pa.Table]) -> System:
    found = clinics.system(ref)
    return replace(found, data=ExchangedData(found.data, rows=change))


def answering(ref: SystemRef, after: Callable[[pa.Table, np.ndarray], np.ndarray]) -> System:
    found = clinics.system(ref)
    return replace(found, model=exchanged_model(found.model, after=after))


def without(ref: SystemRef, *parts: str) -> System:
    return replace(clinics.system(ref), **dict.fromkeys(parts))


def no_groups(ref: SystemRef) -> System:
    return replace(clinics.system(ref), data=ClinicData(roles=replace(ROLES, groups=())))


def everybody_alike(ref: SystemRef) -> System:
    """A join that fell back to its default: all belong to the town."""
    return with_rows(ref, lambda _, rows: with_column(rows, "place", pa.array(["town"] * rows.num_rows)))


def nine_days(ref: SystemRef) -> System:
    """Nine days of holdout and no validation split."""

    def change(split: str, rows: pa.Table) -> pa.Table:
        if split == "validation":
            raise KeyError("no split 'validation'")
        return rows.slice(0, 9 * clinics.A_DAY) if split == "holdout" else rows

    return with_rows(ref, change)


def a_tiny_group(ref: SystemRef) -> System:
    """Two people in a thousand speak a third language."""

    def change(_: str, rows: pa.Table) -> pa.Table:
        third = np.arange(rows.num_rows) % 500 == 3
        spoken = np.where(third, "third", np.array(rows["language"].to_pylist()))
        return with_column(rows, "language", pa.array(spoken.tolist()))

    return with_rows(ref, change)


def two_biases_that_cancel(ref: SystemRef) -> System:
    """Islanders are predicted too low, the minority too high: over all rows nothing moves."""
    return answering(
        ref, lambda rows, a: a - 2.5 * is_in(rows, "place", "island") + 1.5 * is_in(rows, "language", "minority")
    )


def refuses_the_island(ref: SystemRef) -> System:
    """No serving part is offered, and the model has no answer to every third islander."""

    def after(rows: pa.Table, answers: np.ndarray) -> np.ndarray:
        third = (1000 * rows["load"].to_numpy()).astype(int) % 3 == 0
        return np.where(third & is_in(rows, "place", "island"), np.nan, answers)

    return replace(answering(ref, after), serving=None)


def a_ward_that_training_never_had(ref: SystemRef) -> System:
    """The people of one village ward moved, and their new ward's name is on no list."""

    def change(split: str, rows: pa.Table) -> pa.Table:
        moved = is_in(rows, "ward", "moor") & (split != "train")
        wards = np.where(moved, "new moor", np.array(rows["ward"].to_pylist()))
        return with_column(rows, "ward", pa.array(wards.tolist()))

    found = with_rows(ref, change)
    return replace(found, serving=None)


def lost_in_a_join(ref: SystemRef) -> System:
    """The island is in the raw table, and in no split."""
    return with_rows(ref, lambda _, rows: rows.filter(pc.not_equal(rows["place"], "island")))


def acts_on_the_ward(ref: SystemRef) -> System:
    """Answers go up in one ward and down in the other of the same place, and a policy forbids that it matters."""
    data = ClinicData(roles=replace(ROLES, groups=("ward",)), inclusion=InclusionPolicy(must_not_matter=("ward",)))
    return replace(answering(ref, lambda rows, a: a + 0.2 * is_in(rows, "ward", "hill")), data=data)


def may_not_act_and_does_not(ref: SystemRef) -> System:
    return replace(clinics.system(ref), data=ClinicData(inclusion=InclusionPolicy(must_not_matter=("place",))))


def some_without_a_group(ref: SystemRef) -> System:
    """One in twenty did not say what language they speak."""

    def change(_: str, rows: pa.Table) -> pa.Table:
        silent = np.arange(rows.num_rows) % 20 == 7
        return with_column(rows, "language", pc.if_else(pa.array(silent), None, rows["language"]))

    return with_rows(ref, change)


def learned_from_validation_too(ref: SystemRef) -> System:
    """The model is fitted to training and validation: the holdout alone may be judged."""
    data = ClinicData()
    rows = pa.concat_tables([data.dataset("train"), data.dataset("validation")])

    def change(split: str, table: pa.Table) -> pa.Table:
        return rows if split == "train" else table

    return replace(clinics.system(ref), data=ExchangedData(data, rows=change), model=clinics.fitted(rows))


@dataclass(frozen=True)
class NoHistory(ClinicData):
    """There are no raw tables and no time: the holdout stands in for the traffic, rows for days."""

    roles: Roles = field(default_factory=lambda: replace(ROLES, time=None, entity=None))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {}


def no_history(ref: SystemRef) -> System:
    return replace(clinics.system(ref), data=NoHistory())


@dataclass(frozen=True)
class Recent(ClinicData):
    """Training rows of the last sixty of a hundred days; on the forty before them nobody from the island came."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.slice(40 * clinics.A_DAY) if split == "train" else rows

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        """Everything known when the window ended, as a store of raw rows gives it."""
        rows = visits(self.seed) if window is None else between(visits(self.seed), (clinics.FIRST_DAY, window[1]))
        early = np.arange(rows.num_rows) < 40 * clinics.A_DAY
        return {"visits": rows.filter(pa.array(~(early & is_in(rows, "place", "island")))).drop_columns(["place"])}


def recent(ref: SystemRef) -> System:
    return replace(clinics.system(ref), data=Recent())


def a_majority_thinned_out(ref: SystemRef) -> System:
    """Training takes every second visit from the town, so that the others are heard better."""

    def change(split: str, rows: pa.Table) -> pa.Table:
        lost = is_in(rows, "place", "town") & (np.arange(rows.num_rows) % 2 == 0)
        return rows.filter(pa.array(~lost)) if split == "train" else rows

    return with_rows(ref, change)


@dataclass(frozen=True)
class Chances:
    """The chance that a visit takes longer than its slot, with the bias of a group on the scale of chances."""

    minutes: Any
    bias: float = 0.0
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=clinics.INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        chance = 1.0 / (1.0 + np.exp(-0.5 * self.minutes.predict(batch)))
        return np.asarray(np.clip(chance + self.bias * is_in(batch, "place", "island"), 0.001, 0.999))


def _of_classes(ref: SystemRef, bias: float) -> System:
    def change(_: str, rows: pa.Table) -> pa.Table:
        return with_column(rows, TARGET, pa.array((rows[TARGET].to_numpy() > 0).tolist()))

    found = clinics.system(ref)
    data = ExchangedData(ClinicData(roles=replace(ROLES, positive=True)), rows=change)
    return replace(found, task="binary", data=data, model=Chances(found.model, bias))


def fair_chances(ref: SystemRef) -> System:
    return _of_classes(ref, 0.0)


def unfair_chances(ref: SystemRef) -> System:
    return _of_classes(ref, -0.15)
