"""Model 3: all hyperparameters have been tuned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import mltest
from mltest import offers
from mltest.offers import search
from mltest.probes import search_log, tuning_report, tuning_rows, tuning_search


@pytest.mark.ml_score("model.hyperparameters")
def test_the_shipped_setting_was_searched_for_and_a_short_search_finds_no_better_one(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_training: Any
) -> None:
    """The log of the search, checked by itself, and a search of our own around the shipped setting.

    The log must show trials that differ, the best of them shipped (values within 1 % count as equal), at no edge that
    cuts the search off, and chosen on rows outside the holdout. Then 12 to 20 settings, some far outside the recorded
    space, compete on one half of the validation days; the best is trained anew with fresh seeds and judged on the other
    half. It must not save more than 1 %, or than twice the noise of seeds, of the shipped setting's loss, and neither
    must training twice as long. One winner is judged again, so nothing needs a correction for many comparisons.
    """
    offered = offers.require(ml_training, "search_log", search.HOW_TO_OFFER)
    log = search_log.require(offered(), ml_training.config)
    rows = tuning_rows.read(ml_data, ml_system.task)
    read = search_log.read(log, ml_training.config)
    obstacle = tuning_report.obstacle(log, read, datetime.now(UTC))
    if obstacle is not None:
        evidence.withhold(*obstacle)
    if ml_system.model is not None:
        stale = tuning_report.claims_the_future(ml_system.model.metadata.trained_until, rows.newest)
        if stale is not None:
            evidence.withhold(*stale)
    share = tuning_rows.judged_in(log.judged_on, rows)
    asked = (read.asked + 1) // 2
    evidence.measure(tuning_report.SETTINGS, read.settings, limit=asked, better="higher", n=read.finished)
    evidence.measure(tuning_report.VALUES, read.values, limit=min(2, read.asked), better="higher", n=read.finished)
    evidence.measure(tuning_report.EDGE, len(read.at_edge), limit=0, n=len(log.space), unit="keys")
    evidence.measure(tuning_report.SHIPPED, len(read.not_shipped), limit=0, n=len(log.space), unit="keys")
    evidence.measure(tuning_report.HELD_OUT, 100.0 * share.get("holdout", 0.0), limit=1.0, unit="%")
    unsound = tuning_report.log_failures(evidence.measurements, read)
    if unsound:
        pytest.fail(unsound, pytrace=False)
    found = tuning_search.run(ml_ref, ml_training, rows, log)
    evidence.attach("settings that were tried", tuning_report.tried_table(found))
    figure = tuning_report.figure(log)
    if figure is not None:
        evidence.attach("expected best of the recorded trials", figure)
    blind = tuning_report.blindness(found, rows, ml_system.model)
    for name, gain in ((tuning_report.BETTER, found.best), (tuning_report.LONGER, found.longer)):
        if gain is not None and blind is None:
            evidence.measure(name, gain.value, limit=gain.limit, n=gain.seeds, unit="%")
    failed = tuning_report.search_failures(evidence.measurements, found)
    if failed:
        pytest.fail(failed, pytrace=False)
    unsettled = blind or tuning_report.unsettled(evidence.measurements, found)
    if unsettled is not None:
        evidence.withhold(*unsettled)
