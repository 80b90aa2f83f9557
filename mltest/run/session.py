"""One run of the score: collects the findings of every process and ends the run."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mltest.evidence import EvidenceMisuse, Finding, Verdict, finding_from_json
from mltest.run import suite_files
from mltest.run.collection import Collection
from mltest.run.finishing import Finish, check_reports, finish, show
from mltest.run.judging import PROPERTY, Judge
from mltest.run.runstate import RunState, state_of

_ONLY_LOOKING = (
    *("collectonly", "ml_score_list", "showfixtures", "show_fixtures_per_test", "cacheshow", "setuponly", "setupplan"),
)
"""Options under which pytest runs no test: nothing is scored, and no report is written over an earlier one."""


def start(config: pytest.Config) -> None:
    """Registers a run. Raises pytest.UsageError when options, manifest or rubric are wrong."""
    state = state_of(config)
    suites = suite_files.for_rubric(state.settings.rubric)
    collection = Collection(config, state.settings.rubric, suites, with_tests=state.settings.with_tests)
    config.pluginmanager.register(collection, "ml-score-collection")
    config.pluginmanager.register(Judge(), "ml-score-judge")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(collection), "ml-score-worker")
    elif not any(config.getoption(name, False) for name in _ONLY_LOOKING):
        check_reports(config, state)
        state.sweep()
        expected = tuple(name for suite in suites for name in suite.probe_names)
        config.pluginmanager.register(Controller(config, state, collection, expected), "ml-score-controller")


def print_list(config: pytest.Config) -> int:
    """Prints the items and the probes that speak to them."""
    rubric = state_of(config).settings.rubric
    probes = {suite.item: suite.probe_names for suite in suite_files.for_rubric(rubric)}
    lines = [f"{rubric.title} ({rubric.id})"]
    for item in rubric.items:
        lines.append(f"{item.number:<12} {item.id:<24} {item.title}")
        lines += [f"{'':<12} {name}" for name in probes.get(item.id, ("no built-in probe yet",))]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(pytest.ExitCode.OK)


def foreign_autouse(item: pytest.Item) -> set[str]:
    """Autouse fixtures around one of our probes that neither pytest nor we brought."""
    if not suite_files.is_builtin(item.path):
        return set()
    info = getattr(item, "_fixtureinfo")  # noqa: B009 - no public way to a fixture's origin
    names = set(info.initialnames) - set(info.argnames)
    origins = {name: info.name2fixturedefs[name][-1].func.__module__ for name in names if name in info.name2fixturedefs}
    ours = ("mltest.", "_pytest.", "pytest_")
    return {f"{name} ({origin})" for name, origin in origins.items() if not origin.startswith(ours)}


class Worker:
    """Sends what only a worker sees to the controller."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.foreign: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.foreign |= foreign_autouse(item)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output["ml_score_foreign"] = sorted(self.foreign)
        output["ml_score_problems"] = self.collection.problems
        output["ml_score_marked"] = self.collection.marked
        output["ml_score_set_aside"] = sorted(self.collection.set_aside)


class Controller:
    """Starts from the rubric, hears every report, and ends the run."""

    def __init__(self, config: pytest.Config, state: RunState, collection: Collection, expected: Sequence[str]) -> None:
        self.config = config
        self.state = state
        self.collection = collection
        self.expected = expected
        self.started = datetime.now(UTC)
        self.findings: dict[str, Finding] = {}
        self.reruns: dict[str, int] = {}
        self.crashed: dict[str, str] = {}
        self.failed: set[str] = set()
        """Node ids of everything that failed: tests with and without a mark, and collections."""
        self.foreign: set[str] = set()
        self.problems: list[str] = []
        self.result: Finish | None = None
        self.broken: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.foreign |= foreign_autouse(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        if str(report.outcome) == "rerun":  # what pytest-rerunfailures sets, beyond pytest's own outcomes
            self.reruns[report.nodeid] = self.reruns.get(report.nodeid, 0) + 1
        if report.when not in ("setup", "call", "teardown") and report.failed:
            self.crashed[report.nodeid] = report.longreprtext.strip().splitlines()[-1][:300]
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "teardown":
                finding = _read(value)
                if finding is not None:
                    self.findings[report.nodeid] = finding

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        output: Mapping[str, Any] = getattr(node, "workeroutput", {})
        self.foreign.update(output.get("ml_score_foreign", ()))
        self.problems += output.get("ml_score_problems", ())
        self.collection.marked.update(output.get("ml_score_marked", {}))
        self.collection.set_aside.update(output.get("ml_score_set_aside", ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        if self.problems:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        if exitstatus in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
            return
        # Whatever a system or a conftest does from here on, ending the process with 0 is no way to pass.
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        try:
            self.result = finish(self, int(exitstatus))
        except (Exception, SystemExit) as error:
            self.broken = "".join(traceback.format_exception(error))
            return
        session.exitstatus = self.result.exit_status

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for problem in dict.fromkeys(self.problems):
            terminalreporter.write_line(f"ERROR: {problem}", red=True)
        if self.broken is not None:
            terminalreporter.write_line(self.broken)
            terminalreporter.write_line("ERROR: the score could not be made, see above", red=True)
        if self.result is not None:
            show(self.result, terminalreporter)

    def all_findings(self) -> tuple[Finding, ...]:
        """One finding a probe, with its attempts counted; a probe whose process died is an error."""
        found = [replace(f, attempts=1 + self.reruns.get(node, 0)) for node, f in self.findings.items()]
        for nodeid, line in self.crashed.items():
            builtin = self._item_of(nodeid)
            item = builtin or self.collection.marked.get(nodeid)
            if nodeid not in self.findings and item is not None:
                name = nodeid.rpartition("/")[2] if builtin else nodeid
                message = f"the process that ran it died: {line}"
                found.append(Finding(item, name, builtin is None, Verdict.ERROR, message))
        return tuple(sorted(found, key=lambda f: (f.item, f.own, f.probe)))

    def failed_elsewhere(self) -> set[str]:
        """What failed and is no finding: unmarked tests, collections, probes of which nothing is known."""
        return self.failed - set(self.findings) - set(self.crashed).intersection(self.collection.marked)

    def was_cut_short(self) -> bool:
        """Whether -x or --maxfail ended the run, as the user asked for."""
        most = self.config.getoption("maxfail", 0)
        return bool(most) and len(self.failed) >= most

    def _item_of(self, nodeid: str) -> str | None:
        """The item of one of our own probes."""
        file = nodeid.split("::")[0].rpartition("/")[2]
        suites = suite_files.for_rubric(self.state.settings.rubric)
        return next((suite.item for suite in suites if suite.path.name == file), None)

    def missing_probes(self) -> tuple[str, ...]:
        """Built-in probes without a final report, whatever the cause."""
        reported = {finding.probe for finding in self.all_findings() if not finding.own}
        return tuple(name for name in self.expected if name not in reported)


def _read(value: object) -> Finding | None:
    """The finding in a report; None for what is none, whose probe then counts as never reported."""
    try:
        return finding_from_json(str(value))
    except (ValueError, TypeError, KeyError, EvidenceMisuse):
        return None
