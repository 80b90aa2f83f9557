"""Model 6: model quality is sufficient on all important slices."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import (
    judged_rows,
    kept_rows,
    outcomes,
    slice_answers,
    slice_coverage,
    slice_quality,
    slice_references,
    slice_report,
    slicing,
)


@pytest.mark.ml_score("model.slices")
def test_no_slice_is_served_worse_than_it_could_be(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Loss of every slice relative to two yardsticks on the same held-out rows (one, where these are few).

    The limit is 1.2 for the lower end of the interval after Holm's correction, of declared slices on all days, of
    others on the half of the days that did not make them suspect: below it, the worst of fifty healthy slices of 300
    rows is found by chance alone. A slice of which a tenth gets no answer fails without a loss.
    """
    rows = judged_rows.read(ml_data, ml_model, ml_system.task)
    sliced = slicing.slices_of(rows)
    try:
        answers = judged_rows.predictions(ml_model, rows)
    except outcomes.Unanswered as refused:
        _fail_where_refused(evidence, slice_answers.left_out(sliced, refused.rows))
        raise
    yardsticks = slice_references.references(rows, answers, sliced.declared, seed=ml_ref.seed, effort=ml_ref.effort)
    limit = evidence.limits.get("worst_slice_ratio", slice_quality.LARGEST_RATIO)
    quality = slice_quality.judge(rows, answers, sliced, yardsticks, limit=limit, seed=ml_ref.seed)
    worst = quality.worst
    if worst is not None:
        interval = (worst.result.interval.low, worst.result.interval.high)
        evidence.measure(
            "worst_slice_ratio",
            worst.result.ratio,
            limit=slice_quality.LARGEST_RATIO,
            ci=interval,
            n=worst.result.n,
            unit="x",
        )
    for status in ("failed", "holds", "undecided", "unknown"):
        evidence.measure(f"slices_{status}", quality.count(status))
    for column, share in quality.settled.items():
        evidence.measure(f"settled_rows_of_{column}", 100.0 * share, unit="%")
    evidence.measure("pairs_searched", quality.searched)
    evidence.measure("yardsticks", len(yardsticks), n=len(rows.truth))
    evidence.attach("slices", slice_report.table(quality))
    figure = slice_report.figure(quality)
    if figure is not None:
        evidence.attach("loss of slices", figure)
    if evidence.judge()[0] is mltest.Verdict.FAILED:
        pytest.fail(slice_report.sentence(quality), pytrace=False)
    reason = slice_quality.unsettled(quality)
    if reason is not None:
        evidence.withhold(reason, "too_little_data")


def _fail_where_refused(evidence: mltest.Evidence, refused: slice_answers.UnansweredSlice | None) -> None:
    if refused is not None:
        interval = (100.0 * refused.interval.low, 100.0 * refused.interval.high)
        limit = 100.0 * slice_answers.LARGEST_UNANSWERED
        measured = evidence.measure(
            "worst_unanswered_share", 100.0 * refused.share, limit=limit, ci=interval, n=refused.n, unit="%"
        )
        if measured.verdict() is mltest.Verdict.FAILED:
            pytest.fail(slice_report.unanswered_sentence(refused, measured.limit), pytrace=False)


@pytest.mark.ml_score("model.slices")
def test_no_slice_was_lost_on_the_way(
    evidence: mltest.Evidence, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Rows of declared slices in training, against the holdout, and of all slices in both, against the raw tables.

    A level fails below a tenth of its share of the holdout, or below a fifth of what other levels keep of their raw
    rows: seasons and cancellations move shares by less, a join that loses a level moves it to zero. Pairs of levels
    count too, and where rows can be recognised by their keys so do gaps and ranges of the inputs.
    """
    rows = judged_rows.read(ml_data, ml_model, ml_system.task)
    columns = slicing.slices_of(rows).declared
    lacking = slice_coverage.in_training(rows, columns, ml_data)
    kept = kept_rows.worst_kept(ml_data, columns, rows.inputs)
    lost = slice_coverage.worst([slice_coverage.in_data(ml_data, columns), kept])
    failed = []
    for name, coverage, limit in (
        ("least_share_in_training", lacking, slice_coverage.SMALLEST_IN_TRAINING),
        ("least_share_kept_of_raw", lost, slice_coverage.SMALLEST_KEPT),
    ):
        if coverage is not None:
            measured = evidence.measure(name, coverage.ratio, limit=limit, better="higher", n=coverage.n)
            if measured.verdict() is mltest.Verdict.FAILED:
                failed.append(slice_report.coverage_sentence(coverage, name, measured.limit))
    if failed:
        pytest.fail("; ".join(failed), pytrace=False)
    if lacking is None:
        evidence.withhold("no declared slice has 50 held-out rows: hold out more, or declare slices", "too_little_data")
