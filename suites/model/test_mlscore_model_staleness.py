"""Model 4: the impact of model staleness is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import mltest
from mltest import offers
from mltest.offers import refresh
from mltest.probes import ageing_backtest, ageing_curve, ageing_grid, ageing_report, ageing_rows, model_age


@pytest.mark.ml_score("model.staleness")
def test_a_model_at_its_refresh_age_is_hardly_worse_than_a_fresh_one(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_training: Any
) -> None:
    """Models trained up to several dates, on windows of equal length and rows, judged on the same later rows.

    The limit is 2 % of a fresh model's loss at the age at which the policy replaces a model; the interval resamples
    days and what trainings owe to chance (Vela et al. 2022; statistics of Breck et al. 2017, Model 4). Splits are cut
    anew by time, whatever the system claims. Several ages below the policy's are judged together (Bonferroni), an
    increase is confirmed on both halves of the days, and a training that learned permuted outcomes must look worse,
    else the comparison is blind. Ages are counted from the newest row that a model learned from.
    """
    policy = model_age.require(offers.require(ml_training, "refresh", refresh.HOW_TO_OFFER))
    every = ageing_report.days_of(policy)
    rows = ageing_rows.read(ml_data, ml_system.task)
    now = ml_system.clock.now() if ml_system.clock is not None else datetime.now(UTC)
    tested = ageing_backtest.run(ml_ref, ml_training, rows, every)
    served = None if ml_system.model is None else ml_system.model.metadata
    clock = model_age.read(policy, tested.claims, served, rows.newest, now)
    curve = ageing_curve.Curve(tested.cells, origins=ageing_grid.FEWEST_ORIGINS, seed=ml_ref.seed)
    limit = ageing_report.MOST_INCREASE
    blind = ageing_report.blindness(tested, curve, ml_system.model, limit)
    if blind is not None:
        evidence.withhold(*blind)
    found, interval = ageing_report.interval_at(curve, every)
    increase = evidence.measure(ageing_report.INCREASE, found.value, limit=limit, ci=interval, n=found.days, unit="%")
    limit = increase.limit or limit
    early = ageing_report.too_old_before(curve, every, limit)
    evidence.measure(ageing_report.YOUNGER, len(early), limit=0, n=len(curve.ages), unit="ages")
    evidence.measure("refresh_age", every, unit="days")
    evidence.measure("safe_age", ageing_report.safe_age(curve, limit), unit="days")
    evidence.measure("permuted_outcomes_increase", 100.0 * tested.control.increase, unit="%")
    for name, understated, most in model_age.understatements(policy, clock):
        evidence.measure(name, understated, limit=most, unit="days")
    gap = ageing_report.understatement(policy, curve)
    if gap is not None:
        evidence.measure(ageing_report.PUBLISHED, gap, limit=ageing_report.MOST_INCREASE, unit="%")
    evidence.attach("staleness curve", ageing_report.curve_table(curve, policy))
    evidence.attach("backtest matrix", ageing_report.matrix_table(tested))
    evidence.attach("basis", ageing_report.basis_table(tested, policy, curve))
    figure = ageing_report.figure(curve, limit)
    if figure is not None:
        evidence.attach("loss by age", figure)
    failed = ageing_report.failures(evidence.measurements, curve, policy, clock)
    if failed:
        pytest.fail(failed, pytrace=False)
    if increase.failed or early:
        evidence.withhold(ageing_report.unconfirmed(found), "too_little_data")
