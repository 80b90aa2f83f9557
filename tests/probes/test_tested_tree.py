"""Tests run in a copy: what they do to it never reaches the tree, and every end of a run is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mltest.evidence import Withheld
from mltest.probes import tested_tree, tree_copy
from mltest.probes.tested_tree import CopiedTree

FILES = {
    "shop.py": "def double(x):\n    return x * 2\n",
    "tests/test_shop.py": "import os\nimport pathlib\nimport time\n\nimport pytest\n\nfrom shop import double\n\n\n"
    "def test_double():\n    pathlib.Path('left.txt').write_text('behind')\n    assert double(3) == 6\n\n\n"
    "@pytest.mark.skip\ndef test_skipped():\n    pass\n\n\n"
    "@pytest.mark.xfail\ndef test_may_fail():\n    assert False\n\n\n"
    "@pytest.mark.parametrize('x', [1, 2])\ndef test_each(x):\n    assert double(x) == x + x\n\n\n"
    "def test_of_something_else():\n    assert False\n",
    ".git/config": "[core]\n",
    ".venv/pyvenv.cfg": "home = /nowhere\n",
    "__pycache__/old.pyc": "old",
}
TESTS = [f"tests/test_shop.py::{name}" for name in ("test_double", "test_skipped", "test_may_fail", "test_each")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CopiedTree]:
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    with tested_tree.copied(root, ("pytest", "-q"), tmp_path_factory.mktemp("work")) as found:
        yield found


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_run_says_how_each_test_ended_and_leaves_the_tree_alone(tree: CopiedTree) -> None:
    run = tree.run(TESTS, seconds=60)
    assert not run.failed, run.failure
    assert {name.partition("::")[2]: outcome for name, outcome in run.outcomes.items()} == {
        "test_double": "passed",
        "test_skipped": "skipped",
        "test_may_fail": "xfailed",
        "test_each[1]": "passed",
        "test_each[2]": "passed",
    }
    assert {name.partition("::")[2]: reason for name, reason in run.muted.items()} == {
        "test_skipped": "always skipped",
        "test_may_fail": "may fail (xfail, not strict)",
    }
    assert str(tree.tree / "shop.py") in run.loaded
    assert (tree.tree / "left.txt").exists()
    assert contents(tree.root) == FILES


@pytest.mark.parametrize(
    ("text", "failed", "crashed", "timed_out"),
    [
        ("def double(x):\n    return x * 2  # as before\n", False, None, False),
        ("def double(x):\n    return x / 2\n", True, None, False),
        ("def double(x):\n    return x + undefined\n", True, "NameError", False),
        ("def double(x)\n    return x\n", True, "collection", False),
        ("import os\n\nos._exit(0)\n", True, None, False),
        ("def double(x):\n    while True:\n        pass\n", True, None, True),
    ],
)
def test_a_changed_file_is_seen_by_one_run_alone(
    tree: CopiedTree, text: str, failed: bool, crashed: str | None, timed_out: bool
) -> None:
    run = tree.run(TESTS, seconds=2 if timed_out else 30, change=("shop.py", text))
    assert (run.failed, run.crashed, run.timed_out) == (failed, crashed, timed_out), run.failure
    assert (tree.tree / "shop.py").read_text() == FILES["shop.py"]
    assert not tree.run(TESTS, seconds=60).failed


def test_a_test_that_is_not_there_does_not_run(tree: CopiedTree) -> None:
    assert tree.run(["tests/test_gone.py::test_x"], seconds=60).outcomes == {}
    assert tree.run(["tests/test_shop.py::test_gone"], seconds=60).outcomes == {}


def test_hidden_and_installed_folders_are_not_copied(tree: CopiedTree) -> None:
    assert not any((tree.tree / name).exists() for name in (".git", ".venv"))
    assert not (tree.tree / "__pycache__" / "old.pyc").exists()


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (("pytest",), []),
        (
            ("python", "-m", "pytest", "-q", "tests", "-n", "4", "--cov=shop", "-k", "not slow"),
            ["-q", "-k", "not slow"],
        ),
        (("sh", "-c", "pytest -W error tests || true"), ["-W", "error"]),
        (("uv", "run", "pytest", "-x", "--maxfail", "3", "-p", "no:randomly"), ["-p", "no:randomly"]),
    ],
)
def test_of_a_command_the_options_count_that_decide_what_a_test_says(
    command: tuple[str, ...], arguments: list[str]
) -> None:
    assert tested_tree.pytest_arguments(command) == arguments


def test_a_command_without_pytest_is_not_guessed_at() -> None:
    with pytest.raises(Withheld, match="does not name pytest"):
        tested_tree.pytest_arguments(("make", "test"))


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        (("sh", "-c", "pytest || [ $? -eq 5 ]"), "||"),
        (("sh", "-c", "pytest; true"), "; true"),
        (("pytest", "-q"), None),
    ],
)
def test_a_command_that_swallows_failures_is_known(command: tuple[str, ...], sign: str | None) -> None:
    assert tested_tree.swallowed(command) == sign


def test_a_tree_that_is_too_large_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "data.bin").write_bytes(b"0" * 2_000)
    monkeypatch.setattr(tree_copy, "MOST_BYTES", 1_000)
    with pytest.raises(Withheld, match="offer a smaller folder"):
        tree_copy.copy(tmp_path / "tree", tmp_path / "copy")
