"""What a run hears: the reports of every process, from which the findings follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mltest.evidence import EvidenceMisuse, Finding, Verdict, finding_from_json
from mltest.run import suite_files
from mltest.run.collection import Collection
from mltest.run.judging import PROPERTY
from mltest.run.suite_files import Suite


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


class Hearing:
    """Hears every report, in the controller of a run or in its only process."""

    def __init__(self, config: pytest.Config, collection: Collection, suites: Sequence[Suite]) -> None:
        self.config = config
        self.collection = collection
        self.started = datetime.now(UTC)
        self.foreign: set[str] = set()
        self.problems: list[str] = []
        self._suites = suites
        self._findings: dict[str, Finding] = {}
        self._reruns: dict[str, int] = {}
        self._crashed: dict[str, str] = {}
        self._failed: set[str] = set()
        """Node ids of everything that failed: tests with and without a mark, and collections."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.foreign |= foreign_autouse(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        if str(report.outcome) == "rerun":  # what pytest-rerunfailures sets, beyond pytest's own outcomes
            self._reruns[report.nodeid] = self._reruns.get(report.nodeid, 0) + 1
        if report.when not in ("setup", "call", "teardown") and report.failed:
            self._crashed[report.nodeid] = report.longreprtext.strip().splitlines()[-1][:300]
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "teardown":
                finding = _read(value)
                if finding is not None:
                    self._findings[report.nodeid] = finding

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        output: Mapping[str, Any] = getattr(node, "workeroutput", {})
        self.foreign.update(output.get("ml_score_foreign", ()))
        self.problems += output.get("ml_score_problems", ())
        self.collection.marked.update(output.get("ml_score_marked", {}))
        self.collection.set_aside.update(output.get("ml_score_set_aside", ()))

    def findings(self) -> tuple[Finding, ...]:
        """One finding a probe, with its attempts counted; a probe whose process died is an error."""
        found = [replace(f, attempts=1 + self._reruns.get(node, 0)) for node, f in self._findings.items()]
        for nodeid, line in self._crashed.items():
            builtin = self._item_of(nodeid)
            item = builtin or self.collection.marked.get(nodeid)
            if nodeid not in self._findings and item is not None:
                name = nodeid.rpartition("/")[2] if builtin else nodeid
                message = f"the process that ran it died: {line}"
                found.append(Finding(item, name, builtin is None, Verdict.ERROR, message))
        return tuple(sorted(found, key=lambda f: (f.item, f.own, f.probe)))

    def failed_elsewhere(self) -> set[str]:
        """What failed and is no finding: unmarked tests, collections, probes of which nothing is known."""
        return self._failed - set(self._findings) - set(self._crashed).intersection(self.collection.marked)

    def was_cut_short(self) -> bool:
        """Whether -x or --maxfail ended the run, as the user asked for."""
        most = self.config.getoption("maxfail", 0)
        return bool(most) and len(self._failed) >= most

    def _item_of(self, nodeid: str) -> str | None:
        """The item of one of our own probes."""
        file = nodeid.split("::")[0].rpartition("/")[2]
        return next((suite.item for suite in self._suites if suite.path.name == file), None)

    def missing_probes(self) -> tuple[str, ...]:
        """Built-in probes without a final report, whatever the cause."""
        reported = {finding.probe for finding in self.findings() if not finding.own}
        return tuple(name for suite in self._suites for name in suite.probe_names if name not in reported)


def _read(value: object) -> Finding | None:
    """The finding in a report; None for what is none, whose probe then counts as never reported."""
    try:
        return finding_from_json(str(value))
    except (ValueError, TypeError, KeyError, EvidenceMisuse):
        return None
