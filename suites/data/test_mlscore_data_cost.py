"""Data 3: no feature's cost is too much."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import cost_benefit, cost_ledger, cost_measurement, cost_report, judged_rows, lookup_requests


@pytest.mark.ml_score("data.cost")
def test_every_feature_stays_within_what_it_may_cost(
    evidence: mltest.Evidence,
    ml_ref: mltest.SystemRef,
    ml_system: mltest.System,
    ml_data: Any,
    ml_features: Any,
    ml_model: Any,
) -> None:
    """Each feature is asked for alone, beside requests without any; the difference must lie inside its budget.

    Median and 95th percentile of single requests, a row in batches of 64 and 256, intervals by order statistics
    (Bonferroni over features and views), timed again before anything is called too dear. Budgets are microseconds of a
    machine that runs the calibration loop in 1 ms. Nothing may be opened for every request, nothing read that the entry
    does not declare, and no feature may hold a tenth of the raw tables (Breck et al. 2017, Data 3).
    """
    rows = judged_rows.read(ml_data, ml_model, ml_system.task)
    listed = cost_measurement.catalogued(ml_features.catalogue, rows.inputs)
    source = lookup_requests.material(ml_system, rows, ml_ref.effort)
    benefits = cost_benefit.benefits(rows, ml_model, ml_ref.effort, ml_ref.seed)
    asked, ledger = cost_measurement.measured(ml_features, source, listed, ml_ref.effort, ml_ref.seed)
    lookup_requests.require_served(asked, source, listed.names)
    count = len(ledger.features)
    share, low, high = cost_report.worst_share_of_budget(ledger)
    whole = cost_report.whole_share_of_budgets(ledger)
    evidence.measure("features_over_budget", len(ledger.over_budget()), limit=0, n=count, unit="features")
    evidence.measure("worst_share_of_budget", share, limit=1, ci=(low, high), n=ledger.calls, unit="budgets")
    evidence.measure("whole_share_of_budgets", whole.value, limit=1, ci=(whole.low, whole.high), unit="budgets")
    evidence.measure("features_growing_with_the_batch", len(ledger.growing()), limit=0, n=count, unit="features")
    evidence.measure("growth_of_the_whole", ledger.whole_growth, limit=cost_ledger.MOST_GROWTH, unit="x")
    opening = len(ledger.opening()) + len(ledger.reopened)
    evidence.measure("features_opening_files_or_hosts", opening, limit=0, n=count, unit="features")
    undeclared = len(ledger.undeclared()) + len(ledger.strangers)
    evidence.measure("undeclared_sources", undeclared, limit=0, n=count, unit="features")
    evidence.measure("features_holding_copies", len(ledger.hoarding()), limit=0, n=count, unit="features")
    evidence.measure("whole_request", ledger.whole.value, ci=(ledger.whole.low, ledger.whole.high), unit="µs")
    evidence.measure("request_without_features", ledger.shared.value, unit="µs")
    evidence.measure("slowness", ledger.slowness, unit="times the stated machine")
    evidence.measure("same_against_same", 100.0 * ledger.same_apart, unit="%")
    evidence.measure("memory_of_the_lookup", ledger.held_bytes / max(ledger.raw_bytes, 1), unit="raw tables")
    evidence.attach("costs and benefits", cost_report.table(ledger, benefits, asked))
    figure = cost_report.figure(ledger, benefits)
    if figure is not None:
        evidence.attach("cost against benefit", figure)
    said = cost_report.sentence(ledger)
    if said:
        pytest.fail(said, pytrace=False)
    obstacle = cost_report.obstacle(ledger)
    if obstacle is not None:
        evidence.withhold(*obstacle)
