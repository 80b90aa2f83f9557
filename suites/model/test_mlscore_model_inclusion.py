"""Model 7: the model has been tested for considerations of inclusion."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import (
    group_errors,
    group_report,
    group_representation,
    group_rows,
    group_service,
    group_swap,
)


@pytest.mark.ml_score("model.inclusion")
def test_no_group_is_predicted_to_one_side_or_served_less(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Signed error and share of full answers of every declared group, each beside everybody else, resampling days.

    Allowed are an eighth of the mean absolute error either way, proven by two one-sided tests in every group, and four
    fifths of everybody else's share of full answers; failures are corrected by Holm's method. Groups are never
    averaged. What an exchange of groups does to answers is shown, and decides where a policy says that it must not.
    """
    rows = group_rows.read(ml_data, ml_model, ml_system.task)
    limit = evidence.limits.get("signed_error_gap", group_errors.LARGEST_GAP)
    errors = group_errors.judge(rows, limit=limit)
    service = group_service.judge(rows, ml_system.serving, seed=ml_ref.seed, effort=ml_ref.effort)
    exchanges = group_swap.judge(rows, ml_model, seed=ml_ref.seed)
    evidence.attach("groups", group_report.table(rows, errors, service, exchanges))
    figure = group_report.figure(errors, limit)
    if figure is not None:
        evidence.attach("signed error of groups", figure)
    failed = []
    worst, least = errors[0], group_service.worst(service.groups)
    gap = evidence.measure(
        "signed_error_gap",
        worst.share_of_loss,
        limit=group_errors.LARGEST_GAP,
        ci=worst.bounds,
        n=worst.n,
        unit="% of loss",
    )
    if worst.status == "failed":
        failed.append(group_report.error_sentence(errors, limit))
    if least is not None:
        ratio = evidence.measure(
            "service_ratio",
            least.ratio,
            limit=group_service.SMALLEST_RATIO,
            better="higher",
            ci=(least.interval.low, least.interval.high),
            n=least.n,
            unit="x",
        )
        if ratio.failed:
            failed.append(group_report.service_sentence(least, service, ratio.limit or 0.0))
    for status in ("failed", "open", "unknown", "holds"):
        evidence.measure(f"groups_{status}", sum(one.status == status for one in errors))
    for grouping in rows.groupings:
        evidence.measure(f"rows_without_{grouping.column}", 100.0 * grouping.unknown, unit="%")
    failed += _by_policy(evidence, exchanges, getattr(ml_data, "inclusion", None))
    if failed:
        pytest.fail("; ".join(failed), pytrace=False)
    reason = group_errors.unsettled(errors, limit)
    if reason is not None or gap.value is None:
        evidence.withhold(reason or "no group could be compared: hold out more rows", "too_little_data")


def _by_policy(evidence: mltest.Evidence, exchanges: Any, policy: Any) -> list[str]:
    """What an exchange of each group does; it decides for the columns that a policy names."""
    failed = []
    for one in exchanges:
        matters = policy is not None and group_swap.decided(one, policy.must_not_matter)
        effect = evidence.measure(
            f"exchange_of_{one.column}",
            one.size,
            limit=policy.largest_effect if matters else None,
            n=one.n,
            unit="% of loss",
        )
        if effect.failed:
            failed.append(group_report.exchange_sentence(one, effect.limit or 0.0))
    return failed


@pytest.mark.ml_score("model.inclusion")
def test_every_group_is_there_to_learn_from(evidence: mltest.Evidence, ml_system: mltest.System, ml_data: Any) -> None:
    """Share of every declared group among training rows over that among the raw rows of that time, or an equal one.

    A group fails below four fifths (half where only the holdout can stand in for the traffic) with the whole of its
    99 % interval: a sample that treats everybody alike leaves the ratio at one, whatever its size.
    """
    found = group_representation.judge(ml_data)
    if not found:
        evidence.withhold("no group is frequent enough to expect 20 training rows: widen the groups", "too_little_data")
    evidence.attach("representation of groups", group_report.representations(found))
    failed = []
    for beside_raw, name in ((True, "representation"), (False, "representation_beside_holdout")):
        least = next((one for one in found if one.beside_raw == beside_raw), None)
        if least is None:
            continue
        measured = evidence.measure(
            name,
            least.ratio,
            limit=least.limit,
            better="higher",
            ci=(least.interval.low, least.interval.high),
            n=least.found,
            unit="x",
        )
        if measured.failed:
            failed.append(group_report.representation_sentence(least, measured.limit or 0.0))
    if failed:
        pytest.fail("; ".join(failed), pytrace=False)
