"""The scorecard in a terminal: what failed, then the score and why, then all items, then what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from mltest.evidence import Verdict
from mltest.reporters import wording
from mltest.reporters.printable import printable, shorten
from mltest.reporters.redaction import redacted
from mltest.scorecard import ItemResult, Scorecard

_WORDS: Mapping[Verdict, str] = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "FAILED",
    Verdict.NOT_DEMONSTRATED: "open",
    Verdict.ERROR: "ERROR",
}
_STYLES: Mapping[Verdict, str] = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.NOT_DEMONSTRATED: "yellow",
    Verdict.ERROR: "bold magenta",
}
_LONGEST_MESSAGE = 600
_LONGEST_NAME = 80
_LONGEST_NUMBER = 20
_GAP = 2
_LONGEST_TEXT = 2_000
_MOST_NOTICES = 12
_NARROWEST = 40
_BAR = 28


def render(scorecard: Scorecard, width: int = 100, color: bool = False) -> str:
    """The text for a terminal of `width` columns; escape sequences only with `color`, and none but our own."""
    clean = redacted(scorecard, longest=_LONGEST_TEXT)
    stream = StringIO()
    console = Console(
        file=stream,
        width=max(width, _NARROWEST),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    for block in _blocks(clean, console.width):
        console.print(block)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _blocks(scorecard: Scorecard, width: int) -> Iterator[RenderableType]:
    yield Rule(_text(f"ML Test Score of {scorecard.system.name}", _LONGEST_NAME), align="left", style="dim")
    for item in (*scorecard.failed, *scorecard.errors):
        yield _trouble(item)
    yield _summary(scorecard)
    yield Padding(_sections(scorecard), (1, 0))
    yield _items(scorecard, width)
    yield _ending(scorecard)


def _trouble(item: ItemResult) -> RenderableType:
    head = Text.assemble((_WORDS[item.verdict], _STYLES[item.verdict]), "  ", _text(item.number, _LONGEST_NAME), "  ")
    head.append_text(_text(item.title, _LONGEST_MESSAGE))
    effort = f" ({item.effort} effort)" if item.effort else ""
    lines = [_text(item.reason, _LONGEST_MESSAGE), Text.assemble((f"Remedy{effort}: ", "bold"), _text(item.remedy))]
    return Padding(Group(head, *(Padding(line, (0, 0, 0, 8)) for line in lines)), (1, 0, 0, 0))


def _summary(scorecard: Scorecard) -> RenderableType:
    style = "bold red" if scorecard.failed or scorecard.errors else "bold"
    lines = [Text(scorecard.headline(), style=style)]
    if scorecard.score.band is not None:
        lines.append(_text(scorecard.score.band))
    lines.append(Text(wording.paper_sentence(scorecard)))
    lines.append(_text(wording.basis_sentence(scorecard)))
    automated = wording.automation_sentence(scorecard)
    if automated is not None:
        lines.append(Text(automated))
    found = wording.notices(scorecard)
    for notice in found[:_MOST_NOTICES]:
        lines.append(Text.assemble((f"{notice.label}: ", "bold yellow"), _text(notice.sentence)))
    if len(found) > _MOST_NOTICES:
        lines.append(Text(f"and {wording.count(len(found) - _MOST_NOTICES, 'further notice')}, all in report.html"))
    return Padding(Group(*lines), (1, 0, 0, 0))


def _sections(scorecard: Scorecard) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    for section in scorecard.sections:
        total = scorecard.score.sections[section.id]
        lowest = total == scorecard.score.final
        table.add_row(
            _text(section.title, _LONGEST_NAME),
            _bar(total, section.maximum),
            f"{total:.1f} of {section.maximum}",
            Text("<- the score", style="dim") if lowest else "",
        )
    return table


def _bar(total: float, maximum: int) -> Text:
    filled = round(_BAR * total / maximum) if maximum else 0
    return Text.assemble(("█" * filled, "green"), ("░" * (_BAR - filled), "dim"))


def _items(scorecard: Scorecard, width: int) -> RenderableType:
    heads = ("item", "verdict", "points")
    numbers = [printable(item.number)[:_LONGEST_NUMBER] for item in scorecard.items]
    room = width - max(map(cell_len, (*numbers, heads[0]))) - len("".join(heads[1:])) - _GAP * len(heads)
    table = Table(box=None, padding=(0, _GAP, 0, 0), show_edge=False, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head, no_wrap=True, justify="right" if head == "points" else "left")
    table.add_column("why", no_wrap=True, overflow="crop")
    for item, number in zip(scorecard.items, numbers, strict=True):
        table.add_row(
            Text(number),
            Text(_WORDS[item.verdict], style=_STYLES[item.verdict]),
            f"{item.points:.1f}" if item.points else "-",
            Text(_clip(_why(item), room)),
        )
    legend = Text("open: not demonstrated, which scores nothing and is not a failure", style="dim")
    return Group(table, legend)


def _why(item: ItemResult) -> str:
    waived = f"waived by {item.waiver.owner} until {item.waiver.expires}; " if item.waiver else ""
    return printable(waived + item.reason[:_LONGEST_MESSAGE])


def _clip(text: str, room: int) -> str:
    """`text` in `room` terminal cells, three dots standing for what does not fit."""
    return text if cell_len(text) <= room else f"{set_cell_size(text, max(room - 3, 0)).rstrip()}..."


def _ending(scorecard: Scorecard) -> RenderableType:
    lines = []
    if wording.nothing_has_points(scorecard):
        lines.append(Text("Nothing is demonstrated yet. To begin:", style="bold"))
        lines += [Text(f"  {position}. {step}") for position, step in enumerate(wording.HOW_TO_BEGIN, 1)]
    elif scorecard.next_step is not None:
        lines.append(Text.assemble(("Next step: ", "bold"), _text(scorecard.next_step.sentence)))
    return Padding(Group(*lines), (1, 0, 0, 0)) if lines else Text("")


def _text(foreign: str, longest: int = _LONGEST_MESSAGE) -> Text:
    return Text(shorten(printable(foreign), longest))
