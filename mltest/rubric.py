"""The rubric: sections of items, and what a final score means. YAML in, frozen records out.

The bundled one is the ML Test Score (Breck, Cai, Nielsen, Salib, Sculley, IEEE Big Data 2017). A rubric of one's own
needs little:

    id: our-rubric
    sections:
      - {id: data, title: Data}
    items:
      - {id: data.fresh, title: The feed is from today, remedy: Alert when the feed is older than a day.}

Everything else has a default: the section is the part of the item's id before the dot, the number is the section's
title and a count, the bands are those of the paper, and texts are empty.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path

from mltest import resources, rubric_yaml
from mltest.rubric_yaml import Block
from mltest.rubric_yaml import RubricError as RubricError
from mltest.system import HOW_TO_OFFER, PARTS

BUNDLED = "rubric/breck-2017.yaml"
_RUBRIC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECTION_ID = re.compile(r"[a-z][a-z0-9_]*")
_ITEM_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_REQUIRED = ("id", "title", "remedy")
_TEXTS = ("short_title", "asks", "why", "how", "paper_section")
_OPTIONAL = ("section", "number", *_TEXTS, "verdicts", "parts", "probed", "lenses")


class UnknownItem(LookupError):  # noqa: N818 - the public name says what happened
    """No item has this id. The message suggests the nearest one."""


class Effort(StrEnum):
    """How much work a remedy is: low is hours, medium is days, high is weeks."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Remedy:
    """The next step when an item has no points. `effort` is None where the rubric does not say."""

    text: str
    effort: Effort | None = None


@dataclass(frozen=True)
class Verdicts:
    """What each verdict means for one item."""

    passed: str = ""
    failed: str = ""
    not_demonstrated: str = ""


