"""Whether a statement that a person did an item by hand counts. Pure: the day and the digests are given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Protocol

from mltest.evidence import Attestation, Waiver

LONGEST = timedelta(days=366)
_EMPTY = hashlib.sha256(b"").hexdigest()

Digest = Callable[[str], str | None]
"""The sha256 of a piece of evidence, by the name it has in the attestation; None where it cannot be read."""


def judged(attestations: Iterable[Attestation], today: date, digest: Digest) -> tuple[Attestation, ...]:
    """The attestations, each with the problem that keeps it from counting, or None."""
    return tuple(replace(attestation, problem=problem_of(attestation, today, digest)) for attestation in attestations)


def problem_of(attestation: Attestation, today: date, digest: Digest) -> str | None:
    """The first thing that is wrong, with its remedy; None for a valid attestation.

    It names a person, was made on a day that has come, has not expired, was not made for longer than a year, and its
    evidence is there, is not empty and is what it was when it was attested.
    """
    if not attestation.by.strip():
        return "names nobody; say who attests it"
    if attestation.on > today:
        return f"is dated {attestation.on}, which has not come yet; date it on the day when it was done"
    if attestation.expires <= attestation.on:
        return f"expires on {attestation.expires}, not after its own date; let it expire later"
    if attestation.expires - attestation.on > LONGEST:
        return f"is made for longer than {LONGEST.days} days; let it expire sooner"
    if attestation.expires < today:
        return f"expired on {attestation.expires}; do it again and renew it"
    found = digest(attestation.evidence)
    if found is None:
        return f"its evidence {attestation.evidence!r} cannot be read; put it back"
    if found == _EMPTY:
        return f"its evidence {attestation.evidence!r} is empty; write down what was done"
    if found != attestation.sha256:
        return f"its evidence {attestation.evidence!r} changed since; attest it again with its new sha256"
    return None


def in_force(waivers: Iterable[Waiver], today: date) -> tuple[Waiver, ...]:
    """The waivers that have not expired. One that expires today still holds."""
    return tuple(waiver for waiver in waivers if waiver.expires >= today)


class Statements(Protocol):
    """What states attestations and waivers, and can digest the evidence that they name: a manifest."""

    def attestation_records(self) -> tuple[Attestation, ...]: ...

    def waiver_records(self) -> tuple[Waiver, ...]: ...

    def evidence_digest(self, named: str) -> str | None: ...


def attestations(stated: Statements, today: date) -> Mapping[str, Attestation]:
    """One attestation for each item that has any: a valid one before one with a problem, then the one that lasts."""
    checked = judged(stated.attestation_records(), today, stated.evidence_digest)
    return {one.item: one for one in sorted(checked, key=lambda one: (one.problem is None, one.expires))}


def waivers(stated: Statements, today: date) -> Mapping[str, Waiver]:
    """One waiver for each item that has any in force: the one that lasts longest."""
    return {one.item: one for one in sorted(in_force(stated.waiver_records(), today), key=lambda one: one.expires)}
