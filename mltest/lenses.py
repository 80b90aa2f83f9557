"""Other ways to look at the items of a rubric: technical debts, pillars, questions, maturity levels, environments.

An item names the lenses that it belongs to, and a lenses file says what each of them is. Membership is written once,
at the item; loading checks both directions, so that no item points nowhere and no lens stands empty by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mltest import rubric_yaml
from mltest.rubric import Item, ItemLenses, Rubric
from mltest.rubric_yaml import Block

BUNDLED = "rubric/lenses.yaml"


class Coverage(StrEnum):
    """How far the rubric reaches a debt: an item turns red by it, items come near it, or none speaks to it."""

    TESTED = "tested"
    TOUCHED = "touched"
    OPEN = "open"


@dataclass(frozen=True)
class Lens:
    """A pillar, a question or an environment."""

    id: str
    title: str
    meaning: str


@dataclass(frozen=True)
class Debt:
    """A kind of hidden technical debt (Sculley and others, 2015). `gap` says what no item asks; empty when tested."""

    id: str
    title: str
    section: str
    meaning: str
    coverage: Coverage
    gap: str


@dataclass(frozen=True)
class MaturityLevel:
    """A level of automation, reached when every item of its gate has its points."""

    level: int
    title: str
    meaning: str


@dataclass(frozen=True)
class Lenses:
    """All lenses of one rubric."""

    debts_citation: str
    maturity_citation: str
    debts: tuple[Debt, ...]
    pillars: tuple[Lens, ...]
    questions: tuple[Lens, ...]
    maturity: tuple[MaturityLevel, ...]
    environments: tuple[Lens, ...]


def gate(rubric: Rubric, level: int) -> tuple[Item, ...]:
    """The items that must have their points for a maturity level: those of the level and of the ones below it.

    Level 0 has an empty gate: every system is there at least.
    """
    return tuple(item for item in rubric.items if item.lenses.maturity and item.lenses.maturity <= level)


def touching(rubric: Rubric, debt: str) -> tuple[Item, ...]:
    """The items that touch a debt, in order."""
    return tuple(item for item in rubric.items if debt in item.lenses.debts)


def load(path: Path, rubric: Rubric) -> Lenses:
    """The lenses in a YAML file, checked against the rubric that they belong to.

    Raises `RubricError`: one line that names file, line, key and remedy.
    """
    root, _ = rubric_yaml.read(path)
    root.expect(
        ("rubric", "debts", "pillars", "questions", "maturity", "environments"),
        ("debts_citation", "maturity_citation"),
    )
    if root.text("rubric") != rubric.id:
        raise root.error(
            "rubric", f"is {root.text('rubric')!r}, but the rubric given is {rubric.id!r}; load its lenses"
        )
    lenses = Lenses(
        debts_citation=root.text("debts_citation"),
        maturity_citation=root.text("maturity_citation"),
        debts=tuple(_debt(block) for block in root.blocks("debts")),
        pillars=_lenses(root, "pillars"),
        questions=_lenses(root, "questions"),
        maturity=tuple(_level(block) for block in root.blocks("maturity")),
        environments=_lenses(root, "environments"),
    )
    _check(root, rubric, lenses)
    return lenses


def _lenses(root: Block, key: str) -> tuple[Lens, ...]:
    found = []
    for block in root.blocks(key):
        block.expect(("id", "title", "meaning"))
        found.append(Lens(block.text("id"), block.text("title"), block.text("meaning")))
    return tuple(found)


def _debt(block: Block) -> Debt:
    block.expect(("id", "title", "section", "meaning", "coverage"), ("gap",))
    coverage = Coverage(block.choice("coverage", tuple(Coverage)))
    if coverage is Coverage.TESTED and "gap" in block.entries:
        raise block.error("gap", "a tested debt has none; drop it or write coverage: touched")
    if coverage is not Coverage.TESTED and "gap" not in block.entries:
        raise block.error("coverage", f"a debt that is {coverage} needs a gap; say what no item asks")
    return Debt(
        id=block.text("id"),
        title=block.text("title"),
        section=block.text("section"),
        meaning=block.text("meaning"),
        coverage=coverage,
        gap=block.text("gap"),
    )


def _level(block: Block) -> MaturityLevel:
    block.expect(("level", "title", "meaning"))
    return MaturityLevel(block.whole("level"), block.text("title"), block.text("meaning"))


def _check(root: Block, rubric: Rubric, lenses: Lenses) -> None:
    """Both directions: what items name is defined once, and what is defined is named unless it is open."""
    open_debts = {debt.id for debt in lenses.debts if debt.coverage is Coverage.OPEN}
    _check_one(root, rubric, "debts", [debt.id for debt in lenses.debts], lambda item: item.debts, open_debts)
    _check_one(root, rubric, "pillars", [lens.id for lens in lenses.pillars], lambda item: item.pillars)
    _check_one(root, rubric, "questions", [lens.id for lens in lenses.questions], lambda item: item.questions)
    _check_one(root, rubric, "environments", [lens.id for lens in lenses.environments], lambda item: item.environments)
    levels = [str(level.level) for level in lenses.maturity]
    _check_one(root, rubric, "maturity", levels, lambda item: () if item.maturity is None else (str(item.maturity),))


def _check_one(
    root: Block,
    rubric: Rubric,
    kind: str,
    defined: list[str],
    named: Callable[[ItemLenses], Collection[str]],
    unnamed: Collection[str] = (),
) -> None:
    for identity in defined:
        if defined.count(identity) > 1:
            raise root.error(kind, f"{identity!r} is defined twice; drop one")
    users: dict[str, str] = {}
    for item in rubric.items:
        for identity in named(item.lenses):
            if identity not in defined:
                suggestion = rubric_yaml.nearest(identity, defined)
                raise root.error(kind, f"the item {item.id} names {identity!r}, which is not defined here{suggestion}")
            users.setdefault(identity, item.id)
    for identity in defined:
        if identity in unnamed and identity in users:
            raise root.error(kind, f"{identity!r} is open, yet {users[identity]} names it; write coverage: touched")
        if identity not in unnamed and identity not in users:
            raise root.error(kind, f"{identity!r} is named by no item; name it at one or drop it")
