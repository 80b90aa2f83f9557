"""One page of documentation an item, and an index, generated from the rubric.

python -m mltest.item_pages            writes docs/items below the current folder
python -m mltest.item_pages --check    changes nothing, exits 1 and names the pages that differ
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mltest import lenses as lens_files
from mltest import resources
from mltest import rubric as rubric_files
from mltest.lenses import Coverage, Lenses
from mltest.rubric import Item, Rubric

_NOTE = "<!-- Generated from the rubric by `python -m mltest.item_pages`; edit the rubric, not this page. -->"
_EFFORTS = {"low": "hours", "medium": "days", "high": "weeks"}


def pages(rubric: Rubric, lenses: Lenses) -> dict[str, str]:
    """File names and their Markdown: `README.md`, the index, and `<item id>.md` for every item."""
    found = {"README.md": _index(rubric, lenses)}
    found.update({f"{item.id}.md": _page(rubric, lenses, item) for item in rubric.items})
    return found


def stale(expected: Mapping[str, str], folder: Path) -> list[str]:
    """Names of pages that are missing or differ, and of generated ones whose item is gone, sorted.

    Pages that somebody else wrote into the folder are none of this module's business.
    """
    present = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    differing = {name for name, text in expected.items() if present.get(name) != text}
    orphaned = {name for name, text in present.items() if name not in expected and text.startswith(_NOTE)}
    return sorted(differing | orphaned)


def _page(rubric: Rubric, lenses: Lenses, item: Item) -> str:
    blocks = [
        _NOTE,
        f"# {item.number}: {item.title}",
        f"`{item.id}` · section {rubric.section_of(item.id).title} · {item.paper_section} in the paper",
        f"**What it asks.** {_flat(item.asks)}",
        f"**Why it matters.** {_flat(item.why)}",
        *_how(item),
        "## What the verdicts mean",
        _verdicts(item),
        "## What to do next",
        _flat(item.remedy.text),
        *_effort(item),
        "## What it needs from the system",
        _parts(item),
        "## Lenses",
        _lenses(lenses, item),
        f"[All items](README.md) · {_neighbours(rubric, item)}",
    ]
    return "\n\n".join(blocks) + "\n"


def _how(item: Item) -> Iterator[str]:
    if item.probed:
        yield "## How it is probed"
    else:
        yield "## How to probe it"
        yield (
            "No built-in probe speaks to this item yet. A test of your own, marked "
            f'`@pytest.mark.ml_score("{item.id}")`, can earn its points; a convincing one does the following.'
        )
    yield _flat(item.how)


def _verdicts(item: Item) -> str:
    rows = (
        ("passed", item.verdicts.passed),
        ("failed", item.verdicts.failed),
        ("not demonstrated", item.verdicts.not_demonstrated),
    )
    return _table(("verdict", "meaning"), ((f"**{name}**", text) for name, text in rows))


def _effort(item: Item) -> Iterator[str]:
    if item.remedy.effort is not None:
        yield f"Effort: **{item.remedy.effort}** (think of {_EFFORTS[item.remedy.effort]})."


def _parts(item: Item) -> str:
    if not item.parts:
        return "Nothing: any test of your own that measures something will do."
    return "\n".join(f"- `{part}`: {how}" for part, how in zip(item.parts, item.how_to_offer, strict=True))


def _lenses(lenses: Lenses, item: Item) -> str:
    level = next((level for level in lenses.maturity if level.level == item.lenses.maturity), None)
    in_gate = f"needed for level {level.level} ({level.title})" if level and level.level else "in no gate"
    named = {
        "Technical debt": ", ".join(debt.title for debt in lenses.debts if debt.id in item.lenses.debts) or "none",
        "Pillars": ", ".join(lens.title for lens in lenses.pillars if lens.id in item.lenses.pillars),
        "Questions": " ".join(lens.title for lens in lenses.questions if lens.id in item.lenses.questions),
        "Maturity": in_gate,
        "Evidence from": ", ".join(
            lens.title.lower() for lens in lenses.environments if lens.id in item.lenses.environments
        ),
    }
    return "\n".join(f"- {name}: {text}" for name, text in named.items())


def _neighbours(rubric: Rubric, item: Item) -> str:
    position = rubric.items.index(item)
    before = [f"before: [{other.number}]({other.id}.md)" for other in rubric.items[max(position - 1, 0) : position]]
    after = [f"next: [{other.number}]({other.id}.md)" for other in rubric.items[position + 1 : position + 2]]
    return " · ".join(before + after)


def _index(rubric: Rubric, lenses: Lenses) -> str:
    probed = sum(item.probed for item in rubric.items)
    blocks = [
        _NOTE,
        f"# The {len(rubric.items)} items of the {rubric.title}",
        f"Rubric `{rubric.id}`: {_flat(rubric.citation)}",
        f"A built-in probe speaks to {probed} of them so far; the others can be shown by tests of your own.",
    ]
    for section in rubric.sections:
        rows = (
            (item.number, f"[{item.title}]({item.id}.md)", f"`{item.id}`", "yes" if item.probed else "not yet")
            for item in rubric.items_of(section.id)
        )
        blocks += [f"## {section.title}", _table(("number", "item", "id", "built-in probe"), rows)]
    blocks += ["## What a final score means", _bands(rubric), "## Technical debts", _debts(rubric, lenses)]
    blocks += ["## Maturity levels", _maturity(rubric, lenses)]
    return "\n\n".join(blocks) + "\n"


def _bands(rubric: Rubric) -> str:
    return _table(("final score", "meaning"), ((band.label, band.meaning) for band in rubric.bands))


def _debts(rubric: Rubric, lenses: Lenses) -> str:
    words = {Coverage.TESTED: "Tested", Coverage.TOUCHED: "Touched", Coverage.OPEN: "Not covered"}
    rows = (
        (
            f"**{debt.title}**: {debt.meaning}",
            f"{words[debt.coverage]}. {debt.gap}".strip(),
            _links(lens_files.touching(rubric, debt.id)),
        )
        for debt in lenses.debts
    )
    intro = f"The rubric read against another list ({_flat(lenses.debts_citation).rstrip('.')})."
    return intro + "\n\n" + _table(("debt", "reach of the rubric", "items"), rows)


def _maturity(rubric: Rubric, lenses: Lenses) -> str:
    rows = (
        (f"**{level.level}: {level.title}**", level.meaning, _links(lens_files.gate(rubric, level.level)))
        for level in lenses.maturity
    )
    intro = (
        "A level is a gate over a named set of items, not a sum: it is reached when all of them have their points "
        f"({_flat(lenses.maturity_citation).rstrip('.')})."
    )
    return intro + "\n\n" + _table(("level", "meaning", "items that it needs"), rows)


def _links(items: Sequence[Item]) -> str:
    return ", ".join(f"[{item.number}]({item.id}.md)" for item in items) or "none"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_flat(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _flat(text: str) -> str:
    """Text on one line, in which the angle brackets and ampersands of a foreign rubric stay text."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the pages of the bundled rubric; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mltest.item_pages", description="Pages of the rubric's items.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/items"), help="default: docs/items")
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when a page differs")
    options = parser.parse_args(arguments)
    rubric = rubric_files.load(resources.path(rubric_files.BUNDLED))
    expected = pages(rubric, lens_files.load(resources.path(lens_files.BUNDLED), rubric))
    differing = stale(expected, options.folder)
    if options.check:
        for name in differing:
            sys.stderr.write(f"{options.folder / name} differs from the rubric; run python -m mltest.item_pages\n")
        return 1 if differing else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in differing:
        if name in expected:
            (options.folder / name).write_text(expected[name], "utf-8")
        else:
            (options.folder / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
