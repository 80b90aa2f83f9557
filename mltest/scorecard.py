"""The result of a run as plain, frozen data: everything that a report shows, and nothing that it computes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from mltest.evidence import Attestation, Finding, ReasonCode, Verdict, Waiver

SCHEMA = "ml-score-report/1"

BasisKind = Literal["automated", "manual"]


class ScorecardError(Exception):
    """A file is no scorecard that this version can read."""


@dataclass(frozen=True)
class Proof:
    """Why a run counts as repeated: where it ran, under which id, and what triggered it."""

    kind: str
    run_id: str | None = None
    url: str | None = None
    trigger: str | None = None


@dataclass(frozen=True)
class Basis:
    """`automated` needs a proof; `why` says in a sentence how the basis was decided."""

    kind: BasisKind
    why: str
    proof: Proof | None = None

    def __post_init__(self) -> None:
        if self.kind == "automated" and self.proof is None:
            raise ValueError("an automated basis needs its proof")


@dataclass(frozen=True)
class RubricInfo:
    """Which rubric, pinned by the digest of its bytes."""

    id: str
    sha256: str
    title: str = ""


@dataclass(frozen=True)
class SystemInfo:
    """Which system was judged."""

    name: str
    task: str
    version: str | None = None
    environment: str = "development"
    digests: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class RelaxedLimit:
    """A limit that a configuration set laxer than its default."""

    item: str
    measurement: str
    default: float
    limit: float


@dataclass(frozen=True)
class RunInfo:
    """How the run was made. `seconds` is its wall clock, `faults` what was injected on purpose."""

    started: datetime
    seconds: float
    basis: BasisKind
    basis_why: str
    proof: Proof | None
    seed: int
    effort: str
    commit: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    relaxed_limits: tuple[RelaxedLimit, ...] = ()
    foreign_fixtures: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemResult:
    """One item of the rubric and how it stands."""

    id: str
    number: str
    title: str
    section: str
    verdict: Verdict
    reason_code: ReasonCode | None
    reason: str
    points: float
    basis: BasisKind | None
    remedy: str
    effort: str | None
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    attestation: Attestation | None = None
    waiver: Waiver | None = None

    def __post_init__(self) -> None:
        if self.points > 0 and (self.verdict is not Verdict.PASSED or self.basis is None):
            raise ValueError(f"{self.id}: only a passed item with a basis has points")


@dataclass(frozen=True)
class Tally:
    """Sums of the sections, each 0 to its number of items, and their minimum. A partial run has no minimum."""

    final: float | None
    sections: Mapping[str, float]


@dataclass(frozen=True)
class Score:
    """`final` is the readiness; `in_place` the ML Test Score as in the paper; never mixed."""

    final: float | None
    band: str | None
    partial: bool
    sections: Mapping[str, float]
    in_place: Tally
    if_automated: Tally


@dataclass(frozen=True)
class SectionInfo:
    """A section of the rubric as the report shows it; `maximum` is its number of items."""

    id: str
    title: str
    maximum: int


@dataclass(frozen=True)
class NextStep:
    """What raises the score most, and by how much; several items where sections tie at the minimum."""

    items: tuple[str, ...]
    gain: float
    sentence: str


@dataclass(frozen=True)
class Scorecard:
    """The result of a run. `figures` (SVG or JSON text by digest) travel beside it and not in its JSON."""

    rubric: RubricInfo
    system: SystemInfo
    run: RunInfo
    score: Score
    sections: tuple[SectionInfo, ...]
    items: tuple[ItemResult, ...]
    next_step: NextStep | None = None
    schema: str = SCHEMA
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[ItemResult, ...]:
        return tuple(i for i in self.items if i.verdict is Verdict.FAILED)

    @property
    def errors(self) -> tuple[ItemResult, ...]:
        return tuple(i for i in self.items if i.verdict is Verdict.ERROR)

    def headline(self) -> str:
        """The score in one line, which never hides that items failed."""
        if self.score.final is None:
            line = "readiness not scored: this run is partial"
        else:
            line = f"readiness {self.score.final:.1f}"
        for count, word in ((len(self.failed), "FAILED"), (len(self.errors), "in ERROR")):
            if count:
                line += f", {count} item{'' if count == 1 else 's'} {word}"
        return line


@cache
def _adapter() -> TypeAdapter[Scorecard]:
    return TypeAdapter(Scorecard)


def to_json(scorecard: Scorecard) -> str:
    """The document that other programs read: indented, keys in a fixed order, unknown as null."""
    plain = _adapter().dump_python(replace(scorecard, figures={}), mode="json")
    del plain["figures"]
    document = {"schema": plain.pop("schema"), **plain}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, name: str = "scorecard") -> Scorecard:
    """Reads a document again. Raises ScorecardError, naming `name` and the first key that is wrong."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ScorecardError(f"{name} is no JSON ({error}): give a report.json that --ml-score wrote") from error
    found = raw.get("schema") if isinstance(raw, dict) else None
    if found != SCHEMA:
        raise ScorecardError(f"{name} has schema {found!r}, this version reads {SCHEMA!r}: write the report again")
    try:
        return _adapter().validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ScorecardError(f"{name}: {key}: {first['msg']}: write the report again") from error


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    schema = _adapter().json_schema(mode="serialization")
    del schema["properties"]["figures"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **schema}
