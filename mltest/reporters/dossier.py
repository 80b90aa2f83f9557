"""What the page shows of one item: its findings cut to an allowance, each cut counted, its figures made inert."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mltest.evidence import Attachment, Finding, Measurement, Verdict
from mltest.reporters.gauge import Gauge, gauge
from mltest.reporters.wording import number
from mltest.scorecard import ItemResult, Scorecard, SectionInfo

_TITLE = re.compile(r"<(title|desc)>([^<]{1,4000})</\1>")
_ROWS_OF_A_TABLE = 30
_COLUMNS_OF_A_TABLE = 8


@dataclass(frozen=True)
class Allowance:
    """How much of each thing one report shows, so that the whole stays small."""

    text: int
    name: int
    findings: int
    measurements: int
    attachments: int
    figure_bytes: int
    """Bytes of one figure; a larger one is left out, which is said in its place."""


@dataclass(frozen=True)
class MeasurementRow:
    """One measurement in words; `verdict` is None for one that decides nothing."""

    name: str
    seen: str
    interval: str
    limit: str
    n: str
    verdict: Verdict | None
    relaxed_from: str | None
    gauge: Gauge | None


@dataclass(frozen=True)
class FigureView:
    """A figure as an image, which cannot run scripts or fetch. `note` says why one has no `source`."""

    name: str
    description: str
    source: Markup | None
    note: str = ""


@dataclass(frozen=True)
class TableView:
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


@dataclass(frozen=True)
class FindingView:
    finding: Finding
    rows: tuple[MeasurementRow, ...]
    rows_left_out: int
    figures: tuple[FigureView, ...]
    tables: tuple[TableView, ...]


@dataclass(frozen=True)
class Dossier:
    """One item and what is shown of it. `anchor` is its id in the page, ours since the item's own id is foreign."""

    item: ItemResult
    anchor: str
    findings: tuple[FindingView, ...]
    findings_left_out: int


@dataclass(frozen=True)
class SectionView:
    """One section: its sum, and the shares of its maximum in percent, as they are drawn."""

    info: SectionInfo
    anchor: str
    dossiers: tuple[Dossier, ...]
    total: float
    share: float
    share_automated: float
    is_minimum: bool


def section_views(scorecard: Scorecard, dossiers: Mapping[str, Dossier]) -> list[SectionView]:
    """All sections in the order of the rubric."""
    score = scorecard.score
    return [
        SectionView(
            info=section,
            anchor=f"section-{position}",
            dossiers=tuple(dossiers[item.id] for item in scorecard.items if item.section == section.id),
            total=score.sections[section.id],
            share=_share(score.sections[section.id], section.maximum),
            share_automated=_share(score.if_automated.sections[section.id], section.maximum),
            is_minimum=score.sections[section.id] == score.final,
        )
        for position, section in enumerate(scorecard.sections, 1)
    ]


def dossier(item: ItemResult, anchor: str, figures: Mapping[str, str], allowance: Allowance) -> Dossier:
    """The view of `item`; what decided its verdict stands first."""
    ordered = sorted(item.findings, key=lambda finding: finding.verdict is not item.verdict)
    kept = ordered[: allowance.findings]
    views = tuple(_finding(finding, figures, allowance) for finding in kept)
    return Dossier(item, anchor, views, len(item.findings) - len(kept))


def _finding(finding: Finding, figures: Mapping[str, str], allowance: Allowance) -> FindingView:
    # The gravest measurements come first, since they are what a cut must not hide.
    ordered = sorted(finding.measurements, key=_gravity)
    kept = ordered[: allowance.measurements]
    attached = finding.attachments[: allowance.attachments]
    tables = (_table(a, figures.get(a.sha256)) for a in attached if a.kind == "table")
    return FindingView(
        finding=finding,
        rows=tuple(map(_row, kept)),
        rows_left_out=len(ordered) - len(kept),
        figures=tuple(_figure(a, figures.get(a.sha256), allowance) for a in attached if a.kind == "svg"),
        tables=tuple(table for table in tables if table is not None),
    )


def _gravity(measurement: Measurement) -> int:
    if not measurement.decides:
        return 3
    return (Verdict.FAILED, Verdict.NOT_DEMONSTRATED, Verdict.PASSED).index(measurement.verdict())


def _row(measurement: Measurement) -> MeasurementRow:
    unit = f" {measurement.unit}" if measurement.unit else ""
    bound = "at most" if measurement.better == "lower" else "at least"
    low, high = measurement.ci or (None, None)
    return MeasurementRow(
        name=measurement.name,
        seen=f"{number(measurement.value)}{unit}",
        interval=f"{_end(low, '-')} to {_end(high, '+')}" if measurement.ci is not None else "",
        limit="" if measurement.limit is None else f"{bound} {number(measurement.limit)}{unit}",
        n="" if measurement.n is None else f"{measurement.n:,}",
        verdict=measurement.verdict() if measurement.decides else None,
        relaxed_from=number(measurement.default_limit) if measurement.relaxed else None,
        gauge=gauge(measurement),
    )


def _end(bound: float | None, sign: str) -> str:
    return f"{sign}∞" if bound is None else number(bound)


def _figure(attachment: Attachment, svg: str | None, allowance: Allowance) -> FigureView:
    if svg is None:
        return FigureView(attachment.name, "", None, "left out: its file is gone, or too large for a report")
    data = svg.encode("utf-8", "replace")
    if len(data) > allowance.figure_bytes:
        allowed = f"{allowance.figure_bytes // 1000:,} kB"
        return FigureView(
            attachment.name, "", None, f"left out: {len(data) // 1000:,} kB, this report has room for {allowed}"
        )
    said = ". ".join(html.unescape(text) for _, text in _TITLE.findall(svg[:20_000])[:2])
    # Base64 holds no character that a page could take for markup, so nothing is escaped and nothing shortened.
    source = Markup("data:image/svg+xml;base64,") + base64.b64encode(data).decode()
    return FigureView(attachment.name, said or attachment.name, source)


def _table(attachment: Attachment, text: str | None) -> TableView | None:
    try:
        records = json.loads(text or "")
    except ValueError:
        return None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return None
    kept = records[:_ROWS_OF_A_TABLE]
    columns = tuple(dict.fromkeys(str(key) for record in kept for key in record))[:_COLUMNS_OF_A_TABLE]
    rows = tuple(tuple(_cell(record.get(column)) for column in columns) for record in kept)
    return TableView(attachment.name, columns, rows, len(records) - len(kept))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else number(value)


def _share(total: float, maximum: int) -> float:
    return round(100 * min(total / maximum, 1.0), 2) if maximum else 0.0
