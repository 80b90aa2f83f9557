"""The scorecard of a run, from what was heard, and from what the system and the manifest say of themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mltest import ledger, score
from mltest.evidence import Attestation, Finding, PartFailure, Waiver
from mltest.reporters.redaction import redacted, secrets_of, without_secrets
from mltest.run import basis, provenance
from mltest.run import notes as notes_of
from mltest.run.hearing import Hearing
from mltest.run.runstate import RunState
from mltest.scorecard import (
    Basis,
    ItemResult,
    RelaxedLimit,
    RubricInfo,
    RunInfo,
    Scorecard,
    SectionInfo,
    SystemInfo,
)

if TYPE_CHECKING:
    from mltest.system import System

_DEFAULT_RECENCY_DAYS = 7


def make(state: RunState, hearing: Hearing) -> Scorecard:
    """The scorecard, with every secret taken out. Raises nothing that a system or a manifest may cause."""
    settings = state.settings
    findings = hearing.findings()
    missing = hearing.missing_probes()
    secrets = secrets_of(os.environ)
    system: SystemInfo = without_secrets(_system_info(state), secrets)
    decided = _basis(state, system)
    partial = bool(missing) or hearing.collection.selected
    notes = [
        *notes_of.partial(missing),
        *notes_of.set_aside(len(hearing.collection.set_aside)),
        *notes_of.idle_limits(settings.limits, findings),
        *state.notes,
    ]
    items = _items(state, findings, decided)
    totals = score.score_items(settings.rubric, items, decided.kind, partial=partial)
    scorecard = Scorecard(
        rubric=RubricInfo(settings.rubric.id, settings.rubric.sha256, settings.rubric.title),
        system=system,
        run=_run_info(state, hearing, decided, findings, notes),
        score=totals,
        sections=tuple(
            SectionInfo(s.id, s.title, len(settings.rubric.items_of(s.id))) for s in settings.rubric.sections
        ),
        items=items,
        next_step=score.next_step(settings.rubric, items, totals, decided.kind),
        figures=state.kept_figures({a.sha256 for f in findings for a in f.attachments}),
    )
    return redacted(scorecard, secrets)


def _system_info(state: RunState) -> SystemInfo:
    manifest = state.settings.manifest
    try:
        system = state.system()
    except PartFailure:
        system = None
    if system is None:
        name, task = (manifest.name, manifest.task) if manifest else (state.settings.source or "no system", "unknown")
        return SystemInfo(name, task)
    return SystemInfo(
        name=system.name,
        task=system.task,
        version=system.version,
        environment=system.environment,
        digests=_digests(state, system),
        parts=system.parts(),
    )


def _digests(state: RunState, system: System) -> Mapping[str, str]:
    """What the system says about its own content, which it may compute only now."""
    try:
        return {str(name): str(value) for name, value in system.digests.items()}
    except Exception as error:  # the system's own code
        state.notes.append(f"the digests of the system cannot be read: {type(error).__name__}: {error}")
        return {}


def _basis(state: RunState, system: SystemInfo) -> Basis:
    manifest = state.settings.manifest
    days = manifest.recency_days if manifest is not None else _DEFAULT_RECENCY_DAYS
    since = datetime.now(UTC) - timedelta(days=days)
    try:
        earlier = ledger.Ledger(state.settings.ledger).earlier_runs(system.name, state.settings.rubric.sha256, since)
    except ledger.LedgerError as error:
        state.notes.append(str(error))
        earlier = 0
    return basis.decide(state.settings.basis, os.environ, earlier, days)


def _items(state: RunState, findings: Sequence[Finding], decided: Basis) -> tuple[ItemResult, ...]:
    attested, waived = _statements(state)
    by_item: dict[str, list[Finding]] = {}
    for finding in findings:
        by_item.setdefault(finding.item, []).append(finding)
    return tuple(
        score.item_result(item, by_item.get(item.id, ()), decided.kind, attested.get(item.id), waived.get(item.id))
        for item in state.settings.rubric.items
    )


def _statements(state: RunState) -> tuple[Mapping[str, Attestation], Mapping[str, Waiver]]:
    manifest = state.settings.manifest
    if manifest is None:
        return {}, {}
    from mltest import attestations

    today = datetime.now(UTC).date()
    return attestations.attestations(manifest, today), attestations.waivers(manifest, today)


def _run_info(
    state: RunState, hearing: Hearing, decided: Basis, findings: Sequence[Finding], notes: Sequence[str]
) -> RunInfo:
    settings = state.settings
    relaxed = {
        RelaxedLimit(f.item, m.name, m.default_limit, m.limit)
        for f in findings
        for m in f.measurements
        if m.relaxed and m.default_limit is not None and m.limit is not None
    }
    return RunInfo(
        started=hearing.started,
        seconds=round((datetime.now(UTC) - hearing.started).total_seconds(), 3),
        basis=decided.kind,
        basis_why=decided.why,
        proof=decided.proof,
        seed=settings.seed,
        effort=settings.effort,
        commit=provenance.commit(settings.root),
        environment=provenance.environment(),
        relaxed_limits=tuple(sorted(relaxed, key=lambda r: (r.item, r.measurement))),
        foreign_fixtures=tuple(sorted(hearing.foreign)),
        faults=tuple(f"{f.fault}={f.dose:g}" for f in settings.faults),
        notes=tuple(notes),
    )
