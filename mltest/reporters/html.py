"""The scorecard as one self-contained page: no script, no fetch, every foreign string escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jinja2
from markupsafe import Markup, escape

from mltest import resources
from mltest.evidence import Verdict
from mltest.reporters import wording
from mltest.reporters.dossier import Allowance, dossier, section_views
from mltest.reporters.printable import printable, shorten
from mltest.reporters.redaction import redacted
from mltest.scorecard import Scorecard

LARGEST = 1_000_000
"""Bytes that a report may have."""

_ALLOWANCES = (
    Allowance(text=1_500, name=160, findings=8, measurements=25, attachments=6, figure_bytes=400_000),
    Allowance(text=1_000, name=120, findings=6, measurements=12, attachments=4, figure_bytes=40_000),
    Allowance(text=400, name=80, findings=3, measurements=6, attachments=2, figure_bytes=12_000),
    Allowance(text=120, name=40, findings=1, measurements=3, attachments=0, figure_bytes=0),
)
_MARKS = {Verdict.PASSED: "passed", Verdict.FAILED: "failed", Verdict.NOT_DEMONSTRATED: "open", Verdict.ERROR: "error"}
# Not strftime, whose month names follow the locale of the process.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_LONGEST_TEXT = 2_000
_MOST_NOTICES = 40


def render(scorecard: Scorecard) -> str:
    """The page. Where it would grow beyond `LARGEST`, it shows less of each thing and says how much it left out."""
    clean = redacted(scorecard, longest=_LONGEST_TEXT)
    pages = (_page(clean, allowance) for allowance in _ALLOWANCES)
    page = next(pages)
    while len(page.encode()) > LARGEST:
        smaller = next(pages, None)
        if smaller is None:
            return page
        page = smaller
    return page


def _page(scorecard: Scorecard, allowance: Allowance) -> str:
    dossiers = {
        item.id: dossier(item, f"item-{position}", scorecard.figures, allowance)
        for position, item in enumerate(scorecard.items, 1)
    }
    found = wording.notices(scorecard)
    return (
        _environment(allowance)
        .get_template("report.html.jinja")
        .render(
            card=scorecard,
            troubled=[dossiers[item.id] for item in (*scorecard.failed, *scorecard.errors)],
            sections=section_views(scorecard, dossiers),
            next_items=[dossiers[identity] for identity in _next_items(scorecard) if identity in dossiers],
            counts=[(verdict, sum(item.verdict is verdict for item in scorecard.items)) for verdict in Verdict],
            notices=found[:_MOST_NOTICES],
            notices_left_out=max(0, len(found) - _MOST_NOTICES),
            wording=wording,
        )
    )


def _next_items(scorecard: Scorecard) -> tuple[str, ...]:
    return () if scorecard.next_step is None else scorecard.next_step.items


def _environment(allowance: Allowance) -> jinja2.Environment:
    def shown(value: Any) -> Any:
        """Whatever a template prints passes here first, so that no field can be forgotten."""
        if isinstance(value, str) and not isinstance(value, Markup):
            return shorten(printable(value), allowance.text)
        return value

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.path("reports")),
        # Always, not by file name: a template that ends in .jinja would be left unescaped.
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["name"] = lambda text: shorten(printable(text), allowance.name)
    environment.filters["code"] = lambda text: _breakable(shorten(printable(text), allowance.name))
    environment.filters["mark"] = lambda verdict: _MARKS[verdict]
    environment.filters["moment"] = _moment
    environment.tests["link"] = lambda text: bool(text) and text.lower().startswith(("https://", "http://"))
    return environment


def _breakable(text: str) -> Markup:
    """Escaped `text` that a narrow column may break after an underscore instead of within a word."""
    return escape(text).replace("_", Markup("_<wbr>"))


def _moment(time: datetime) -> str:
    """`24 November 2026, 03:14 UTC`; a naive time is taken as UTC."""
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"{aware.day} {_MONTHS[aware.month - 1]} {aware:%Y, %H:%M} UTC"