@dataclass(frozen=True)
class ItemLenses:
    """Ids of the other ways to look at the same item, defined beside the rubric in its lenses file.

    `maturity` is the level whose gate the item belongs to; 0 is in no gate, None is not said.
    """

    debts: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    maturity: int | None = None
    environments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One thing that the rubric asks for. `probed` says that a built-in probe speaks to it."""

    id: str
    section: str
    number: str
    title: str
    remedy: Remedy
    short_title: str = ""
    asks: str = ""
    why: str = ""
    how: str = ""
    paper_section: str = ""
    verdicts: Verdicts = Verdicts()
    parts: tuple[str, ...] = ()
    probed: bool = False
    lenses: ItemLenses = ItemLenses()

    @property
    def how_to_offer(self) -> tuple[str, ...]:
        """One sentence for each part that the item needs: how to connect it."""
        return tuple(HOW_TO_OFFER[part] for part in self.parts)


@dataclass(frozen=True)
class Section:
    """Items whose points are summed."""

    id: str
    title: str


@dataclass(frozen=True)
class Band:
    """The final scores above `above` (None: from 0) and up to `up_to` inclusive (None: without end)."""

    above: float | None
    up_to: float | None
    meaning: str

    @property
    def label(self) -> str:
        """The range as the paper prints it: `0`, `(0,1]`, `above 5`."""
        if self.up_to is None:
            return "any" if self.above is None else f"above {self.above:g}"
        return f"{self.up_to:g}" if self.above is None else f"({self.above:g},{self.up_to:g}]"


@dataclass(frozen=True)
class Rubric:
    """Sections and items in order. `sha256` is of the bytes of the file, so that a scorecard can pin them."""

    id: str
    sha256: str
    title: str
    citation: str
    sections: tuple[Section, ...]
    items: tuple[Item, ...]
    bands: tuple[Band, ...]

    @cached_property
    def _by_id(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.items}

    def item(self, identity: str) -> Item:
        """The item with this id. Raises `UnknownItem`, which suggests the nearest id."""
        found = self._by_id.get(identity)
        if found is None:
            suggestion = rubric_yaml.nearest(identity, self._by_id)
            raise UnknownItem(f"{identity!r} is not an item of the rubric {self.id}{suggestion}")
        return found

    def section_of(self, identity: str) -> Section:
        """The section of an item. Raises `UnknownItem`."""
        wanted = self.item(identity).section
        return next(section for section in self.sections if section.id == wanted)

    def items_of(self, section: str) -> tuple[Item, ...]:
        """The items of a section, in order."""
        return tuple(item for item in self.items if item.section == section)

    def band(self, final: float) -> Band:
        """The band of a final score. Raises ValueError when it is negative or not a number."""
        if math.isnan(final) or final < 0:
            raise ValueError(f"a final score is 0 or more, not {final}")
        return next(band for band in self.bands if band.up_to is None or final <= band.up_to)


def load(path: Path) -> Rubric:
    """The rubric in a YAML file. Raises `RubricError`: one line that names file, line, key and remedy."""
    root, content = rubric_yaml.read(path)
    root.expect(("id", "sections", "items"), ("title", "citation", "bands"))
    identity = root.text("id")
    if not _RUBRIC_ID.fullmatch(identity):
        raise root.error("id", f"{identity!r} is not an id; use letters, digits, dots and hyphens")
    sections = _sections(root)
    return Rubric(
        id=identity,
        sha256=hashlib.sha256(content).hexdigest(),
        title=root.text("title", identity),
        citation=root.text("citation"),
        sections=sections,
        items=_items(root, sections),
        bands=_bands(root.blocks("bands")) if "bands" in root.entries else _bands_of_the_paper(),
    )


def _sections(root: Block) -> tuple[Section, ...]:
    found: dict[str, Section] = {}
    for block in root.blocks("sections"):
        block.expect(("id", "title"))
        identity = block.text("id")
        if not _SECTION_ID.fullmatch(identity):
            raise block.error("id", f"{identity!r} is not a section's id; use a word such as 'data'")
        if identity in found:
            raise block.error("id", f"two sections are called {identity!r}; rename one")
        found[identity] = Section(identity, block.text("title"))
    return tuple(found.values())


def _items(root: Block, sections: tuple[Section, ...]) -> tuple[Item, ...]:
    by_section: dict[str, list[Item]] = {section.id: [] for section in sections}
    titles = {section.id: section.title for section in sections}
    seen: set[str] = set()
    for block in root.blocks("items"):
        block.expect(_REQUIRED, _OPTIONAL)
        identity = block.text("id")
        if not _ITEM_ID.fullmatch(identity):
            raise block.error("id", f"{identity!r} is not an item's id; write it as section.name, such as 'data.fresh'")
        if identity in seen:
            raise block.error("id", f"two items are called {identity!r}; rename one")
        seen.add(identity)
        section = _section(block, identity, titles)
        number = f"{titles[section]} {len(by_section[section]) + 1}"
        by_section[section].append(_item(block, identity, section, number))
    for section, items in by_section.items():
        if not items:
            raise root.error(
                "sections", f"{section!r} has no item, so its sum, and the final score, stays 0; add one or drop it"
            )
    return tuple(item for items in by_section.values() for item in items)


def _section(block: Block, identity: str, titles: Mapping[str, str]) -> str:
    if "section" in block.entries:
        return block.choice("section", tuple(titles))
    prefix = identity.partition(".")[0]
    if prefix not in titles:
        suggestion = rubric_yaml.nearest(prefix, titles)
        raise block.error("id", f"there is no section {prefix!r}{suggestion}; sections are {', '.join(titles)}")
    return prefix


def _item(block: Block, identity: str, section: str, number: str) -> Item:
    verdicts = block.block("verdicts")
    verdicts.expect((), ("passed", "failed", "not_demonstrated"))
    return Item(
        id=identity,
        section=section,
        number=block.text("number", number),
        title=block.text("title"),
        remedy=_remedy(block),
        short_title=block.text("short_title", block.text("title")),
        **{key: block.text(key) for key in _TEXTS if key != "short_title"},
        verdicts=Verdicts(**{key: verdicts.text(key) for key in verdicts.entries}),
        parts=block.choices("parts", PARTS),
        probed=block.flag("probed"),
        lenses=_lenses(block.block("lenses")),
    )


def _remedy(block: Block) -> Remedy:
    if block.is_text("remedy"):
        return Remedy(block.text("remedy"))
    remedy = block.block("remedy")
    remedy.expect(("text",), ("effort",))
    effort = Effort(remedy.choice("effort", tuple(Effort))) if "effort" in remedy.entries else None
    return Remedy(remedy.text("text"), effort)


def _lenses(block: Block) -> ItemLenses:
    block.expect((), ("debts", "pillars", "questions", "maturity", "environments"))
    return ItemLenses(
        debts=block.texts("debts"),
        pillars=block.texts("pillars"),
        questions=block.texts("questions"),
        maturity=block.whole("maturity") if "maturity" in block.entries else None,
        environments=block.texts("environments"),
    )


def _bands(blocks: Iterable[Block]) -> tuple[Band, ...]:
    bands: list[Band] = []
    previous: float | None = None
    for block in blocks:
        if bands and previous is None:
            raise block.error("", "stands after a band without end; give that one an up_to or make it the last")
        block.expect(("meaning",), ("up_to",))
        up_to = block.number("up_to") if "up_to" in block.entries else None
        if up_to is not None and up_to <= (-1 if previous is None else previous):
            raise block.error("up_to", "is not above the band before it; write the bands in rising order from 0")
        bands.append(Band(previous, up_to, block.text("meaning")))
        previous = up_to
    if previous is not None:
        raise block.error("up_to", "the last band must have no end; drop its up_to")
    return tuple(bands)


@cache
def _bands_of_the_paper() -> tuple[Band, ...]:
    root, _ = rubric_yaml.read(resources.path(BUNDLED))
    return _bands(root.blocks("bands"))
