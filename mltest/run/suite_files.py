"""The built-in suites: which files they are, for which items, and which probes are in them.

Read from the source and never from a collection: whatever a run selects, the list of probes that a complete run
must report is the same, in every process.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from mltest import resources
from mltest.rubric import Rubric


@dataclass(frozen=True)
class Suite:
    """One suite file: the item it speaks to and the names of its probes."""

    path: Path
    item: str
    probes: tuple[str, ...]

    @property
    def probe_names(self) -> tuple[str, ...]:
        return tuple(f"{self.path.name}::{name}" for name in self.probes)


def folder() -> Path:
    """The folder of the built-in suites."""
    return resources.path("suites")


def is_builtin(path: Path) -> bool:
    """Whether a file is one of the built-in suites."""
    return path.resolve().is_relative_to(folder())


def for_rubric(rubric: Rubric) -> tuple[Suite, ...]:
    """The suites whose item the rubric has, in a fixed order."""
    known = {item.id for item in rubric.items}
    return tuple(suite for suite in map(_read, sorted(folder().glob("*/test_mlscore_*.py"))) if suite.item in known)


def _read(path: Path) -> Suite:
    section = path.parent.name
    item = f"{section}.{path.stem.removeprefix(f'test_mlscore_{section}_')}"
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    probes = tuple(n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))
    return Suite(path, item, probes)
