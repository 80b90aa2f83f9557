"""A realistic scorecard of 28 items with every verdict, built with the real rubric and the real scoring rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from mltest import resources
from mltest.evidence import Attachment, Attestation, Finding, Measurement, ReasonCode, Verdict, Waiver
from mltest.rubric import BUNDLED, Rubric, load
from mltest.score import item_result, next_step, score_items
from mltest.scorecard import (
    BasisKind,
    ItemResult,
    Proof,
    RelaxedLimit,
    RubricInfo,
    RunInfo,
    Scorecard,
    SectionInfo,
    SystemInfo,
)

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 60" width="320" height="60">'
    "<title>Error by carrier</title><desc>Two carriers, one beyond the limit of 1.25.</desc>"
    '<rect x="60" y="8" width="140" height="16" fill="#4c8a5b"/><rect x="60" y="34" width="230" height="16" '
    'fill="#c2543d"/></svg>'
)
TABLE = json.dumps([{"slice": "carrier=HA", "rows": 812, "ratio": 1.42}, {"slice": "carrier=OO", "rows": 29}])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rubric() -> Rubric:
    return load(resources.path(BUNDLED))


def finding(
    item: str, *measurements: Measurement, own: bool = False, attachments: tuple[Attachment, ...] = ()
) -> Finding:
    """What the engine would make of these measurements."""
    verdicts = {m.verdict() for m in measurements if m.decides}
    verdict = next(v for v in (Verdict.FAILED, Verdict.NOT_DEMONSTRATED, Verdict.PASSED) if v in verdicts)
    hits = [m for m in measurements if m.decides and m.verdict() is verdict]
    return Finding(
        item=item,
        probe=f"{'tests/test_ours.py' if own else 'suites/test_mlscore_' + item.replace('.', '_') + '.py'}::test_it",
        own=own,
        verdict=verdict,
        message="; ".join(m.sentence() for m in hits),
        reason_code=ReasonCode.TOO_LITTLE_DATA if verdict is Verdict.NOT_DEMONSTRATED else None,
        measurements=measurements,
        attachments=attachments,
        seconds=1.4,
    )


def open_finding(item: str, code: ReasonCode, message: str) -> Finding:
    return Finding(
        item,
        f"suites/test_mlscore_{item.replace('.', '_')}.py::test_it",
        False,
        Verdict.NOT_DEMONSTRATED,
        message,
        code,
    )


def error_finding(item: str, message: str) -> Finding:
    return Finding(item, f"suites/test_mlscore_{item.replace('.', '_')}.py::test_it", False, Verdict.ERROR, message)


def findings() -> Mapping[str, tuple[Finding, ...]]:
    return {**_data(), **_model(), **_infra(), **_monitoring()}


def _data() -> Mapping[str, tuple[Finding, ...]]:
    return {
        "data.schema": (
            finding(
                "data.schema",
                Measurement("share_of_inputs_with_an_expectation", 1.0, 1.0, "higher", default_limit=1.0),
                Measurement("violations_on_clean_days", 0, 0, "lower", "rows", None, 53_991, 0),
                Measurement("schema_kill_ratio", 0.957, 0.8, "higher", "", (0.91, 0.98), 140, 0.9),
            ),
        ),
        "data.benefit": (
            finding(
                "data.benefit",
                Measurement("features_without_benefit", 0, 0, "lower", "features", None, 31, 0),
                Measurement("gain_of_a_noise_feature", -0.003, 0.02, "lower", "min", (-0.011, 0.006), 61, 0.02),
            ),
        ),
        "data.cost": (
            finding("data.cost", Measurement("p99_of_features", 6.1, 10, "lower", "ms", (5.2, 7.4), 4000), own=True),
        ),
        "data.privacy": (
            open_finding(
                "data.privacy",
                ReasonCode.NO_CONSENT,
                "deleting a passenger is an experiment: set experiments = true in mltest.toml",
            ),
        ),
    }


def _model() -> Mapping[str, tuple[Finding, ...]]:
    figure = Attachment("Error of each carrier against all", "svg", digest(SVG))
    table = Attachment("Slices with the largest error", "table", digest(TABLE))
    return {
        "model.baseline": (
            finding(
                "model.baseline",
                Measurement("gain_over_ridge", 0.40, 0, "higher", "min", (0.27, 0.56), 61, 0),
                Measurement("gain_over_carry_over", 3.5, 0, "higher", "min", (3.1, 3.9), 61, 0),
                Measurement("gain_over_gradient_boosting", 0.04, None, "higher", "min", (-0.05, 0.13), 61),
            ),
        ),
        "model.slices": (
            finding(
                "model.slices",
                Measurement("worst_slice_ratio", 1.42, 1.25, "lower", "x", (1.31, 1.55), 812, 1.25),
                Measurement("second_worst_slice_ratio", 1.12, 1.25, "lower", "x", (1.02, 1.22), 2_416, 1.25),
                Measurement("slices_compared", 118, None, "higher"),
                attachments=(figure, table),
            ),
        ),
        "model.staleness": (
            finding("model.staleness", Measurement("loss_after_30_days", 0.21, 0.5, "lower", "min", (-0.02, 0.63), 9)),
        ),
    }


def _infra() -> Mapping[str, tuple[Finding, ...]]:
    return {
        "infra.reproducibility": (
            finding(
                "infra.reproducibility",
                Measurement("largest_difference_of_two_trainings", 0.0, 1e-6, "lower", "min", None, 20_000),
            ),
        ),
        "infra.integration": (
            error_finding(
                "infra.integration", "serving.start raised OSError: [Errno 98] address already in use: free port 8431"
            ),
        ),
        "infra.spec_tests": (
            finding("infra.spec_tests", Measurement("mutants_killed", 0.93, 0.8, "higher", "", (0.84, 0.97), 60)),
        ),
    }


def _monitoring() -> Mapping[str, tuple[Finding, ...]]:
    return {
        "monitoring.skew": (
            finding(
                "monitoring.skew",
                Measurement("share_of_skewed_answers", 0.031, 0.001, "lower", "", (0.024, 0.039), 2_000),
            ),
        ),
        "monitoring.numerics": (
            finding(
                "monitoring.numerics",
                Measurement("non_finite_answers", 0, 0, "lower", "answers", (0, 0), 53_991),
                Measurement("alerts_on_planted_nan", 1, 1, "higher", "alerts", None, 1),
            ),
        ),
    }


ATTESTATION = Attestation(
    "model.review",
    "Mira Okafor",
    date(2026, 10, 2),
    date(2027, 3, 31),
    "https://forge.example/eta/pull/812",
    digest("review"),
)
REJECTED = Attestation(
    "data.agility",
    "Jo Lind",
    date(2025, 1, 9),
    date(2025, 7, 1),
    "wiki/agility.md",
    digest("x"),
    "it expired on 2025-07-01",
)
WAIVER = Waiver("monitoring.skew", "flight-data team", date(2027, 1, 31), "accepted-until-fixed")


def items(
    basis: BasisKind = "manual", found: Mapping[str, tuple[Finding, ...]] | None = None
) -> tuple[ItemResult, ...]:
    by_item = findings() if found is None else found
    attestations = {a.item: a for a in (ATTESTATION, REJECTED)} if found is None else {}
    waivers = {WAIVER.item: WAIVER} if found is None else {}
    return tuple(
        item_result(item, by_item.get(item.id, ()), basis, attestations.get(item.id), waivers.get(item.id))
        for item in rubric().items
    )


def scorecard(
    basis: BasisKind = "manual", *, partial: bool = False, found: Mapping[str, tuple[Finding, ...]] | None = None
) -> Scorecard:
    """The sample; `found` replaces what its probes found."""
    made, results = rubric(), items(basis, found)
    score = score_items(made, results, basis, partial=partial)
    return Scorecard(
        rubric=RubricInfo(made.id, made.sha256, made.title),
        system=SystemInfo(
            "eta",
            "regression",
            "champion v7",
            "staging",
            {"model": digest("model"), "data": digest("data")},
            ("data", "model"),
        ),
        run=_run(basis, with_remarks=found is None),
        score=score,
        sections=tuple(SectionInfo(s.id, s.title, len(made.items_of(s.id))) for s in made.sections),
        items=results,
        next_step=next_step(made, results, score, basis),
        figures={digest(SVG): SVG, digest(TABLE): TABLE},
    )


def _run(basis: BasisKind, *, with_remarks: bool) -> RunInfo:
    proof = Proof("github-actions", "8123371", "https://github.example/acme/eta/actions/runs/8123371", "schedule")
    automated = basis == "automated"
    return RunInfo(
        started=datetime(2026, 11, 24, 3, 14, 7, tzinfo=UTC),
        seconds=48.3,
        basis=basis,
        basis_why="it ran in GitHub Actions, triggered by a schedule"
        if automated
        else "no CI environment was recognised",
        proof=proof if automated else None,
        seed=20_170_101,
        effort="quick",
        commit="8f3d1c0a9b7e4f52d6c1a0b3e9f8d7c6b5a49382",
        environment={"python": "3.11.9", "platform": "Linux x86_64", "torch": "2.13.0", "processors": "2"},
        relaxed_limits=(RelaxedLimit("data.schema", "schema_kill_ratio", 0.9, 0.8),) if with_remarks else (),
        foreign_fixtures=("conftest.py::warm_cache (autouse)",) if with_remarks else (),
    )


def healthy() -> Scorecard:
    """Every item passed in an automated run."""
    found = {
        item.id: (finding(item.id, Measurement("share", 0.99, 0.9, "higher", "", (0.98, 1.0), 1000)),)
        for item in rubric().items
    }
    return scorecard("automated", found=found)


def empty() -> Scorecard:
    """Nothing was offered and nothing demonstrated."""
    return scorecard(found={})


def renamed(card: Scorecard, text: str) -> Scorecard:
    """`text` through every field that comes from outside."""
    measurement = Measurement(text, 2.0, 1.0, "lower", text, (1.5, 3.0), 10, 0.5)
    hostile = Finding(
        "model.slices",
        text,
        True,
        Verdict.FAILED,
        text,
        None,
        (measurement,),
        (Attachment(text, "table", "t"), Attachment(text, "svg", "s")),
    )
    stated = replace(ATTESTATION, by=text, evidence=text, sha256=text)
    changed = tuple(
        replace(
            item,
            number=text,
            title=text,
            reason=text,
            remedy=text,
            findings=(hostile,),
            attestation=stated,
            waiver=Waiver(item.id, text, date(2027, 1, 1), text),
        )
        for item in card.items
    )
    return replace(
        card,
        rubric=RubricInfo(text, text, text),
        system=SystemInfo(text, text, text, text, {text: text}, (text,)),
        run=replace(
            card.run,
            basis_why=text,
            commit=text,
            effort=text,
            environment={text: text},
            foreign_fixtures=(text,),
            faults=(text,),
            notes=(text,),
            relaxed_limits=(RelaxedLimit(text, text, 0.9, 0.8),),
            proof=Proof(text, text, text, text),
        ),
        score=replace(card.score, band=text),
        sections=tuple(replace(section, title=text) for section in card.sections),
        items=changed,
        next_step=None if card.next_step is None else replace(card.next_step, sentence=text),
        figures={"t": json.dumps([{text: text}]), "s": f"<svg><title>{text}</title><script>alert(1)</script></svg>"},
    )
