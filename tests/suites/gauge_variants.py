"""Gauges whose arithmetic has one fault, and healthy ones that look as if they had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import ModelInfo, System, SystemRef
from tests.suites import ferries, gauges
from tests.suites.gauges import NUMBERS, GaugeData, GaugeModel

Columns = Mapping[str, np.ndarray]
Stages = dict[str, np.ndarray]


@dataclass(frozen=True)
class Changed(GaugeModel):
    """A gauge that reads another batch (`before`), or makes something else of its stages (`after`).

    `serving_only` leaves the double precision of the trace as it is.
    """

    before: Callable[[pa.Table], pa.Table] | None = None
    after: Callable[[Stages, Columns], Stages] | None = None
    serving_only: bool = False

    def _stages(self, batch: pa.Table, kind: type[np.floating[Any]]) -> Stages:
        stages = super()._stages(batch if self.before is None else self.before(batch), kind)
        return stages if self.after is None or (self.serving_only and kind is np.float64) else self._made(stages, batch)

    def _made(self, stages: Stages, batch: pa.Table) -> Stages:
        assert self.after is not None
        return self.after(stages, {name: numbers(batch, name) for name in NUMBERS})


@dataclass(frozen=True)
class Untraced:
    """A gauge that does not show its computation."""

    inner: GaugeModel

    @property
    def metadata(self) -> ModelInfo:
        return self.inner.metadata

    def predict(self, batch: pa.Table) -> np.ndarray:
        return self.inner.predict(batch)


def numbers(batch: pa.Table, name: str) -> np.ndarray:
    return np.asarray(batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False))


def answering(change: Callable[[np.ndarray, Columns], np.ndarray], **options: Any) -> Changed:
    return Changed(after=lambda stages, columns: {**stages, "answer": change(stages["answer"], columns)}, **options)


def reading(change: Callable[[np.ndarray], np.ndarray]) -> Changed:
    """Every number is changed before it is read."""

    def before(batch: pa.Table) -> pa.Table:
        for name in NUMBERS:
            if batch[name].null_count:
                raise ValueError(f"{name} is missing")
            batch = batch.set_column(batch.column_names.index(name), name, pa.array(change(numbers(batch, name))))
        return batch

    return Changed(before=before)


def gauge(model: Any, ref: SystemRef, data: GaugeData | None = None) -> System:
    return replace(gauges.system(ref), model=model, data=data or GaugeData())


@cache
def highest(name: str) -> float:
    return float(pc.max(GaugeData().dataset("train")[name]).as_py())


def nan_replaced_by_a_mean(ref: SystemRef) -> System:
    """A null is refused, a NaN becomes a quiet 30."""
    return gauge(reading(lambda values: np.where(np.isnan(values), 30.0, values)), ref)


def impossible_numbers_clipped(ref: SystemRef) -> System:
    """Infinities are refused, 1e38 is answered as if it were the most that was ever measured."""
    return gauge(reading(lambda values: np.where(np.isinf(values), values, np.clip(values, -1e4, 1e4))), ref)


def wraps_above_the_record(ref: SystemRef) -> System:
    """A counter that was sized for the records of the past."""
    return gauge(answering(lambda answer, c: answer - 50.0 * (c["inflow"] > 1.01 * highest("inflow"))), ref)


def divides_by_a_difference(ref: SystemRef) -> System:
    """No number where two flows are equal."""

    def divided(answer: np.ndarray, c: Columns) -> np.ndarray:
        with np.errstate(all="ignore"):
            apart = c["inflow"] - c["outflow"]
            return np.asarray(answer + 0 * (apart / apart))

    return gauge(answering(divided), ref)


def freezes_in_a_corner(ref: SystemRef) -> System:
    """One constant for the fifteenth part of the rows, in the runtime that serves."""

    def frozen(answer: np.ndarray, c: Columns) -> np.ndarray:
        corner = (c["inflow"] > 40) & (c["outflow"] > 32) & (c["outflow"] < 40)
        return np.where(corner, answer.dtype.type(1), answer)

    return gauge(answering(frozen, serving_only=True), ref)


def freezes_unseen(ref: SystemRef) -> System:
    """One constant for nearly half of the rows, and nothing to compare it with."""
    return gauge(Untraced(answering(lambda answer, c: np.where(c["inflow"] > 30, 1.0, answer))), ref)


def last_layer_died(ref: SystemRef) -> System:
    """Seven of the last eight units, after two dozen that are alive."""

    def dead(stages: Stages, _: Columns) -> Stages:
        alive = stages["layer_1"]
        last = alive.copy()
        last[:, :7] = 0
        return {**stages, "layer_1": np.concatenate([alive, 2 * alive, 3 * alive], axis=1), "layer_2": last}

    return gauge(Changed(after=dead), ref)


def wet_or_dry(ref: SystemRef) -> System:
    """Healthy: any rain at all adds three, and most rows have none."""
    return gauge(answering(lambda answer, c: answer + 3.0 * (c["rain"] > 0)), ref)


def refuses_by_arithmetic(ref: SystemRef) -> System:
    """Healthy: what is no number stops the computation itself."""

    def before(batch: pa.Table) -> pa.Table:
        if not all(np.isfinite(numbers(batch, name)).all() for name in NUMBERS):
            raise FloatingPointError("overflow encountered")
        return batch

    return gauge(Changed(before=before), ref)


def never_below_nought(answer: np.ndarray) -> np.ndarray:
    return np.maximum(answer - answer.dtype.type(_dry()), 0)


@cache
def _dry() -> float:
    return float(np.quantile(GaugeModel().predict(GaugeData().dataset("train")), 0.62))


@dataclass(frozen=True)
class MostlyNought(GaugeData):
    """A flood depth: none on most days."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        depth = never_below_nought(np.asarray(GaugeModel().predict(rows)))
        return rows.set_column(rows.column_names.index("level"), "level", pa.array(depth))


def mostly_nought(ref: SystemRef) -> System:
    """Healthy: 62 of 100 answers are nought, and so are the depths."""
    return gauge(answering(lambda answer, _: never_below_nought(answer)), ref, MostlyNought())


@dataclass(frozen=True)
class Guarded:
    """A champion of the ferries that refuses infinities, and missing values where none was ever missing."""

    inner: Any
    unanswerable: str | None = None
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=ferries.INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        for name in ferries.NUMBERS:
            values = numbers(batch, name)
            if np.isinf(values).any() or (name != "wave" and np.isnan(values).any()):
                raise ValueError(f"{name} is no number")
        if batch["port"].null_count:
            raise ValueError("the port is missing")
        lost = [port == self.unanswerable for port in batch["port"].to_pylist()]
        return np.where(lost, np.nan, self.inner.predict(batch))


def boosted_ferries(ref: SystemRef) -> System:
    """Healthy: boosted trees, whose thresholds lie on training rows."""
    return replace(ferries.system(ref), model=Guarded(ferries.champion()))


@dataclass(frozen=True)
class OnePassage(ferries.FerryData):
    """One training row of all calls at a port that is never seen again."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split != "train":
            return rows
        ports = rows["port"].to_pylist()
        ports[100] = "skye"
        return rows.set_column(rows.column_names.index("port"), "port", pa.array(ports))


def lost_at_one_port(ref: SystemRef) -> System:
    """No answer for a port that one training row calls at."""
    model = Guarded(ferries.linear(ref).model, unanswerable="skye")
    return replace(ferries.system(ref), data=OnePassage(), model=model)
