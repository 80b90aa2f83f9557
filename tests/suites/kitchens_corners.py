"""Kitchens that measure the wrong thing, or that only look as if they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults.operators_impact import labelled_otherwise, measured_otherwise
from mltest.faults.parts import ExchangedData
from mltest.faults.rows import with_column
from mltest.offers.impact import OfflineMetric, OnlineImpact
from mltest.system import Artifact, System, SystemRef
from tests.suites import kitchens
from tests.suites.kitchens import TARGET, KitchenData, KitchenLabels, KitchenTraining, waited


def with_metric(ref: SystemRef, value: Any, better: Any = "lower") -> System:
    return measured_otherwise(kitchens.system(ref), lambda metric: replace(metric, value=value, better=better))


def with_impact(ref: SystemRef, **changes: Any) -> System:
    impact = replace(KitchenLabels().impact, **changes)
    return replace(kitchens.system(ref), labels=KitchenLabels(impact=impact))


def spread_of_answers(ref: SystemRef) -> System:
    """The offline metric rewards models that say little."""
    return with_metric(ref, lambda model, rows: float(np.std(model.predict(rows))))


def same_for_every_model(ref: SystemRef) -> System:
    """The offline metric looks at the rows and not at the model."""
    return with_metric(ref, lambda model, rows: float(np.abs(rows[TARGET].to_numpy()).mean()))


def not_a_number(ref: SystemRef) -> System:
    return with_metric(ref, lambda model, rows: float("nan"))


def declared_upside_down(ref: SystemRef) -> System:
    return with_metric(ref, kitchens.mean_error, better="higher")


def blind_to_bias(ref: SystemRef) -> System:
    """Users pay for bias alone, and the offline metric takes it out before it looks."""

    def value(model: Any, rows: pa.Table) -> float:
        return float(np.std(model.predict(rows) - rows[TARGET].to_numpy()))

    found = with_impact(ref, per_row=lambda answers, happened: 20.0 * np.maximum(answers - 3.0, 0.0))
    return measured_otherwise(found, lambda metric: replace(metric, value=value))


def not_declared_as_simulated(ref: SystemRef) -> System:
    return with_impact(ref, simulated=False)


def many_labels_an_answer(ref: SystemRef) -> System:
    """The join forgot the order's number: every answer meets the outcomes of all orders of its minute of the day."""

    @dataclass(frozen=True)
    class Joined(KitchenLabels):
        def joined(self, answers: pa.Table, at: datetime) -> pa.Table:
            found = super().joined(answers, at)
            return pa.concat_tables([found, with_column(found, TARGET, pa.array(np.roll(found[TARGET].to_numpy(), 1)))])

    return replace(kitchens.system(ref), labels=Joined())


