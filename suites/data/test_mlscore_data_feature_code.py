"""Data 7: every input has tests that notice when its code is changed."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import feature_mutation, feature_mutation_report, feature_tests, tested_tree


@pytest.mark.ml_score("data.feature_code")
def test_the_projects_own_tests_notice_a_change_in_the_code_of_every_feature(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_repository: Any
) -> None:
    """Runs the project's tests in a copy of its tree, three times as it is and then once a mutant of feature code.

    Every input of the model needs tests that run and count. Of at least 40 mutants drawn over all features the share
    noticed must reach 70 % with the lower end of Wilson's interval; no feature may surely lie below it (Bonferroni),
    and where each gets 20 mutants, each is judged by its own interval. What any execution would notice is set aside. A
    broken file must be noticed and a comment must not, else the method is blind.
    """
    said = feature_tests.declared(ml_repository, ml_system.model, ml_system.training, ml_system.data)
    swallows = tested_tree.swallowed(said.test_command)
    evidence.measure("inputs_without_tests", len(said.untested), limit=0, n=len(said.inputs), unit="inputs")
    evidence.measure("failures_swallowed_by_the_command", int(swallows is not None), limit=0)
    if not said.tested:
        evidence.withhold(feature_tests.HOW_TO_OFFER, "part_missing")
    with tested_tree.copied(said.root, said.test_command, ml_ref.workdir) as tree:
        before = feature_tests.unmutated(tree, said)
        ran, mute = sum(each.ran for each in before.by_feature), before.without_tests
        evidence.measure("tests_that_ran", ran, n=len(before.by_feature), unit="tests of features")
        evidence.measure("features_without_a_test_that_ran", len(mute), limit=0, unit="features")
        evidence.measure("muted_tests", len(before.muted), limit=0, unit="tests")
        if before.flaky:
            evidence.withhold(before.unsteadiness())
        found = None
        if not mute and not before.muted:
            found = feature_mutation.study(tree, said, before, seed=ml_ref.seed, effort=ml_ref.effort)
    if found is not None:
        share = found.share()
        pooled = evidence.measure(
            "mutants_noticed",
            share.value,
            limit=feature_mutation.SHARE,
            better="higher",
            ci=(share.interval.low, share.interval.high),
            n=len(found.pooled),
        )
        evidence.measure("features_surely_unnoticed", len(found.unnoticed()), limit=0, unit="features")
        evidence.measure("features_without_mutants", len(found.barren), limit=0, unit="features")
        allowed = feature_mutation.MOST_EQUIVALENT
        evidence.measure("mutants_called_equivalent", found.share_equivalent, limit=allowed, n=len(found.tried))
        evidence.measure("mutants_tried", len(found.tried), unit="mutants")
        evidence.attach("mutants", feature_mutation_report.mutants_table(found))
        evidence.attach("tests and mutants by feature", feature_mutation_report.features_table(before, found))
        drawn = feature_mutation_report.figure(found, pooled)
        if drawn is not None:
            evidence.attach("share of mutants noticed", drawn)
        reason = feature_mutation_report.unsettled(found, evidence.measurements)
        if reason is not None:
            evidence.withhold(*reason)
    if any(each.failed for each in evidence.measurements):
        pytest.fail(feature_mutation_report.explanation(said, before, found, swallows), pytrace=False)
