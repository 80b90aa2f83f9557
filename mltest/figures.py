"""Figures that probes attach: SVG text with a title and a description, or None where the extra is not installed.

Shapes follow the kind of evidence: intervals or bars against a limit, a line with its band, one quantity against
another. Colours are middle tones that keep a contrast of 3 to 1 on white and on near-black; text takes the reader's
own colour scheme, so that one file serves day and night. Status is told by shape as well as by colour. Nothing is
fetched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape

Status = Literal["passed", "failed", "open"]

_COLOURS = {"passed": "#4a8f62", "failed": "#cf5238", "open": "#a67c1e"}
_SHAPES = {"passed": "circle", "failed": "cross", "open": "diamond"}
_LINE = "#5a86b8"
_INK = "#010203"
"""Stands for the text colour until the SVG is made; then the reader's colour scheme takes its place."""
_QUIET = "#8a8a86"
_WIDTH = 340
_LABEL = 230
_PADDING = {"left": 34, "right": 12, "top": 12, "bottom": 8}
"""A reader's font may be wider than the one that the figure was measured with."""
_ROW = 26
_MOST_ROWS = 60
_LONGEST_LABEL = 60
_STYLE = "<style>svg{color:#22211e}@media (prefers-color-scheme:dark){svg{color:#e9e6df}}</style>"