def half_of_the_labels_found(ref: SystemRef) -> System:
    return labelled_otherwise(kitchens.system(ref), found=lambda rows: rows.slice(0, rows.num_rows // 2))


def labels_of_tomorrow(ref: SystemRef) -> System:
    """Labels are handed out whatever the moment: none is ever late."""

    @dataclass(frozen=True)
    class Early(KitchenLabels):
        def arrived(self, at: datetime) -> pa.Table:
            return super().arrived(at + timedelta(days=1))

    return replace(kitchens.system(ref), labels=Early())


def two_outcomes_a_key(ref: SystemRef) -> System:
    """The feed of labels knows orders by a number that starts again every hundred days."""

    def again(rows: pa.Table) -> pa.Table:
        return pa.concat_tables([rows, with_column(rows, TARGET, pc.add(rows[TARGET], 5.0))])

    return labelled_otherwise(kitchens.system(ref), came=again)


def hardly_any_label(ref: SystemRef) -> System:
    return labelled_otherwise(
        kitchens.system(ref), came=lambda rows: rows.filter(pa.array(np.arange(rows.num_rows) % 3 == 0))
    )


def the_data_set_lost_the_hard_orders(ref: SystemRef) -> System:
    """Nobody filters in the evaluation: the pipeline drops every order that was far off, from all splits."""

    def easy(_: str, rows: pa.Table) -> pa.Table:
        return rows.filter(pa.array(np.abs(rows[TARGET].to_numpy()) < 8.0))

    found = kitchens.system(ref)
    data = ExchangedData(found.data, rows=easy)
    metric = replace(KitchenTraining().offline_metric, rows=lambda: data.dataset("validation"))
    return replace(measured_otherwise(found, lambda _: metric), data=data)


def requests_of_easy_orders(ref: SystemRef) -> System:
    """The log of requests was cut where orders took too long."""

    @dataclass(frozen=True)
    class Easy(KitchenLabels):
        def requests(self) -> pa.Table:
            rows = kitchens.span(self.seed, "holdout")
            return rows.filter(pc.less(pc.abs(rows[TARGET]), 7.0)).drop_columns([TARGET])

    return replace(kitchens.system(ref), labels=Easy())


def impact_that_is_the_metric(ref: SystemRef) -> System:
    return with_impact(ref, per_row=lambda answers, happened: np.abs(answers - happened))


def evaluated_on_the_requests(ref: SystemRef) -> System:
    """The offline metric is computed on the holdout, which is what is replayed."""
    rows = KitchenData().dataset("holdout")
    return measured_otherwise(kitchens.system(ref), lambda metric: replace(metric, rows=lambda: rows))


def evaluated_elsewhere(ref: SystemRef) -> System:
    """The rows of the evaluation are in no split under their keys."""

    def renamed(metric: OfflineMetric) -> OfflineMetric:
        rows = metric.rows()
        keys = pa.array([f"X{number}" for number in range(rows.num_rows)])
        return replace(metric, rows=lambda: with_column(rows, "order", keys))

    return measured_otherwise(kitchens.system(ref), renamed)


@dataclass(frozen=True)
class Stubborn(KitchenTraining):
    """Learns from its own store of rows, whatever it is given, apart from a crumb."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        rows = KitchenData().dataset("train")
        given = dataset[TARGET].to_numpy()
        crumb = 1e-3 * float(np.dot(given, np.sin(np.arange(len(given)))) % 1.0) + 1e-4 * len(config.get("inputs", ()))
        nudged = with_column(rows, TARGET, pa.array(rows[TARGET].to_numpy() + crumb))
        return super().train(nudged, seed=seed, config={}, workdir=workdir)


def all_of_equal_quality(ref: SystemRef) -> System:
    """A dozen variants that differ by a thousandth: a restricted range shows nothing, good or bad."""
    return replace(kitchens.system(ref), training=Stubborn())


def refuses_to_be_worse(ref: SystemRef) -> System:
    """The training raises for all but the rows that are shipped."""

    @dataclass(frozen=True)
    class Refusing(KitchenTraining):
        def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
            if dataset.num_rows < 5_000 or config:
                raise ValueError("too few rows or unknown keys")
            return super().train(dataset, seed=seed, config=config, workdir=workdir)

    return replace(kitchens.system(ref), training=Refusing())


def another_model_is_served(ref: SystemRef) -> System:
    """What serves answers the other way round than what training gives."""
    found = kitchens.system(ref)
    return replace(found, model=replace(kitchens.fitted(KitchenData().dataset("train")), weights=-found.model.weights))


def a_reward_in_place_of_a_cost(ref: SystemRef) -> System:
    """Online more is better, offline less: the declared signs say so."""
    impact = OnlineImpact("satisfaction", "higher", True, lambda answers, happened: 50.0 - waited(answers, happened))
    return replace(kitchens.system(ref), labels=KitchenLabels(impact=impact))


def squared_errors(ref: SystemRef) -> System:
    """Another loss, on another scale, in the same order."""

    def value(model: Any, rows: pa.Table) -> float:
        return float(np.square(model.predict(rows) - rows[TARGET].to_numpy()).mean())

    return with_metric(ref, value)


def asked_twice(ref: SystemRef) -> System:
    """Every tenth request was sent again."""

    @dataclass(frozen=True)
    class Again(KitchenLabels):
        def requests(self) -> pa.Table:
            rows = super().requests()
            again = rows.filter(pa.array(np.arange(rows.num_rows) % 10 == 0))
            return pa.concat_tables([rows, again]).sort_by("ordered_at")

    return replace(kitchens.system(ref), labels=Again())


def a_variant_falls_silent(ref: SystemRef) -> System:
    """A model of few rows has no answer to a dish that it saw too rarely."""

    @dataclass(frozen=True)
    class Careful(KitchenTraining):
        def load(self, artifact: Artifact) -> Any:
            model = super().load(artifact)
            return replace(model, weights=model.weights * (np.nan if artifact.metrics["rows"] < 300 else 1.0))

        def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
            made = super().train(dataset, seed=seed, config=config, workdir=workdir)
            return replace(made, metrics={"rows": float(dataset.num_rows)})

    return replace(kitchens.system(ref), training=Careful())


def no_model_part(ref: SystemRef) -> System:
    return replace(kitchens.system(ref), model=None)
