"""Data 6: new features can be added quickly."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest import offers
from mltest.offers.drill import HOW_TO_OFFER
from mltest.probes import drill_findings, drill_run


@pytest.mark.ml_score("data.agility", experiment=True)
def test_a_toy_feature_comes_and_goes_with_one_edit(
    evidence: mltest.Evidence,
    ml_ref: mltest.SystemRef,
    ml_system: mltest.System,
    ml_data: Any,
    ml_features: Any,
    ml_training: Any,
    ml_registry: Any,
    ml_serving: Any,
    ml_repository: Any,
) -> None:
    """In a copy of the tree a toy feature is added as documented, trained, served, and taken out again.

    One edit must do. Outcomes are made to follow the feature, so that the new model cannot but learn it: 90 % of its
    effect there must show in served answers, and served values are those of the batch path. Predictions of the model
    from before stay as they are, to the last bit, and so does everything once the feature is gone. Features and
    training take at most three times as long as without it, or 2 s more (Breck et al. 2017, Data 6).
    """
    drill = offers.require(ml_repository, "drill", HOW_TO_OFFER)()
    drilled = drill_run.run(ml_ref, drill, ml_repository.root, ml_data)
    found = drill_findings.of(drilled)
    evidence.measure("places_edited", found.places, limit=drill_findings.MOST_PLACES, unit="edits")
    evidence.measure("runs_that_broke", int(found.failure is not None), limit=0, n=len(drilled.phases), unit="runs")
    evidence.measure("places_without_the_feature", len(found.absent_from), limit=0, n=4)
    evidence.measure("served_values_apart", found.values_apart, limit=0, n=found.requests, unit="values")
    if found.heeded is not None:
        least = drill_findings.LEAST_HEEDED
        evidence.measure("effect_that_is_served", found.heeded, limit=least, better="higher", n=found.requests)
        evidence.measure("effect_in_the_model", found.effect, unit="spreads of its answers")
    evidence.measure("older_predictions_changed", found.golden_apart, limit=0, n=found.golden, unit="rows")
    remains = len(found.left_over) + found.features_differ + found.answers_differ
    evidence.measure("left_after_removal", remains, limit=0)
    evidence.measure("features_and_training_too_slow", int(found.too_slow), limit=0)
    evidence.measure("times_as_long_as_a_plain_run", found.times, unit="x")
    evidence.measure("files_changed_in_the_original", len(drilled.touched), limit=0, unit="files")
    evidence.measure("files_generated", len(drilled.generated), unit="files")
    evidence.attach("runs of the drill", drill_findings.table(drilled))
    drawn = drill_findings.figure(drilled)
    if drawn is not None:
        evidence.attach("seconds of every run", drawn)
    said = drill_findings.sentence(found, drilled)
    if said:
        pytest.fail(said, pytrace=False)
    obstacle = drill_findings.obstacle(found, drilled)
    if obstacle is not None:
        evidence.withhold(*obstacle)
    contradiction = drill_findings.contradiction(drilled, ml_system.model)
    if contradiction is not None:
        evidence.withhold(contradiction)