@dataclass(frozen=True)
class Interval:
    """A value with its interval, in the unit of the figure; `limit` is its own limit, `low` and `high` may be None."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    status: Status = "passed"


@dataclass(frozen=True)
class Bar:
    """One bar, from zero."""

    name: str
    value: float
    status: Status = "passed"


@dataclass(frozen=True)
class BandPoint:
    """A point of a line: `low` and `high` bound its band."""

    at: float
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Point:
    """One mark of a scatter."""

    name: str
    x: float
    y: float
    status: Status = "passed"


def intervals(title: str, rows: Sequence[Interval], unit: str = "") -> str | None:
    """A dot and its interval for each of `rows`, with a tick at its limit.

    Returns None without the extra `figures` and without rows. Of more than 60 rows the first 60 are drawn, which the
    description says.
    """
    kept = [row for row in rows if math.isfinite(row.value)][:_MOST_ROWS]
    altair = _altair()
    if altair is None or not kept:
        return None
    data = altair.Data(values=[_interval_record(row) for row in kept])
    base = altair.Chart(data).encode(y=_names(altair))
    value = altair.X("value:Q", title=unit or None, scale=altair.Scale(zero=False, nice=True))
    rules = base.mark_rule(strokeWidth=2.5, opacity=0.75).encode(
        x=altair.X("low:Q"), x2="high:Q", color=_status(altair)
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=value, color=_status(altair), shape=_status(altair, of_shape=True)
    )
    ticks = base.mark_tick(thickness=2, height=18, color=_INK).encode(x="limit:Q")
    sentences = [_interval_sentence(row, unit) for row in kept]
    return _svg(altair, altair.layer(rules, ticks, dots), len(kept) * _ROW, title, sentences, len(rows) - len(kept))


def bars(title: str, rows: Sequence[Bar], limit: float | None = None, unit: str = "") -> str | None:
    """Horizontal bars from zero, with one line at `limit`. Returns None as `intervals` does."""
    kept = [row for row in rows if math.isfinite(row.value)][:_MOST_ROWS]
    altair = _altair()
    if altair is None or not kept:
        return None
    records = [{"name": _label(row.name), "value": row.value, "status": row.status} for row in kept]
    base = altair.Chart(altair.Data(values=records)).encode(y=_names(altair))
    shapes = base.mark_bar(height=14).encode(x=altair.X("value:Q", title=unit or None), color=_status(altair))
    ends = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="value:Q", color=_status(altair), shape=_status(altair, of_shape=True)
    )
    layers = [shapes, ends, *_limit_line(altair, limit, "x")]
    sentences = [f"{row.name} {row.value:.4g} {unit}".rstrip() + f", {row.status}" for row in kept]
    return _svg(
        altair, altair.layer(*layers), len(kept) * _ROW, title, [*_said(limit), *sentences], len(rows) - len(kept)
    )


def line_with_band(
    title: str, points: Sequence[BandPoint], limit: float | None = None, unit: str = "", at: str = ""
) -> str | None:
    """A line over `at` with the band between `low` and `high`. Returns None as `intervals` does."""
    kept = [point for point in points if math.isfinite(point.value)]
    altair = _altair()
    if altair is None or not kept:
        return None
    records = [{"at": p.at, "value": p.value, "low": _finite(p.low), "high": _finite(p.high)} for p in kept]
    base = altair.Chart(altair.Data(values=records)).encode(x=altair.X("at:Q", title=at or None))
    scale = altair.Scale(zero=False, nice=True)
    band = base.mark_area(color=_LINE, opacity=0.25).encode(y=altair.Y("low:Q", scale=scale), y2="high:Q")
    line = base.mark_line(color=_LINE, strokeWidth=2.5, point=len(kept) < _MOST_ROWS).encode(
        y=altair.Y("value:Q", title=unit or None, scale=scale)
    )
    values = [p.value for p in kept]
    ends = f"from {values[0]:.4g} at {kept[0].at:.4g} to {values[-1]:.4g} at {kept[-1].at:.4g} {unit}".rstrip()
    spread = f"lowest {min(values):.4g}, highest {max(values):.4g}"
    layers = [band, line, *_limit_line(altair, limit, "y")]
    return _svg(altair, altair.layer(*layers), 180, title, [ends, spread, *_said(limit)], 0)


def scatter(
    title: str, points: Sequence[Point], x_unit: str = "", y_unit: str = "", line: float | None = 0.0
) -> str | None:
    """A mark for each of `points`, with a line at `line`; axes begin at zero only then. Returns None as `intervals`."""
    kept = [p for p in points if math.isfinite(p.x) and math.isfinite(p.y)][:_MOST_ROWS]
    altair = _altair()
    if altair is None or not kept:
        return None
    records = [{"name": _label(p.name), "x": p.x, "y": p.y, "status": p.status} for p in kept]
    base = altair.Chart(altair.Data(values=records))
    marks = base.mark_point(filled=True, size=70, opacity=0.85).encode(
        x=altair.X("x:Q", title=x_unit or None, scale=altair.Scale(zero=line is not None)),
        y=altair.Y("y:Q", title=y_unit or None, scale=altair.Scale(zero=line is not None)),
        color=_status(altair),
        shape=_status(altair, of_shape=True),
    )
    sentences = [f"{p.name} {p.x:.4g} {x_unit}, {p.y:.4g} {y_unit}, {p.status}" for p in kept]
    layers = [marks, *_limit_line(altair, line, "y")]
    return _svg(altair, altair.layer(*layers), 220, title, sentences, len(points) - len(kept))


def _altair() -> Any | None:
    try:
        import altair
        import vl_convert  # noqa: F401 - makes the SVG; without it altair alone cannot
    except ImportError:
        return None
    return altair


def _interval_record(row: Interval) -> dict[str, Any]:
    low, high = _finite(row.low), _finite(row.high)
    return {
        "name": _label(row.name),
        "value": row.value,
        "low": row.value if low is None else low,
        "high": row.value if high is None else high,
        "limit": _finite(row.limit),
        "status": row.status,
    }


def _names(altair: Any) -> Any:
    return altair.Y("name:N", sort=None, title=None, axis=altair.Axis(labelLimit=_LABEL, ticks=False, domain=False))


def _status(altair: Any, of_shape: bool = False) -> Any:
    known = list(_COLOURS)
    chosen = _SHAPES if of_shape else _COLOURS
    scale = altair.Scale(domain=known, range=[chosen[status] for status in known])
    return (altair.Shape if of_shape else altair.Color)("status:N", scale=scale, legend=None)


def _limit_line(altair: Any, limit: float | None, axis: Literal["x", "y"]) -> list[Any]:
    if limit is None or not math.isfinite(limit):
        return []
    channel = (altair.X if axis == "x" else altair.Y)("limit:Q")
    rule = altair.Chart(altair.Data(values=[{"limit": limit}])).mark_rule(
        color=_INK, strokeDash=[5, 4], strokeWidth=1.5
    )
    return [rule.encode(**{axis: channel})]


def _svg(altair: Any, chart: Any, height: int, title: str, sentences: Sequence[str], left_out: int) -> str:
    import vl_convert

    font = {"labelFont": "sans-serif", "titleFont": "sans-serif", "labelFontSize": 12, "titleFontSize": 12}
    lines = {"gridColor": _QUIET, "gridOpacity": 0.25, "domainColor": _QUIET, "tickColor": _QUIET}
    made = (
        chart.properties(width=_WIDTH, height=height, background="transparent", padding=_PADDING)
        .configure_view(stroke=None)
        .configure_axis(labelColor=_INK, titleColor=_INK, titleFontWeight="normal", **font, **lines)
    )
    drawn: str = vl_convert.vegalite_to_svg(made.to_dict(validate=False), allowed_base_urls=[])
    more = [f"{left_out} more are not drawn"] if left_out else []
    return _accessible(drawn, title, "; ".join((*sentences, *more)))


def _accessible(svg: str, title: str, description: str) -> str:
    """The SVG with a title and a description in front, and the reader's own colour for text."""
    head, _, body = svg.partition(">")
    said = f"<title>{escape(_visible(title))}</title><desc>{escape(_visible(description))}</desc>"
    return f'{head} role="img">{said}{_STYLE}{body}'.replace(_INK, "currentColor")


def _interval_sentence(row: Interval, unit: str) -> str:
    low, high = _finite(row.low), _finite(row.high)
    interval = "" if low is None or high is None else f" [{low:.4g}, {high:.4g}]"
    limit = "" if row.limit is None else f", limit {row.limit:.4g}"
    return f"{row.name} {row.value:.4g}{interval} {unit}".rstrip() + f"{limit}, {row.status}"


def _said(limit: float | None) -> list[str]:
    return [] if limit is None else [f"limit {limit:.4g}"]


def _label(name: str) -> str:
    seen = _visible(name)
    return seen if len(seen) <= _LONGEST_LABEL else f"{seen[: _LONGEST_LABEL - 3]}..."


def _visible(text: str) -> str:
    """`text` without the characters that XML forbids or that a reader cannot see."""
    return "".join(character for character in text if character.isprintable())


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
