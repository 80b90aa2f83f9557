"""The scorecard as a document that programs read, and the reader that believes no document unseen."""

from __future__ import annotations

import math

from mltest.evidence import Verdict
from mltest.reporters.redaction import redacted
from mltest.scorecard import Scorecard, ScorecardError, Tally, from_json, to_json

_TOLERANCE = 1e-9


def render(scorecard: Scorecard) -> str:
    """The document `ml-score-report/1`, secrets redacted; characters that no file can hold are replaced."""
    return to_json(redacted(scorecard)).encode("utf-8", "replace").decode()


def read(text: str, name: str = "report.json") -> Scorecard:
    """The scorecard in a document, if it is consistent in itself.

    Raises ScorecardError, in one line with `name`, when the document is none of ours or when its numbers do not
    follow from its items: a repeated item, a sum that is wrong, a final score that is not the minimum of the
    sections, a passed item that rests on nothing.
    """
    scorecard = from_json(text, name)
    found = _contradiction(scorecard)
    if found is not None:
        raise ScorecardError(f"{name}: {found}: it was changed by hand or cut short; run pytest --ml-score again")
    return scorecard


def _contradiction(scorecard: Scorecard) -> str | None:
    ids = [item.id for item in scorecard.items]
    if len(set(ids)) < len(ids):
        return "items: an id stands there twice"
    declared = {section.id: section.maximum for section in scorecard.sections}
    if {section: _size(scorecard, section) for section in declared} != declared or len(ids) != sum(declared.values()):
        return "items: their number is not that of the sections"
    for item in scorecard.items:
        unfounded = item.verdict is Verdict.PASSED and not item.findings and item.attestation is None
        if unfounded or item.points not in (0, 0.5, 1):
            return f"items.{item.id}: its points rest on no finding and no attestation"
    sums = {section: sum(i.points for i in scorecard.items if i.section == section) for section in declared}
    if not _same(sums, dict(scorecard.score.sections)):
        return "score.sections: they are not the sums of the items"
    return _wrong_final(scorecard)


def _wrong_final(scorecard: Scorecard) -> str | None:
    score = scorecard.score
    tallies = {
        "score.final": Tally(score.final, score.sections),
        "score.in_place.final": score.in_place,
        "score.if_automated.final": score.if_automated,
    }
    for key, tally in tallies.items():
        if score.partial != (tally.final is None):
            return f"{key}: a partial run has none, and every other run has one"
        if tally.final is not None and not math.isclose(tally.final, min(tally.sections.values()), abs_tol=_TOLERANCE):
            return f"{key}: it is not the minimum of the sections"
    return None


def _size(scorecard: Scorecard, section: str) -> int:
    return sum(item.section == section for item in scorecard.items)


def _same(left: dict[str, float], right: dict[str, float]) -> bool:
    return left.keys() == right.keys() and all(math.isclose(left[k], right[k], abs_tol=_TOLERANCE) for k in left)
