"""The scoring rule, recomputed independently."""

import itertools
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest import resources
from mltest import rubric as rubrics
from mltest import score as scoring
from mltest.evidence import Attestation, Finding, Measurement, ReasonCode, Verdict, Waiver
from mltest.scorecard import ItemResult

RUBRIC = rubrics.load(resources.path(rubrics.BUNDLED))
ITEM = RUBRIC.item("data.schema")
PLAIN = RUBRIC.item("infra.canary")
SEEN = (Measurement("m", 1.0, limit=2.0),)


def finding(verdict: Verdict, *, own: bool = False, required: bool = True, item: str = ITEM.id) -> Finding:
    code = ReasonCode.WITHHELD if verdict is Verdict.NOT_DEMONSTRATED else None
    return Finding(item, f"p-{verdict}-{own}", own, verdict, f"it {verdict}", code, SEEN, required=required)


def attestation(problem: str | None = None) -> Attestation:
    return Attestation(ITEM.id, "ada", date(2026, 1, 1), date(2026, 6, 1), "minutes.pdf", "0" * 64, problem)


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], Verdict.NOT_DEMONSTRATED),
        ([finding(Verdict.PASSED)], Verdict.PASSED),
        ([finding(Verdict.PASSED), finding(Verdict.FAILED)], Verdict.FAILED),
        ([finding(Verdict.FAILED), finding(Verdict.ERROR)], Verdict.ERROR),
        ([finding(Verdict.PASSED), finding(Verdict.NOT_DEMONSTRATED)], Verdict.NOT_DEMONSTRATED),
        ([finding(Verdict.PASSED), finding(Verdict.NOT_DEMONSTRATED, required=False)], Verdict.PASSED),
        ([finding(Verdict.PASSED, own=True), finding(Verdict.NOT_DEMONSTRATED)], Verdict.PASSED),
        ([finding(Verdict.PASSED, own=True), finding(Verdict.FAILED)], Verdict.FAILED),
        ([finding(Verdict.PASSED), finding(Verdict.FAILED, own=True)], Verdict.FAILED),
        ([finding(Verdict.PASSED), finding(Verdict.NOT_DEMONSTRATED, own=True)], Verdict.PASSED),
    ],
)
def test_the_verdict_of_an_item_follows_from_its_findings(findings, expected):
    for order in itertools.permutations(findings):
        assert scoring.judge_item(ITEM, order).verdict is expected


@pytest.mark.parametrize(("basis", "points"), [("manual", 0.5), ("automated", 1.0)])
def test_only_a_passed_item_has_points_and_the_basis_says_how_many(basis, points):
    for verdict in Verdict:
        result = scoring.item_result(ITEM, [finding(verdict)], basis)
        assert result.points == (points if verdict is Verdict.PASSED else 0)


def test_an_attestation_earns_half_a_point_where_nothing_contradicts_it():
    lifted = scoring.item_result(ITEM, [finding(Verdict.NOT_DEMONSTRATED)], "automated", attestation())
    assert (lifted.verdict, lifted.points, lifted.basis) == (Verdict.PASSED, 0.5, "manual")
    assert scoring.item_result(ITEM, [finding(Verdict.FAILED)], "automated", attestation()).points == 0
    assert scoring.item_result(ITEM, [finding(Verdict.ERROR)], "automated", attestation()).points == 0
    assert scoring.item_result(ITEM, [finding(Verdict.PASSED)], "automated", attestation()).points == 1.0
    assert scoring.item_result(ITEM, [], "automated", attestation("it expired")).points == 0


def test_a_waiver_is_shown_and_changes_no_number():
    waiver = Waiver(ITEM.id, "ada", date(2026, 6, 1), "planned")
    with_it = scoring.item_result(ITEM, [finding(Verdict.FAILED)], "manual", waiver=waiver)
    assert (with_it.verdict, with_it.points, with_it.waiver) == (Verdict.FAILED, 0, waiver)


def test_points_without_a_pass_cannot_be_built():
    with pytest.raises(ValueError, match="only a passed item"):
        ItemResult(ITEM.id, "1", "t", "data", Verdict.FAILED, None, "r", 1.0, "manual", "do", "low")


def test_an_item_that_no_probe_speaks_to_says_what_to_do():
    reason = scoring.judge_item(PLAIN, []).reason
    assert PLAIN.id in reason
    assert "attest" in reason


verdicts = st.lists(st.sampled_from(list(Verdict)), min_size=28, max_size=28)


@settings(max_examples=60)
@given(verdicts, st.sampled_from(["manual", "automated"]), st.booleans())
def test_the_final_score_is_the_minimum_of_the_four_sections(chosen, basis, partial):
    items = [
        scoring.item_result(item, [finding(verdict, item=item.id)], basis)
        for item, verdict in zip(RUBRIC.items, chosen, strict=True)
    ]
    score = scoring.score_items(RUBRIC, items, basis, partial=partial)
    worth = 0.5 if basis == "manual" else 1.0
    by_hand = {
        section: worth
        * sum(v is Verdict.PASSED for i, v in zip(RUBRIC.items, chosen, strict=True) if i.section == section)
        for section in ("data", "model", "infra", "monitoring")
    }
    ran = {
        section: worth
        * sum(
            v in (Verdict.PASSED, Verdict.FAILED)
            for i, v in zip(RUBRIC.items, chosen, strict=True)
            if i.section == section
        )
        for section in by_hand
    }
    assert dict(score.sections) == by_hand
    assert dict(score.in_place.sections) == ran
    if partial:
        assert (score.final, score.band, score.in_place.final) == (None, None, None)
    else:
        assert score.final == min(by_hand.values())
        assert score.in_place.final == min(ran.values())
        assert score.if_automated.final == min(v / worth for v in by_hand.values())


@settings(max_examples=60)
@given(verdicts)
def test_the_next_step_raises_the_score_by_what_it_says(chosen):
    items = {
        item.id: scoring.item_result(item, [finding(verdict, item=item.id)], "automated")
        for item, verdict in zip(RUBRIC.items, chosen, strict=True)
    }
    score = scoring.score_items(RUBRIC, list(items.values()), "automated", partial=False)
    step = scoring.next_step(RUBRIC, list(items.values()), score, "automated")
    if step is None:
        assert score.final == 7
        return
    for name in step.items:
        items[name] = scoring.item_result(RUBRIC.item(name), [finding(Verdict.PASSED, item=name)], "automated")
    raised = scoring.score_items(RUBRIC, list(items.values()), "automated", partial=False)
    assert raised.final == pytest.approx(score.final + step.gain)
    assert step.gain > 0
