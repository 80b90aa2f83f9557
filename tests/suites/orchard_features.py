"""The orchard with one more feature, or with one that changed: passengers that hide behind others, and honest twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import Artifact, FeatureInfo, ModelInfo, Roles, System, SystemRef, Window
from tests.suites import orchard
from tests.suites.orchard import INPUTS, ROLES, TARGET, OrchardData, OrchardModel, OrchardTraining

Change = Callable[[pa.Table, str], pa.Table]


@dataclass(frozen=True)
class ChangedData(OrchardData):
    """Every split passes through `change`."""

    change: Change = lambda rows, split: rows
    roles: Roles = field(default_factory=lambda: ROLES)

    def dataset(self, split: str) -> pa.Table:
        return self.change(super().dataset(split), split)


class RememberingTraining(OrchardTraining):
    def __init__(self, inputs: Sequence[str]) -> None:
        self.config: Mapping[str, Any] = {"inputs": list(inputs)}


@dataclass(frozen=True)
class Champion:
    data: ChangedData
    inputs: tuple[str, ...]
    folder: Path

    @property
    def metadata(self) -> ModelInfo:
        return ModelInfo("1", inputs=self.inputs)

    def predict(self, batch: pa.Table) -> np.ndarray:
        return self._fitted().predict(batch)

    def _fitted(self) -> OrchardModel:
        training = RememberingTraining(self.inputs)
        made: Artifact = training.train(self.data.dataset("train"), seed=0, config={}, workdir=self.folder)
        return training.load(made)


@dataclass(frozen=True)
class Catalogue:
    catalogue: tuple[FeatureInfo, ...]

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        raise NotImplementedError


def orchard_with(
    ref: SystemRef, change: Change, names: Sequence[str] = (), groups: Mapping[str, str] | None = None
) -> System:
    """The orchard whose data set went through `change`, with `names` read too; `groups` are declared by feature."""
    inputs = (*INPUTS, *names)
    data = ChangedData(change=change, roles=replace(ROLES, inputs=inputs))
    system = orchard.system(ref).with_parts(
        data=data, training=RememberingTraining(inputs), model=Champion(data, inputs, ref.workdir / "champion")
    )
    if groups is None:
        return system
    known = (FeatureInfo(name, "float", "trees", "growers", "now", group=groups.get(name, "")) for name in inputs)
    return system.with_parts(features=Catalogue(tuple(known)))


def number(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(pc.fill_null(rows[name].cast(pa.float64()), 6.0).to_numpy())


def drawn(rows: pa.Table, stream: int) -> np.random.Generator:
    return np.random.default_rng((rows.num_rows, stream))


def raised(rows: pa.Table, by: np.ndarray) -> pa.Table:
    """The rows with `by` more kilograms a tree."""
    return rows.set_column(rows.column_names.index(TARGET), TARGET, pa.array(rows[TARGET].to_numpy() + by))


def with_a_rounded_copy(ref: SystemRef) -> System:
    def change(rows: pa.Table, split: str) -> pa.Table:
        return rows.append_column("age_in_years", pa.array(np.round(number(rows, "age"))))

    return orchard_with(ref, change, ("age_in_years",))


def with_a_blurred_copy(ref: SystemRef) -> System:
    def change(rows: pa.Table, split: str) -> pa.Table:
        blurred = number(rows, "age") + drawn(rows, 1).normal(0, 0.5, rows.num_rows)
        return rows.append_column("age_by_hearsay", pa.array(blurred))

    return orchard_with(ref, change, ("age_by_hearsay",))


def with_a_sum_of_two(ref: SystemRef) -> System:
    def change(rows: pa.Table, split: str) -> pa.Table:
        return rows.append_column("age_plus_height", pa.array(number(rows, "age") + number(rows, "height")))

    return orchard_with(ref, change, ("age_plus_height",))


BUNDLE = tuple(f"weather_{k}" for k in range(6))


def with_a_bundle(ref: SystemRef) -> System:
    """Six columns that hardly know the rain, declared as one group with it."""

    def change(rows: pa.Table, split: str) -> pa.Table:
        for k, name in enumerate(BUNDLE):
            hint = 0.15 * (number(rows, "rain") - 6.0) / 4.2 + drawn(rows, k).normal(0, 1, rows.num_rows)
            rows = rows.append_column(name, pa.array(hint))
        return rows

    return orchard_with(ref, change, BUNDLE, dict.fromkeys((*BUNDLE, "rain"), "weather"))


def with_a_leak_into_training(ref: SystemRef) -> System:
    """One column knows the target while anybody trains, and is noise ever after."""

    def change(rows: pa.Table, split: str) -> pa.Table:
        noise = drawn(rows, 2).normal(0, 1, rows.num_rows)
        target = rows[TARGET].to_numpy()
        hint = 0.35 * (target - target.mean()) / target.std() if split == "train" else 0.0
        return rows.append_column("ripeness", pa.array(hint + noise))

    return orchard_with(ref, change, ("ripeness",))


def standing_still(*splits: str) -> Change:
    def change(rows: pa.Table, split: str) -> pa.Table:
        if split not in splits:
            return rows
        return rows.set_column(rows.column_names.index("height"), "height", pa.array([4.0] * rows.num_rows))

    return change


def with_an_input_that_froze(ref: SystemRef) -> System:
    return orchard_with(ref, standing_still("validation", "holdout"))


def with_an_input_that_froze_of_late(ref: SystemRef) -> System:
    return orchard_with(ref, standing_still("holdout"))


def with_a_sine_and_a_cosine(ref: SystemRef) -> System:
    """The hour as two columns, declared as one feature; the cosine has no effect of its own."""

    def change(rows: pa.Table, split: str) -> pa.Table:
        hour = drawn(rows, 3).uniform(0, 2 * np.pi, rows.num_rows)
        rows = raised(rows, 4 * np.sin(hour))
        return rows.append_column("hour_sine", pa.array(np.sin(hour))).append_column(
            "hour_cosine", pa.array(np.cos(hour))
        )

    names = ("hour_sine", "hour_cosine")
    return orchard_with(ref, change, names, dict.fromkeys(names, "hour"))


def with_indicators_of_a_category(ref: SystemRef) -> System:
    """Twelve soils as twelve columns, declared as one feature; most soils are alike."""
    names = tuple(f"soil_{k}" for k in range(12))

    def change(rows: pa.Table, split: str) -> pa.Table:
        soil = drawn(rows, 4).integers(0, len(names), rows.num_rows)
        rows = raised(rows, 6.0 * (soil == 3) - 6.0 * (soil == 7))
        for k, name in enumerate(names):
            rows = rows.append_column(name, pa.array((soil == k).astype(float)))
        return rows

    return orchard_with(ref, change, names, dict.fromkeys(names, "soil"))


def with_a_related_pair(ref: SystemRef) -> System:
    """Moisture at noon goes with moisture in the morning, and both are kept on purpose, as one group."""

    def change(rows: pa.Table, split: str) -> pa.Table:
        noon = number(rows, "moisture") + drawn(rows, 5).normal(0, 0.04, rows.num_rows)
        return rows.append_column("moisture_at_noon", pa.array(noon))

    return orchard_with(ref, change, ("moisture_at_noon",), {"moisture": "moisture", "moisture_at_noon": "moisture"})


def with_a_rare_frost(ref: SystemRef) -> System:
    """One tree in a hundred had frost, which matters much."""

    def change(rows: pa.Table, split: str) -> pa.Table:
        frost = (drawn(rows, 6).uniform(size=rows.num_rows) < 0.01).astype(float)
        return raised(rows, 15.0 * frost).append_column("frost", pa.array(frost))

    return orchard_with(ref, change, ("frost",))


def with_snow_in_spring(ref: SystemRef) -> System:
    """Snow falls in the first 30 of 120 days of training, and never in the validation and holdout that follow."""

    def change(rows: pa.Table, split: str) -> pa.Table:
        early = np.arange(rows.num_rows) < 30 * orchard.A_DAY
        snow = np.where(early & (split == "train"), drawn(rows, 7).gamma(2.0, 1.0, rows.num_rows), 0.0)
        return raised(rows, -3.0 * snow).append_column("snow", pa.array(snow))

    return orchard_with(ref, change, ("snow",))
