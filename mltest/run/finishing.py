"""The end of a run: from findings to a scorecard, its reports, its ledger entry and the exit status."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mltest import ledger, score
from mltest.evidence import Attestation, Finding, PartFailure, Waiver
from mltest.reporters import Reporter
from mltest.reporters.printable import printable, shorten
from mltest.reporters.redaction import redacted, secrets_of, without_secrets
from mltest.run import basis, gates, output, provenance
from mltest.run import notes as notes_of
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
    from mltest.run.session import Controller
    from mltest.system import System

_DEFAULT_RECENCY_DAYS = 7
_LONGEST_LINE = 600


@dataclass(frozen=True)
class Finish:
    """What the terminal shows at the end, and the exit status."""

    exit_status: int
    terminal: str | None
    lines: tuple[str, ...] = ()
    alarms: tuple[str, ...] = field(default=())


def finish(controller: Controller, exit_status: int) -> Finish:
    """Makes the scorecard, writes everything and decides the exit status."""
    state = controller.state
    settings = state.settings
    findings = controller.all_findings()
    missing = controller.missing_probes()
    secrets = secrets_of(os.environ)
    system: SystemInfo = without_secrets(_system_info(state), secrets)
    decided = _basis(state, system)
    partial = bool(missing) or controller.collection.selected
    notes = [
        *notes_of.partial(missing),
        *notes_of.set_aside(len(controller.collection.set_aside)),
        *notes_of.idle_limits(settings.limits, findings),
        *state.notes,
    ]
    items = _items(state, findings, decided)
    totals = score.score_items(settings.rubric, items, decided.kind, partial=partial)
    scorecard = Scorecard(
        rubric=RubricInfo(settings.rubric.id, settings.rubric.sha256, settings.rubric.title),
        system=system,
        run=_run_info(controller, decided, findings, notes),
        score=totals,
        sections=tuple(
            SectionInfo(s.id, s.title, len(settings.rubric.items_of(s.id))) for s in settings.rubric.sections
        ),
        items=items,
        next_step=score.next_step(settings.rubric, items, totals, decided.kind),
        figures=state.kept_figures({a.sha256 for f in findings for a in f.attachments}),
    )
    scorecard = redacted(scorecard, secrets)
    shut = gates.check(scorecard, minimum=settings.minimum, require=settings.require, baseline=settings.baseline)
    lines, unwritten, terminal = _write(controller, scorecard)
    unwritten += _told(controller, scorecard)
    vanished = _vanished(controller, missing)
    status, why = _exit_status(exit_status, scorecard, shut, vanished=vanished)
    if settings.report_only and status in (1, 5) and not vanished and not controller.failed_elsewhere():
        status, why = 0, None
    if status == 0 and unwritten:
        status = 1
    closing = [f"gate: {line}" for line in shut] + ([why] if why else [])
    return Finish(status, terminal, (*lines, *dict.fromkeys(state.notes)), (*unwritten, *closing))


def show(result: Finish, reporter: pytest.TerminalReporter) -> None:
    """Prints the report and the closing lines."""
    if result.terminal is not None:
        reporter.section("ML Test Score", sep="=")
        reporter.write_line(result.terminal)
    for line in result.lines:
        reporter.write_line(_one_line(line))
    for line in result.alarms:
        reporter.write_line(_one_line(line), red=True)


def _one_line(text: str) -> str:
    return shorten(printable(text), _LONGEST_LINE)


def _told(controller: Controller, scorecard: Scorecard) -> list[str]:
    """Tells everybody who listens; what a listener raises costs neither the reports nor the exit status its meaning."""
    try:
        controller.config.hook.pytest_mltest_scorecard(config=controller.config, scorecard=scorecard)
    except (Exception, SystemExit) as error:
        return [f"the hook pytest_mltest_scorecard broke: {type(error).__name__}: {error}"]
    return []


def _vanished(controller: Controller, missing: Sequence[str]) -> bool:
    """Whether probes are missing although the user selected nothing on the command line."""
    option = controller.config.getoption
    asked = ("keyword", "markexpr", "deselect", "lf", "stepwise", "ignore", "ignore_glob")
    selected = controller.collection.selected or any(option(name, None) for name in asked) or controller.was_cut_short()
    return bool(missing) and not selected


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


def _run_info(controller: Controller, decided: Basis, findings: Sequence[Finding], notes: Sequence[str]) -> RunInfo:
    settings = controller.state.settings
    relaxed = {
        RelaxedLimit(f.item, m.name, m.default_limit, m.limit)
        for f in findings
        for m in f.measurements
        if m.relaxed and m.default_limit is not None and m.limit is not None
    }
    return RunInfo(
        started=controller.started,
        seconds=round((datetime.now(UTC) - controller.started).total_seconds(), 3),
        basis=decided.kind,
        basis_why=decided.why,
        proof=decided.proof,
        seed=settings.seed,
        effort=settings.effort,
        commit=provenance.commit(settings.root),
        environment=provenance.environment(),
        relaxed_limits=tuple(sorted(relaxed, key=lambda r: (r.item, r.measurement))),
        foreign_fixtures=tuple(sorted(controller.foreign)),
        faults=tuple(f"{f.fault}={f.dose:g}" for f in settings.faults),
        notes=tuple(notes),
    )


def _write(controller: Controller, scorecard: Scorecard) -> tuple[list[str], list[str], str | None]:
    """Reports and ledger: lines to print, lines about reports that were not written, and the terminal report."""
    state = controller.state
    reporters = _reporters(controller.config)
    lines: list[str] = []
    alarms: list[str] = []
    terminal: str | None = None
    for wanted in state.settings.reports:
        reporter = reporters[wanted.format]
        try:
            text = reporter.render(scorecard)
        except Exception as error:  # a report is foreign code too, and must not cost the others
            alarms.append(f"the report {wanted.format} broke: {type(error).__name__}: {error}")
            continue
        path = wanted.path or (state.folder / reporter.filename if reporter.filename else None)
        if path is None:
            terminal = text
            continue
        try:
            output.write(path, text)
            lines.append(f"wrote {_relative(path, controller.config)}")
        except OSError as error:
            alarms.append(f"{path} cannot be written: {error.strerror}")
    state.notes += _record(state, scorecard)
    return lines, alarms, terminal


def _record(state: RunState, scorecard: Scorecard) -> list[str]:
    """A faulted or partial run is no history of a system, nor is a run without one."""
    if state.settings.source is None or scorecard.run.faults or scorecard.score.partial:
        return []
    path = state.settings.ledger
    if path.parent == state.settings.folder:
        path = state.folder / path.name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ledger.Ledger(path).record(scorecard)
    except (OSError, ledger.LedgerError) as error:
        return [f"this run is not in the ledger: {error}"]
    return []


def _reporters(config: pytest.Config) -> Mapping[str, Reporter]:
    answers = config.hook.pytest_mltest_reporters(config=config)
    return {name: reporter for answer in reversed(answers) for name, reporter in answer.items()}


def check_reports(config: pytest.Config, state: RunState) -> None:
    """Raises pytest.UsageError for a report format that nobody offers."""
    known = _reporters(config)
    for wanted in state.settings.reports:
        if wanted.format not in known:
            formats = ", ".join(sorted(known))
            raise pytest.UsageError(f"--ml-score-report {wanted.format}: choose one of {formats}")


def _relative(path: Path, config: pytest.Config) -> Path:
    here = Path(config.invocation_params.dir)
    return path.relative_to(here) if path.is_relative_to(here) else path


def _exit_status(status: int, scorecard: Scorecard, shut: Sequence[str], *, vanished: bool) -> tuple[int, str | None]:
    if status not in (0, 1, 5) and not (status == 2 and vanished):
        return status, None
    if vanished:
        return max(status, 1) if status != 5 else 1, "built-in probes vanished from this run: it cannot pass"
    if status == 1 or scorecard.failed or scorecard.errors:
        return 1, None
    if status == 5 and not any(item.findings for item in scorecard.items):
        return 5, "nothing demonstrated: no probe ran"
    if not any(item.points for item in scorecard.items):
        return 5, "nothing demonstrated: no item has points"
    return (1, None) if shut else (0, None)
