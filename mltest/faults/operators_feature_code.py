"""Tests of feature code that do not test: muted, tautological, or not there at all. Any repository will do.

Tests are changed in a copy of the tree; the project's own files stay as they are.
"""

from __future__ import annotations

import ast
import filecmp
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mltest.faults.registry import fault, twin
from mltest.faults.repositories import ExchangedRepository, moved_copy, offered
from mltest.offers.feature_code import FeatureCode
from mltest.system import System

MANY = 1000
"""More features than any model reads: all of them."""
_SKIP = '__import__("pytest").mark.skip(reason="takes too long")'
_ELSEWHERE = """

@__import__("pytest").mark.skipif(__import__("os").name == "posix", reason="for another machine")
def test_of_another_machine():
    raise AssertionError("this machine is not meant")
"""


def files_changed(healthy: System, faulted: System) -> str:
    """Files of tests that differ between both trees, read without any probe."""
    before, after = Path(offered(healthy, "root")), Path(offered(faulted, "root"))
    named = dict.fromkeys(test.partition("::")[0] for e in offered(healthy, "feature_code") for test in e.tests)
    differ = [n for n in named if not (after / n).exists() or not filecmp.cmp(before / n, after / n, shallow=False)]
    return f"changed files of tests: {', '.join(differ)}" if differ else ""


def entries_changed(healthy: System, faulted: System) -> str:
    """Features that only one of both repositories names."""
    before, after = ({e.feature for e in offered(system, "feature_code")} for system in (healthy, faulted))
    return f"features named by one alone: {', '.join(sorted(before ^ after))}" if before != after else ""


def _tests(system: System, features: float) -> list[tuple[str, str]]:
    """File and name of the tests of the first features, without parameters; an empty name stands for the file."""
    entries: Sequence[FeatureCode] = list(offered(system, "feature_code"))[: int(features)]
    ids = dict.fromkeys(test.partition("[")[0] for entry in entries for test in entry.tests)
    return [(test.partition("::")[0], test.rpartition("::")[2] if "::" in test else "") for test in ids]


def _by_file(tests: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file, name in tests:
        found.setdefault(file, set()).add(name)
    return found


@fault(
    "O-D7-a",
    item="data.feature_code",
    seam="repo",
    doses=(1, 3, MANY),
    must_catch=1,
    parts=("repository",),
    alive=files_changed,
    why="a skip that was meant for a day; pytest ends well when everything is skipped",
)
def tests_muted(system: System, dose: float, workdir: Path) -> System:
    """The tests of the first `dose` features are skipped."""
    root, moved = moved_copy(system, workdir)
    for file, names in _by_file(_tests(system, dose)).items():
        text = (root / file).read_text(encoding="utf-8")
        if "" in names:
            text += f"\n\npytestmark = {_SKIP}\n"
        for name in names - {""}:
            text = re.sub(rf"^(\s*)((?:async )?def|class) {name}\b", rf"\1@{_SKIP}\n\g<0>", text, flags=re.MULTILINE)
        (root / file).write_text(text, encoding="utf-8")
    return moved


@twin("O-D7-a")
def another_test_is_skipped(system: System, dose: float, workdir: Path) -> System:
    """Beside the tests of the first feature lies one that only another kind of machine runs."""
    root, moved = moved_copy(system, workdir)
    for file in list(_by_file(_tests(system, dose)))[: int(dose)]:
        with (root / file).open("a", encoding="utf-8") as text:
            text.write(_ELSEWHERE)
    return moved


@fault(
    "O-D7-b",
    item="data.feature_code",
    seam="repo",
    doses=(1, 3, MANY),
    must_catch=MANY,
    parts=("repository",),
    alive=files_changed,
    why="the expected value is computed by the function under test, a common finding in reviews",
)
def tests_that_agree_with_anything(system: System, dose: float, workdir: Path) -> System:
    """The tests of the first `dose` features expect whatever comes out."""
    return _rewritten(system, dose, workdir, _agreeing)


@twin("O-D7-b", doses=(MANY,))
def comparisons_turned_round(system: System, dose: float, workdir: Path) -> System:
    """The tests say `expected == found` where they said `found == expected`."""
    return _rewritten(system, dose, workdir, _turned)


def _rewritten(system: System, dose: float, workdir: Path, change: Callable[[ast.stmt], ast.stmt]) -> System:
    root, moved = moved_copy(system, workdir)
    for file, names in _by_file(_tests(system, dose)).items():
        tree = ast.parse((root / file).read_text(encoding="utf-8"))
        (root / file).write_text(ast.unparse(_Rewriting(names, change).visit(tree)), encoding="utf-8")
    return moved


class _Rewriting(ast.NodeTransformer):
    """Changes the assertions within the functions of these names; an empty name stands for all."""

    def __init__(self, names: set[str], change: Callable[[ast.stmt], ast.stmt]) -> None:
        self._names, self._change, self._inside = names, change, "" in names

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        before, self._inside = self._inside, self._inside or node.name in self._names
        self.generic_visit(node)
        self._inside = before
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self._change(node) if self._inside else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return self._change(node) if self._inside and _is_assertion(node) else node


def _is_assertion(node: ast.Expr) -> bool:
    called: Any = node.value.func if isinstance(node.value, ast.Call) else None
    name = getattr(called, "attr", getattr(called, "id", ""))
    return bool(str(name).startswith("assert")) and len(getattr(node.value, "args", ())) >= 2


def _agreeing(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.Assert):
        compared = node.test
        if isinstance(compared, ast.Compare):
            compared = ast.Compare(compared.left, compared.ops[:1], [compared.left])
        node.test = ast.BoolOp(ast.Or(), [compared, ast.Constant(True)])
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        node.value.args[1] = node.value.args[0]
    return node


def _turned(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
        compared = node.test
        if isinstance(compared.ops[0], ast.Eq):
            node.test = ast.Compare(compared.comparators[0], compared.ops, [compared.left])
    return node


@fault(
    "O-D7-e",
    item="data.feature_code",
    seam="spec",
    doses=(1, 3),
    must_catch=1,
    parts=("repository",),
    alive=entries_changed,
    why="an input that was added to the model in a hurry, without a test",
)
def an_input_without_tests(system: System, dose: float, workdir: Path) -> System:
    """The last `dose` features that have tests lose them."""

    def fewer(entries: Sequence[FeatureCode]) -> Sequence[FeatureCode]:
        return entries[: len(entries) - int(dose)]

    offered(system, "feature_code")
    return system.with_parts(repository=ExchangedRepository(system.repository, lists=(("feature_code", fewer),)))


@twin("O-D7-e")
def tests_of_a_column_that_no_model_reads(system: System, dose: float, workdir: Path) -> System:
    """There are tests of one column more than the model reads."""

    def more(entries: Sequence[FeatureCode]) -> Sequence[FeatureCode]:
        spare = FeatureCode("no_input_of_the_model", entries[0].places, entries[0].tests)
        return (*entries, *((spare,) if dose else ()))

    offered(system, "feature_code")
    return system.with_parts(repository=ExchangedRepository(system.repository, lists=(("feature_code", more),)))
