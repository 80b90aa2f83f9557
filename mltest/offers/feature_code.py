"""Data 7: which code makes a feature, and which of the project's own tests are about it.

class MyRepository:
    root = Path(__file__).parents[1]
    test_command = ("python", "-m", "pytest")

    def feature_code(self):
        return (
            mltest.FeatureCode("age", places=("shop/customers.py:age",), tests=("tests/test_customers.py",)),
        )
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

HOW_TO_OFFER = (
    "give the `repository` part feature_code(): one mltest.FeatureCode an input of the model, with the places of its "
    "code and the ids of its tests"
)


@dataclass(frozen=True)
class FeatureCode:
    """One input of the model: where its code lies, and what tests it.

    A place is a file below the root, `path.py`, or a part of one: `path.py:function`, `path.py:Class.method`,
    `path.py:NAME` (a declaration), or `path.py:NAME[text]`, the smallest entries of a collection within it that contain
    the text. A test is an id as pytest prints it, without parameters or with them; a file stands for all in it.
    """

    feature: str
    places: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class EquivalentMutant:
    """A change of the code that nobody could notice, as somebody has checked: it is left out, and counted.

    `before` and `after` are the line as it is and as it would be, without the blanks around it.
    """

    path: str
    before: str
    after: str
    reason: str
    reviewer: str


class WithFeatureCode(Protocol):
    """A repository whose feature code can be mutated. `equivalent_mutants` may be left out."""

    root: Path
    test_command: Sequence[str]

    def feature_code(self) -> Sequence[FeatureCode]: ...

    def equivalent_mutants(self) -> Sequence[EquivalentMutant]: ...
