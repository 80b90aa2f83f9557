"""Ferries whose rows do not all become evidence: left out by a filter, for a good reason or for a bad one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import System, SystemRef, Window
from tests.suites.ferries import TARGET, FerryData, system, without_wave
from tests.suites.ferry_corners import is_level, numbers


@dataclass(frozen=True)
class WithoutGaps(FerryData):
    """No row without a wave in the splits named."""

    splits: tuple[str, ...] = ("train", "validation", "holdout")

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.filter(pc.is_valid(rows["wave"])) if split in self.splits else rows


def gaps_left_out_of_the_holdout(ref: SystemRef) -> System:
    """The champion is lost without a wave, and the rows that would tell are filtered."""
    return replace(without_wave(ref), data=WithoutGaps(splits=("holdout",)))


def gaps_left_out_everywhere(ref: SystemRef) -> System:
    return replace(without_wave(ref), data=WithoutGaps())


def gaps_left_out_of_training(ref: SystemRef) -> System:
    """Rows with gaps are held out, and judged; training can do without them."""
    return replace(system(ref), data=WithoutGaps(splits=("train",)))


@dataclass(frozen=True)
class WithoutStorms(FerryData):
    """Strong winds are taken for outliers."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.filter(pc.less(rows["wind"], 23.5))


def storms_left_out(ref: SystemRef) -> System:
    return replace(system(ref), data=WithoutStorms())


@dataclass(frozen=True)
class WithoutIonaAtNight(FerryData):
    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        return rows.filter(pa.array(~(is_level(rows, "port", "iona") & is_level(rows, "shift", "night"))))


def pair_left_out(ref: SystemRef) -> System:
    """Rows of two declared levels where they meet never arrive; each level alone is there."""
    return replace(system(ref), data=WithoutIonaAtNight())


@dataclass(frozen=True)
class Filled(FerryData):
    """Gaps are filled, winds are in knots, and one row in eight is left out for its number alone."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        rows = rows.filter(pa.array(np.arange(rows.num_rows) % 8 > 0))
        return rows.set_column(rows.column_names.index("wave"), "wave", pc.fill_null(rows["wave"], 1.4))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        rows = super().raw(window)["sailings"]
        return {"sailings": rows.set_column(rows.column_names.index("wind"), "wind", pc.multiply(rows["wind"], 1.94))}


def gaps_filled(ref: SystemRef) -> System:
    return replace(system(ref), data=Filled())


@dataclass(frozen=True)
class Cancelled(WithoutGaps):
    """Where the gauge fails nothing sails, so that there is no outcome to learn or to judge."""

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        rows = super().raw(window)["sailings"]
        late = pc.if_else(pc.is_valid(rows["wave"]), rows[TARGET], pa.scalar(None, pa.float64()))
        return {"sailings": rows.set_column(rows.column_names.index(TARGET), TARGET, late)}


def gaps_never_sailed(ref: SystemRef) -> System:
    return replace(system(ref), data=Cancelled())


@dataclass(frozen=True)
class Calm(FerryData):
    """A sixth of the held-out days had wind below five everywhere: a season, and nobody's filter."""

    def dataset(self, split: str) -> pa.Table:
        return self._calmed(super().dataset(split))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"sailings": self._calmed(super().raw(window)["sailings"])}

    @staticmethod
    def _calmed(rows: pa.Table) -> pa.Table:
        late = np.array([moment.month >= 7 for moment in rows["sails_at"].to_pylist()])
        return rows.filter(pa.array(~(late & (numbers(rows, "wind") > 23.5))))


def storms_out_of_season(ref: SystemRef) -> System:
    return replace(system(ref), data=Calm())
