"""Ferries that are served badly in one corner: where two columns meet, at the end of a range, or not served at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.system import ModelInfo, System, SystemRef
from tests.suites.ferries import INPUTS, TARGET, FerryData, champion, system

Corner = Callable[[pa.Table], np.ndarray]


@dataclass(frozen=True)
class Changed:
    """The champion, whose answers `change` rewrites where `corner` says so."""

    corner: Corner
    change: Callable[[np.ndarray], Any]
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        answers = champion().predict(batch)
        return np.where(self.corner(batch), self.change(answers), answers)


def numbers(batch: pa.Table, name: str) -> np.ndarray:
    return np.nan_to_num(batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False))


def is_level(batch: pa.Table, name: str, level: str) -> np.ndarray:
    return np.array([value == level for value in batch[name].to_pylist()])


def stormy_night(batch: pa.Table) -> np.ndarray:
    return is_level(batch, "shift", "night") & (numbers(batch, "wind") > 20)


def late(ref: SystemRef, corner: Corner, minutes: float) -> System:
    return replace(system(ref), model=Changed(corner, lambda answers: answers + minutes))


def bad_in_stormy_nights(ref: SystemRef) -> System:
    """A declared column and a range of an input: fine apart, wrong where they meet."""
    return late(ref, stormy_night, 9.0)


def hardly_off_in_stormy_nights(ref: SystemRef) -> System:
    return late(ref, stormy_night, 0.5)


def bad_at_iona_in_strong_wind(ref: SystemRef) -> System:
    """The same in one row in fifty."""
    return late(ref, lambda batch: is_level(batch, "port", "iona") & (numbers(batch, "wind") > 18), 12.0)


def bad_when_windy_and_full(ref: SystemRef) -> System:
    """Two ranges of inputs that nobody declared: fine apart, wrong where they meet."""
    return late(ref, lambda batch: (numbers(batch, "wind") > 20) & (numbers(batch, "load") > 0.7), 9.0)


def bad_in_extreme_wind(ref: SystemRef) -> System:
    """Wrong at the very end of the range of an input."""
    return late(ref, lambda batch: numbers(batch, "wind") > 24, 12.0)


def bad_without_wave_at_night(ref: SystemRef) -> System:
    """Wrong where a gap and a declared level meet."""
    return late(ref, lambda batch: batch["wave"].is_null().to_numpy() & is_level(batch, "shift", "night"), 9.0)


def unlucky_at_rum(ref: SystemRef) -> System:
    """Wrong in nineteen rows, which is too few to tell from bad luck."""
    return late(ref, lambda batch: is_level(batch, "port", "rum"), 9.0)


def frozen_at_mull(ref: SystemRef) -> System:
    """One port gets the same answer whatever the weather."""
    return replace(
        system(ref), model=Changed(lambda batch: is_level(batch, "port", "mull"), lambda answers: answers.mean())
    )


def silent_at_mull(ref: SystemRef) -> System:
    """One port gets no answer."""
    return replace(system(ref), model=Changed(lambda batch: is_level(batch, "port", "mull"), lambda answers: np.nan))


def silent_here_and_there(ref: SystemRef) -> System:
    """One row in a hundred gets no answer, wherever it is."""
    return replace(
        system(ref),
        model=Changed(lambda batch: numbers(batch, "tide") * 1e6 % 100 < 1.0, lambda answers: np.nan),
    )


@dataclass(frozen=True)
class HardNights(FerryData):
    """In stormy nights nobody can tell how late a ferry will be."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        noise = np.random.default_rng(len(split)).normal(0, 12, rows.num_rows) * stormy_night(rows)
        return rows.set_column(rows.column_names.index(TARGET), TARGET, pa.array(rows[TARGET].to_numpy() + noise))


def hard_in_stormy_nights(ref: SystemRef) -> System:
    return replace(system(ref), data=HardNights())
