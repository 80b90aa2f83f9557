"""The sentences that every format for people shares, so that terminal and page never tell two stories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mltest.evidence import ReasonCode, Verdict
from mltest.scorecard import Scorecard

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.PASSED: "Passed",
    Verdict.FAILED: "Failed",
    Verdict.NOT_DEMONSTRATED: "Not demonstrated",
    Verdict.ERROR: "Error",
}
REASON_WORDS: Mapping[ReasonCode, str] = {
    ReasonCode.PART_MISSING: "a part is missing",
    ReasonCode.TOO_LITTLE_DATA: "too little data",
    ReasonCode.STALE: "stale evidence",
    ReasonCode.CIRCULAR: "circular evidence",
    ReasonCode.WITHHELD: "withheld by the probe",
    ReasonCode.NO_CONSENT: "no consent to experiments",
    ReasonCode.NOT_RUN: "not run",
}
HOW_TO_BEGIN = (
    "Write mltest.toml with name, task, and [data] with training and target.",
    "Or name a system written in Python: --ml-score-system MODULE:NAME",
    "Run pytest --ml-score again: each item says which part it still lacks.",
)


@dataclass(frozen=True)
class Notice:
    """Something that a reader must know before believing the score."""

    label: str
    sentence: str


def number(value: float | None) -> str:
    """A measured number with four significant digits, large ones with their thousands apart."""
    if value is None:
        return "unknown"
    return f"{value:.4g}" if abs(value) < 1e5 else f"{value:,.0f}"


def points(value: float | None) -> str:
    """Points with the one decimal that the rubric knows; a partial run has none."""
    return "not scored" if value is None else f"{value:.1f}"


def count(amount: int, noun: str) -> str:
    """`1 item`, `2 items`."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def paper_sentence(scorecard: Scorecard) -> str:
    """The second number: what the paper's own rule gives."""
    in_place = scorecard.score.in_place.final
    if in_place is None:
        return "ML Test Score as in the paper: not scored, this run is partial."
    return (
        f"ML Test Score as in the paper: {points(in_place)}. It counts tests that are in place and really ran, "
        "whatever they found; readiness counts them only while they hold."
    )


def automation_sentence(scorecard: Scorecard) -> str | None:
    """What the same verdicts are worth once a system repeats the run; None where that changes nothing."""
    now, then = scorecard.score.final, scorecard.score.if_automated.final
    if now is None or then is None or then <= now:
        return None
    return f"Run by a system on a repeated basis, the same verdicts would score {points(then)}."


def basis_sentence(scorecard: Scorecard) -> str:
    """Whether a passed item earns a half or a whole point here, and why."""
    worth = "1.0" if scorecard.run.basis == "automated" else "0.5"
    return f"This run is {scorecard.run.basis}, so a passed item earns {worth}: {scorecard.run.basis_why.rstrip('.')}."


def nothing_has_points(scorecard: Scorecard) -> bool:
    return not any(item.points for item in scorecard.items)


def notices(scorecard: Scorecard) -> tuple[Notice, ...]:
    """What qualifies the score, the gravest first."""
    run, found = scorecard.run, []
    if scorecard.score.partial:
        sentence = (
            "Some built-in probes have no final report, so there are verdicts but no score, and no gate can pass."
        )
        found.append(Notice("Partial run", sentence))
    if run.faults:
        found.append(Notice("Faults injected on purpose", "; ".join(run.faults)))
    for limit in run.relaxed_limits:
        change = f"{limit.measurement}: {number(limit.limit)} instead of {number(limit.default)}"
        found.append(Notice("Limit relaxed by configuration", f"{limit.item}, {change}"))
    if run.foreign_fixtures:
        found.append(Notice("Foreign fixtures active", ", ".join(run.foreign_fixtures)))
    for item in scorecard.items:
        stated = item.attestation
        if stated is not None and stated.problem is None:
            found.append(Notice("Attested by hand", f"{item.number}, by {stated.by} on {stated.on}"))
        elif stated is not None:
            found.append(Notice("Attestation does not count", f"{item.number}, by {stated.by}: {stated.problem}"))
    return (*found, *(Notice("Note", note) for note in run.notes))
