"""Data 5: the data pipeline has appropriate privacy controls."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import privacy_report, privacy_run


@pytest.mark.ml_score("data.privacy")
def test_no_planted_value_comes_out_and_whoever_is_erased_is_gone(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_features: Any
) -> None:
    """Values planted in sensitive raw columns, and in columns that an upstream could add, turn up nowhere: not in
    features, training rows, model, answers, log, metrics, messages, nor in any file, in whatever form the search was
    shown to find. No file is open to others but what is declared public. Of subjects put on the list of erasures all
    training rows go, and no others; after erase(subject) so do its requests, from every log.

    Each limit is 0: one value is a leak. A decoy beside each planted value shows what chance would find. Servers are
    started only with consent to experiments.
    """
    policy = privacy_run.policy_of(ml_data)
    run = privacy_run.run(ml_system, policy, ml_ref)
    privacy_report.record(evidence, run)
    if privacy_report.failures(evidence):
        pytest.fail(privacy_report.advice(run, evidence.measurements), pytrace=False)
    doubt = privacy_report.doubt(run, ml_system)
    if doubt is not None:
        evidence.withhold(*doubt)
