from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.attestations import LONGEST, attestations, in_force, judged, problem_of, waivers
from mltest.evidence import Attestation, Waiver

TODAY = date(2026, 3, 1)
CONTENT = hashlib.sha256(b"minutes of the review").hexdigest()
VALID = Attestation(
    item="model.review",
    by="Ada Lovelace",
    on=date(2026, 1, 15),
    expires=date(2026, 7, 15),
    evidence="minutes.md",
    sha256=CONTENT,
)


def unchanged(_: str) -> str | None:
    return CONTENT


def test_a_complete_attestation_counts() -> None:
    assert problem_of(VALID, TODAY, unchanged) is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"by": "  "}, "names nobody"),
        ({"on": TODAY + timedelta(days=1)}, "has not come yet"),
        ({"expires": VALID.on}, "not after its own date"),
        ({"expires": VALID.on + LONGEST + timedelta(days=1)}, "longer than 366 days"),
        ({"expires": TODAY - timedelta(days=1)}, "expired on 2026-02-28"),
        ({"sha256": "0" * 64}, "changed since"),
    ],
)
def test_what_is_wrong_is_said_and_keeps_it_from_counting(change: dict[str, object], problem: str) -> None:
    (attestation,) = judged([replace(VALID, **change)], TODAY, unchanged)  # type: ignore[arg-type]
    assert attestation.problem is not None
    assert problem in attestation.problem
    assert "\n" not in attestation.problem


def test_evidence_that_is_gone_does_not_count() -> None:
    assert "cannot be read" in str(problem_of(VALID, TODAY, lambda _: None))


def test_an_empty_document_is_no_evidence_even_with_the_right_digest() -> None:
    empty = hashlib.sha256(b"").hexdigest()
    assert "is empty" in str(problem_of(replace(VALID, sha256=empty), TODAY, lambda _: empty))


def test_the_digest_is_asked_for_the_file_that_the_attestation_names() -> None:
    asked: list[str] = []

    def digest(name: str) -> str | None:
        asked.append(name)
        return CONTENT

    judged([VALID, replace(VALID, evidence="other.pdf")], TODAY, digest)
    assert asked == ["minutes.md", "other.pdf"]


def test_an_earlier_problem_does_not_stick_to_an_attestation_that_is_valid_now() -> None:
    (attestation,) = judged([replace(VALID, problem="expired on 2025-01-01")], TODAY, unchanged)
    assert attestation.problem is None


@given(on=st.dates(), lasts=st.integers(-500, 500), today=st.dates())
def test_a_valid_attestation_always_covers_today_and_at_most_a_year(on: date, lasts: int, today: date) -> None:
    try:
        expires = on + timedelta(days=lasts)
    except OverflowError:
        return
    if problem_of(replace(VALID, on=on, expires=expires), today, unchanged) is None:
        assert on <= today <= expires
        assert timedelta(0) < expires - on <= LONGEST


def test_a_waiver_holds_until_the_end_of_its_last_day() -> None:
    ends_today = Waiver("infra.canary", "Grace Hopper", TODAY, "planned")
    ended = Waiver("infra.rollback", "Grace Hopper", TODAY - timedelta(days=1), "planned")
    assert in_force([ends_today, ended], TODAY) == (ends_today,)


@dataclass(frozen=True)
class Stated:
    """A manifest's statements, with evidence that nobody has touched."""

    attested: tuple[Attestation, ...] = ()
    waived: tuple[Waiver, ...] = ()

    def attestation_records(self) -> tuple[Attestation, ...]:
        return self.attested

    def waiver_records(self) -> tuple[Waiver, ...]:
        return self.waived

    def evidence_digest(self, named: str) -> str | None:
        return CONTENT


def test_of_several_attestations_of_an_item_a_valid_one_speaks() -> None:
    expired = replace(VALID, by="Grace Hopper", expires=TODAY - timedelta(days=1))
    for order in [(VALID, expired), (expired, VALID)]:
        found = attestations(Stated(attested=order), TODAY)
        assert (found["model.review"].by, found["model.review"].problem) == ("Ada Lovelace", None)


def test_of_valid_attestations_the_one_that_lasts_longest_speaks() -> None:
    longer = replace(VALID, by="Grace Hopper", expires=date(2026, 12, 1))
    assert attestations(Stated(attested=(longer, VALID)), TODAY)["model.review"].by == "Grace Hopper"


def test_an_attestation_that_does_not_count_is_still_shown_with_its_problem() -> None:
    found = attestations(Stated(attested=(replace(VALID, sha256="0" * 64),)), TODAY)
    assert "changed since" in str(found["model.review"].problem)


def test_expired_waivers_are_not_shown() -> None:
    short = Waiver("infra.canary", "Ada Lovelace", TODAY, "planned")
    longer = replace(short, expires=TODAY + timedelta(days=9))
    ended = Waiver("infra.rollback", "Ada Lovelace", TODAY - timedelta(days=1), "planned")
    assert waivers(Stated(waived=(longer, short, ended)), TODAY) == {"infra.canary": longer}
