"""Data 4: features adhere to meta-level requirements."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import feature_policy, governed_rows, judged_targets, model_influence, requirements_report


@pytest.mark.ml_score("data.requirements")
def test_every_input_has_an_entry_that_the_policy_permits(
    evidence: mltest.Evidence, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Counts inputs without a complete entry that the policy permits; none is allowed.

    Inputs are those that the artefact names, never those of the catalogue. An entry has one owner, says when it is
    known, names raw tables and columns that exist and are permitted with their licence, has a permitted sensitivity
    and is not deprecated (Breck et al. 2017, Data 4).
    """
    judged = feature_policy.of_system(ml_system)
    evidence.measure("inputs_breaking_the_policy", judged.breaking, limit=0, n=len(judged.inputs), unit="inputs")
    evidence.attach("breaches of the policy", feature_policy.table(judged.breaches))
    if judged.breaches:
        pytest.fail(feature_policy.sentence(judged.breaches), pytrace=False)


@pytest.mark.ml_score("data.requirements")
def test_no_input_follows_the_future_or_a_forbidden_column(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Counts inputs that change with what they must not know; none may, by more than rounding (1e-9).

    Features of rows just before several moments are computed from the raw tables as they are, from what was known
    then, and from what was known then with another future; and with other and empty values in forbidden columns. The
    outcomes of those rows must have been open, and a declared source must move an input. The model is asked with every
    column replaced that it does not name. Tables in files, without a time, are judged by that alone.
    """
    rows = governed_rows.read(ml_system)
    influence = model_influence.of_system(ml_system, rows, ml_ref.seed)
    evidence.measure("columns_read_beyond_inputs", len(influence.read), limit=0, n=influence.columns, unit="columns")
    repeated = len({name for name, _ in influence.repeated})
    evidence.measure("inputs_repeating_a_barred_column", repeated, limit=0, n=len(rows.inputs), unit="inputs")
    if evidence.judge()[0] is mltest.Verdict.FAILED:
        pytest.fail(requirements_report.sentence_of_model(influence), pytrace=False)
    judged = judged_targets.of(ml_data, ml_system.task)
    reason = requirements_report.doubt_about_model(influence) or governed_rows.contradiction(
        ml_model.predict(judged.rows), judged
    )
    if ml_system.features is None:
        evidence.measure("moments_travelled_to", 0, unit="moments")
    elif reason is None:
        seen = requirements_report.travels(ml_system, ml_ref, rows)
        requirements_report.record(evidence, seen, len(rows.inputs))
        if seen.repeatable and evidence.judge()[0] is mltest.Verdict.FAILED:
            pytest.fail(requirements_report.sentence(seen), pytrace=False)
        reason = requirements_report.doubt(seen, rows)
    if reason is not None:
        evidence.withhold(reason)
