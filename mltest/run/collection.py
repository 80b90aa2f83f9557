"""Chooses what runs: our suites beside the user's marked tests, decided the same way in every process.

xdist workers do not inherit arguments that the controller changed, so nothing here depends on being the controller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mltest.rubric import Rubric, UnknownItem
from mltest.run import suite_files
from mltest.run.judging import mark_of
from mltest.run.suite_files import Suite

_MARK_ARGUMENTS = {"required", "experiment"}


class SuiteModule(pytest.Module):
    """One of our suites: collected by our names, whatever names the user's configuration asks for."""

    def funcnamefilter(self, name: str) -> bool:
        return name.startswith("test_")

    def classnamefilter(self, name: str) -> bool:
        return False


class Collection:
    """Adds the suites, checks the marks and puts unmarked tests aside."""

    def __init__(self, config: pytest.Config, rubric: Rubric, suites: Sequence[Suite], *, with_tests: bool) -> None:
        self.rubric = rubric
        self.with_tests = with_tests
        self.problems: list[str] = []
        self.marked: dict[str, str] = {}
        """The item of every test that was collected with a mark, by node id."""
        self.set_aside: set[str] = set()
        """Node ids of the user's own marked tests that were deselected."""
        config.args[:] = [_path_of(str(argument), config) for argument in config.args]
        chosen = [a for a in config.args if suite_files.is_builtin(Path(str(a).split("::")[0]))]
        self.selected = bool(chosen)
        """Whether the user named single suites, which makes a run partial."""
        if not self.selected:
            config.args.extend(str(suite.path) for suite in suites)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        if suite_files.is_builtin(module_path):
            # Outside the rootdir pytest would drop the file from the id, and two probes could share one.
            nodeid = f"suites/{module_path.parent.name}/{module_path.name}"
            return SuiteModule.from_parent(parent, path=module_path, nodeid=nodeid)
        return None

    # Around all others, for a conftest may add marks in this very hook.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
        yield
        self.problems += [problem for item in items for problem in self._mark_problems(item)]
        if self.problems:
            if not hasattr(config, "workerinput"):
                raise pytest.UsageError(self.problems[0])
            # A worker that raises here breaks the whole of xdist; it runs nothing, and the controller tells why.
            items.clear()
            return
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        seen: set[str] = set()
        for item in items:
            if suite_files.is_builtin(item.path):
                if item.nodeid in seen:
                    continue
                seen.add(item.nodeid)
                item.add_marker(pytest.mark.filterwarnings("default"))
            mark = mark_of(item)
            if mark is not None:
                self.marked[item.nodeid] = str(mark.args[0])
            (kept if mark is not None or self.with_tests else dropped).append(item)
        if dropped:
            config.hook.pytest_deselected(items=dropped)
        items[:] = kept

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        own = (item for item in items if mark_of(item) is not None and not suite_files.is_builtin(item.path))
        self.set_aside |= {item.nodeid for item in own}

    def _mark_problems(self, item: pytest.Item) -> list[str]:
        mark = mark_of(item)
        if mark is None:
            return []
        where = f"{item.nodeid}: @pytest.mark.ml_score"
        if sum(own.name == "ml_score" for own in item.own_markers) > 1:
            return [f"{where} stands there twice: write one test for each item"]
        if len(mark.args) != 1 or not isinstance(mark.args[0], str):
            return [f'{where} takes one item id, e.g. ml_score("data.schema")']
        unknown = sorted(set(mark.kwargs) - _MARK_ARGUMENTS)
        if unknown:
            return [f"{where} has no argument {unknown[0]!r}: it takes {' and '.join(sorted(_MARK_ARGUMENTS))}"]
        try:
            self.rubric.item(mark.args[0])
        except UnknownItem as error:
            return [f"{where}: {error}"]
        return []


def _path_of(argument: str, config: pytest.Config) -> str:
    """A node id of ours as a run prints it (`suites/...`), with the path where the suite really lies."""
    path, separator, rest = argument.partition("::")
    if not path.startswith("suites/") or (Path(config.invocation_params.dir) / path).exists():
        return argument
    found = suite_files.folder() / path.removeprefix("suites/")
    return f"{found}{separator}{rest}" if found.exists() else argument
