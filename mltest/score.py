"""From findings and attestations to a score: pure, no files, no clock, no pytest.

Breck et al. 2017, section VI: an item earns 0.5 points when its test is run by hand with documented results and 1.0
when a system runs it on a repeated basis; a section is the sum of its items; the score is the minimum of the sections.

Two numbers, never mixed. *Readiness*: an item earns its points only while its tests hold. *In place*, as the paper
counts: points for tests that are there and really ran, whatever they found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mltest.evidence import Attestation, Finding, ReasonCode, Verdict, Waiver
from mltest.rubric import Item, Rubric
from mltest.scorecard import BasisKind, ItemResult, NextStep, Score, Tally

POINTS: Mapping[BasisKind, float] = {"manual": 0.5, "automated": 1.0}
_EFFORTS = {"low": 0, "medium": 1, None: 1, "high": 2}


@dataclass(frozen=True)
class Judgement:
    """How an item stands by its findings alone."""

    verdict: Verdict
    reason: str
    reason_code: ReasonCode | None


def judge_item(item: Item, findings: Sequence[Finding]) -> Judgement:
    """Error before failed before passed before not demonstrated.

    A required built-in probe that is not demonstrated keeps the item so, unless an own test passed; an own test
    never lifts a built-in failure.
    """
    for verdict in (Verdict.ERROR, Verdict.FAILED):
        hits = [f for f in findings if f.verdict is verdict]
        if hits:
            return Judgement(verdict, "; ".join(f.message for f in hits), None)
    passed = [f for f in findings if f.verdict is Verdict.PASSED]
    missing = [f for f in findings if f.verdict is Verdict.NOT_DEMONSTRATED]
    own_passed = any(f.own for f in passed)
    blocking = [] if own_passed else [f for f in missing if f.required and not f.own]
    if passed and not blocking:
        return Judgement(Verdict.PASSED, "; ".join(f.message for f in passed), None)
    if missing:
        first = (blocking or missing)[0]
        return Judgement(Verdict.NOT_DEMONSTRATED, first.message, first.reason_code)
    return Judgement(Verdict.NOT_DEMONSTRATED, _never_ran(item), ReasonCode.NOT_RUN)


def _never_ran(item: Item) -> str:
    if item.probed:
        return "its probe did not run"
    return (
        "no built-in probe speaks to this item yet: mark a test of your own with "
        f'@pytest.mark.ml_score("{item.id}"), or attest that a person did it'
    )


def item_result(
    item: Item,
    findings: Sequence[Finding],
    basis: BasisKind,
    attestation: Attestation | None = None,
    waiver: Waiver | None = None,
) -> ItemResult:
    """One item with its points. An attestation lifts what is not demonstrated, and nothing else."""
    judged = judge_item(item, findings)
    earned: BasisKind | None = basis if judged.verdict is Verdict.PASSED else None
    if judged.verdict is Verdict.NOT_DEMONSTRATED and attestation is not None and attestation.problem is None:
        reason = f"attested by {attestation.by} on {attestation.on}, valid until {attestation.expires}"
        judged, earned = Judgement(Verdict.PASSED, reason, None), "manual"
    return ItemResult(
        id=item.id,
        number=item.number,
        title=item.title,
        section=item.section,
        verdict=judged.verdict,
        reason_code=judged.reason_code,
        reason=judged.reason,
        points=POINTS[earned] if earned is not None else 0.0,
        basis=earned,
        remedy=item.remedy.text,
        effort=item.remedy.effort,
        seconds=sum(f.seconds for f in findings),
        findings=tuple(findings),
        attestation=attestation,
        waiver=waiver,
    )


def score_items(rubric: Rubric, items: Sequence[ItemResult], basis: BasisKind, *, partial: bool) -> Score:
    """The three tallies of a run. A partial run has section sums but neither a final score nor a band."""
    readiness = _tally(rubric, {i.id: i.points for i in items}, partial)
    return Score(
        final=readiness.final,
        band=None if readiness.final is None else rubric.band(readiness.final).meaning,
        partial=partial,
        sections=readiness.sections,
        in_place=_tally(rubric, {i.id: _in_place(i, basis) for i in items}, partial),
        if_automated=_tally(rubric, {i.id: _if_automated(i) for i in items}, partial),
    )


def _tally(rubric: Rubric, points: Mapping[str, float], partial: bool) -> Tally:
    sums = {s.id: sum(points[i.id] for i in rubric.items if i.section == s.id) for s in rubric.sections}
    return Tally(final=None if partial else min(sums.values()), sections=sums)


def _in_place(item: ItemResult, basis: BasisKind) -> float:
    if any(f.verdict in (Verdict.PASSED, Verdict.FAILED) for f in item.findings):
        return POINTS[basis]
    return item.points


def _if_automated(item: ItemResult) -> float:
    by_test = item.verdict is Verdict.PASSED and any(f.verdict is Verdict.PASSED for f in item.findings)
    return POINTS["automated"] if by_test else item.points


def next_step(rubric: Rubric, items: Sequence[ItemResult], score: Score, basis: BasisKind) -> NextStep | None:
    """What raises the score most: one item in every section that stands at the minimum, the cheapest first.

    None when the run is partial or nothing is left to gain.
    """
    if score.final is None:
        return None
    weakest = [s for s in rubric.sections if score.sections[s.id] == score.final]
    candidates = [_cheapest([i for i in items if i.section == s.id and i.points < POINTS[basis]]) for s in weakest]
    chosen = [c for c in candidates if c is not None]
    if len(chosen) < len(weakest):
        return None
    raised = dict(score.sections)
    for item in chosen:
        raised[item.section] += POINTS[basis] - item.points
    gain = min(raised.values()) - score.final
    return NextStep(tuple(i.id for i in chosen), gain, _step_sentence(chosen, len(rubric.sections), gain))


def _cheapest(items: Sequence[ItemResult]) -> ItemResult | None:
    order = {Verdict.FAILED: 0, Verdict.ERROR: 1, Verdict.NOT_DEMONSTRATED: 2, Verdict.PASSED: 3}
    return min(items, key=lambda i: (order[i.verdict], _EFFORTS[i.effort]), default=None)


def _step_sentence(chosen: Sequence[ItemResult], sections: int, gain: float) -> str:
    if len(chosen) == 1:
        item = chosen[0]
        return f"{item.number} ({item.title}) raises the score by {gain:g}: {item.remedy}"
    names = ", ".join(f"{i.number} ({i.id})" for i in chosen)
    lead = "All sections tie" if len(chosen) == sections else f"{len(chosen)} sections tie"
    return f"{lead} at the minimum, so one item in each raises the score by {gain:g}: {names}"
