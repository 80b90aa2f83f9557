"""One run of the score, from its beginning to its exit status."""

from __future__ import annotations

import sys
import traceback

import pytest

from mltest.run import suite_files
from mltest.run.collection import Collection
from mltest.run.finishing import Finish, check_reports, finish, show
from mltest.run.hearing import Hearing, Worker
from mltest.run.judging import Judge
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
        hearing = Hearing(config, collection, suites)
        config.pluginmanager.register(hearing, "ml-score-hearing")
        config.pluginmanager.register(Controller(state, hearing), "ml-score-controller")


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


class Controller:
    """Ends the run."""

    def __init__(self, state: RunState, hearing: Hearing) -> None:
        self.state = state
        self.hearing = hearing
        self.result: Finish | None = None
        self.broken: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        if self.hearing.problems:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        if exitstatus in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
            return
        # Whatever a system or a conftest does from here on, ending the process with 0 is no way to pass.
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        try:
            self.result = finish(self.state, self.hearing, int(exitstatus))
        except (Exception, SystemExit) as error:
            self.broken = "".join(traceback.format_exception(error))
            return
        session.exitstatus = self.result.exit_status

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for problem in dict.fromkeys(self.hearing.problems):
            terminalreporter.write_line(f"ERROR: {problem}", red=True)
        if self.broken is not None:
            terminalreporter.write_line(self.broken)
            terminalreporter.write_line("ERROR: the score could not be made, see above", red=True)
        if self.result is not None:
            show(self.result, terminalreporter)
