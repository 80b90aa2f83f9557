"""Monitor 3: training and serving features compute the same values."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest import stats
from mltest.probes import skew, skew_counts, skew_report


@pytest.mark.ml_score("monitoring.skew", experiment=True)
def test_the_live_path_serves_the_features_that_the_batch_path_computes(
    evidence: mltest.Evidence,
    ml_ref: mltest.SystemRef,
    ml_system: mltest.System,
    ml_data: Any,
    ml_features: Any,
    ml_serving: Any,
) -> None:
    """The same raw events go through the batch path and, alone and in batches, through a running server.

    Values must be equal, floats to 1e-6 + 1e-5 of their size, a hundred times the rounding of single precision (less
    for a feature that is small throughout): a path that is exact has no share of wrong rows that would be all right.
    The rate bounds what was not asked: none wrong of 368 rows shows less than 1 %. A log that is not of these requests,
    or shows no altered one, proves nothing, and neither do requests that leave out a kind of row.
    """
    passages = skew.passages(ml_system, ml_ref)
    evidence.attach("features on both paths", skew_report.table(passages))
    evidence.attach("hard rows compared", skew_report.strata_table(passages))
    drawn = skew_report.figure(passages)
    if drawn is not None:
        evidence.attach("skew by feature", drawn)
    counted = skew_counts.count(passages)
    rate = stats.event_rate(counted.rows_apart, counted.rows)
    evidence.measure("mismatched_values", counted.values_apart, limit=0, n=counted.values)
    evidence.measure("features_not_logged", counted.unlogged, limit=0, n=counted.inputs)
    evidence.measure("requests_refused", counted.refused, limit=0, n=counted.asked)
    evidence.measure("served_rows_without_a_batch_row", counted.strangers, limit=0, n=counted.asked)
    evidence.measure("mismatch_rate", rate.value, limit=0.01, ci=(rate.interval.low, rate.interval.high), n=rate.trials)
    if counted.moments:
        evidence.measure("moments_apart", counted.moments_apart, limit=0, n=counted.moments)
    if counted.answers:
        evidence.measure("predictions_apart", counted.answers_apart, limit=0, n=counted.answers)
    if counted.replies:
        evidence.measure("answers_unlike_the_log", counted.replies_apart, limit=0, n=counted.replies)
    evidence.measure("stretches_of_time", len(passages))
    evidence.measure("batch_rows_without_a_request", counted.unasked)
    evidence.measure("altered_records_noticed", counted.controls_noticed, n=counted.controls)
    said = skew_report.message(passages)
    if said:
        pytest.fail(f"{said}; derive both paths from one definition", pytrace=False)
    obstacle = skew_report.obstacle(passages)
    if obstacle is not None:
        evidence.withhold(*obstacle)
