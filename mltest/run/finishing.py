"""The end of a run: the scorecard, its reports, its ledger entry and the exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mltest import ledger
from mltest.reporters import Reporter
from mltest.reporters.printable import printable, shorten
from mltest.run import card, gates, output
from mltest.run.hearing import Hearing
from mltest.run.runstate import RunState
from mltest.scorecard import Scorecard

_LONGEST_LINE = 600


@dataclass(frozen=True)
class Finish:
    """What the terminal shows at the end, and the exit status."""

    exit_status: int
    terminal: str | None
    lines: tuple[str, ...] = ()
    alarms: tuple[str, ...] = field(default=())


def finish(state: RunState, hearing: Hearing, exit_status: int) -> Finish:
    """Makes the scorecard, writes everything and decides the exit status."""
    settings = state.settings
    scorecard = card.make(state, hearing)
    shut = gates.check(scorecard, minimum=settings.minimum, require=settings.require, baseline=settings.baseline)
    lines, unwritten, terminal = _write(state, hearing.config, scorecard)
    unwritten += _told(hearing.config, scorecard)
    vanished = _vanished(hearing)
    status, why = _exit_status(exit_status, scorecard, shut, vanished=vanished)
    if settings.report_only and status in (1, 5) and not vanished and not hearing.failed_elsewhere():
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


def _told(config: pytest.Config, scorecard: Scorecard) -> list[str]:
    """Tells everybody who listens; what a listener raises costs neither the reports nor the exit status its meaning."""
    try:
        config.hook.pytest_mltest_scorecard(config=config, scorecard=scorecard)
    except (Exception, SystemExit) as error:
        return [f"the hook pytest_mltest_scorecard broke: {type(error).__name__}: {error}"]
    return []


def _vanished(hearing: Hearing) -> bool:
    """Whether probes are missing although the user selected nothing on the command line."""
    option = hearing.config.getoption
    asked = ("keyword", "markexpr", "deselect", "lf", "stepwise", "ignore", "ignore_glob")
    selected = hearing.collection.selected or any(option(name, None) for name in asked) or hearing.was_cut_short()
    return bool(hearing.missing_probes()) and not selected


def _write(state: RunState, config: pytest.Config, scorecard: Scorecard) -> tuple[list[str], list[str], str | None]:
    """Reports and ledger: lines to print, lines about reports that were not written, and the terminal report."""
    reporters = _reporters(config)
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
            lines.append(f"wrote {_relative(path, config)}")
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
