"""One run of a project's own tests in a forked process: pytest as the project calls it, and a plugin that takes notes.

Properties of hypothesis do not shrink what they found in a mutant, nor remember it for the next; how many examples
they try is theirs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

CRASHES = frozenset(
    (
        "NameError",
        "UnboundLocalError",
        "TypeError",
        "AttributeError",
        "SyntaxError",
        "IndentationError",
        "ImportError",
        "ModuleNotFoundError",
        "BinderException",
        "ParserException",
        "CatalogException",
    )
)
"""What any execution of the code would have noticed, and so says nothing about the tests."""


def run(request: Mapping[str, Any], task: Mapping[str, Any], result: Path) -> NoReturn:
    """Runs the tests, writes what came of them, and ends the process."""
    notes = Notes(request["tests"], Path(task["tree"]), Path(task["root"]), result, mutated="file" in request)
    arguments = [*task["arguments"], *_always(result.parent), *request["paths"]]
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    status = pytest.main(arguments, plugins=[notes])
    notes.leave(int(status))


_SPREADING: Mapping[str, Sequence[str]] = {
    "xdist": ("-n0",),
    "pytest_cov": ("--no-cov",),
    "pytest_rerunfailures": ("--reruns=0",),
}
"""What to say to plugins, where they are installed, that would run tests elsewhere, watch every line, or try again."""


def _always(scratch: Path) -> list[str]:
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--color=no", "--tb=line", "-o", "ml_score=false"]
    said = [word for module, words in _SPREADING.items() if find_spec(module) is not None for word in words]
    return [*quiet, *said, f"--basetemp={scratch / 'tests'}"]


class Notes:
    """Which tests ran and how they ended; a mutated run ends with the first that fails."""

    def __init__(self, tests: Sequence[str], tree: Path, root: Path, result: Path, *, mutated: bool) -> None:
        self._tests, self._tree, self._root = tuple(tests), tree, root
        self._result, self._mutated = result, mutated
        self._outcomes: dict[str, str] = {}
        self._muted: dict[str, str] = {}
        self._crashed: str | None = None
        self._failure = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """A project that always scores itself is only tested here."""
        for name in ("ml_score", "ml_score_list"):
            if hasattr(config.option, name):
                setattr(config.option, name, False)

    def pytest_sessionstart(self) -> None:
        hypothesis = sys.modules.get("hypothesis")
        if hypothesis is None or not self._mutated:
            return
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "mutated", phases=phases, database=None, derandomize=True, deadline=None, report_multiple_bugs=False
        )
        hypothesis.settings.load_profile("mutated")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, Any]:
        items[:] = [item for item in items if self._is_asked_for(item.nodeid)]
        answer = yield
        items.sort(key=lambda item: self._place(item.nodeid))
        for item in items:
            self._outcomes[item.nodeid] = "not run"
            reason = _muted(item)
            if reason is not None:
                self._muted[item.nodeid] = reason
        return answer

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._muted |= {item.nodeid: "deselected" for item in items if self._is_asked_for(item.nodeid)}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._failed("collection", str(report.longrepr))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        report = yield
        if report.failed and call.excinfo is not None:
            name = call.excinfo.typename
            if name in CRASHES and Path(str(call.excinfo.traceback[-1].path)) != item.path:
                self._crashed = name
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        known = self._outcomes.get(report.nodeid)
        if report.failed:
            self._outcomes[report.nodeid] = "failed"
            self._failed(report.nodeid, str(report.longrepr))
        elif report.skipped and known != "failed":
            self._outcomes[report.nodeid] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        elif report.when == "call":
            self._outcomes[report.nodeid] = "xpassed" if hasattr(report, "wasxfail") else "passed"

    def leave(self, status: int) -> NoReturn:
        """Writes the notes and ends the process without ado: nothing that it holds is needed any more."""
        files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
        inside = {n: f for n, f in files.items() if f.startswith((f"{self._tree}{os.sep}", f"{self._root}{os.sep}"))}
        installed = {n for n, f in inside.items() if "site-packages" in f}
        own = {n: f for n, f in inside.items() if n not in installed}
        said = {
            "status": status,
            "outcomes": self._outcomes,
            "muted": self._muted,
            "crashed": self._crashed,
            "failure": self._failure,
            "loaded": sorted(f for n, f in own.items() if not n.startswith("mltest.")),
            "libraries": sorted(n for n, f in files.items() if f and n not in own and n != "__main__"),
        }
        staged = self._result.with_suffix(".staged")
        staged.write_text(json.dumps(said), encoding="utf-8")
        staged.replace(self._result)
        os._exit(0)

    def _failed(self, where: str, text: str) -> None:
        if not self._failure:
            self._failure = f"{where}: {' '.join(text.split())[-300:]}"
        if self._mutated:
            if where == "collection" and any(name in text for name in CRASHES):
                self._crashed = "collection"
            self.leave(1)

    def _is_asked_for(self, nodeid: str) -> bool:
        return self._place(nodeid) < len(self._tests)

    def _place(self, nodeid: str) -> int:
        """Where among the tests that are asked for the id belongs; their number when nowhere."""
        own = (n for n, t in enumerate(self._tests) if nodeid == t or nodeid.startswith((f"{t}[", f"{t}::")))
        return next(own, len(self._tests))


def _muted(item: pytest.Item) -> str | None:
    """Why a failure of this test would not count, whatever the machine; None when it would."""
    if item.get_closest_marker("skip") is not None:
        return "always skipped"
    mark = item.get_closest_marker("xfail")
    if mark is None:
        return None
    strict = mark.kwargs.get("strict", item.config.getini("xfail_strict"))
    return None if strict else "may fail (xfail, not strict)"
