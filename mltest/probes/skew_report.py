"""What two paths disagree about, in words, as a table and as a figure: which feature, on which rows, with examples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltest import figures
from mltest.evidence import ReasonCode
from mltest.probes import skew_where
from mltest.probes.skew import Passage
from mltest.probes.skew_values import Compared

BoolArray = npt.NDArray[np.bool_]

_NAMED = 4


@dataclass(frozen=True)
class Difference:
    """One feature that differs: in how many of `rows` rows, and the sentences that say where and how."""

    feature: str
    mismatches: int
    rows: int
    where: str
    example: str

    def sentence(self) -> str:
        return f"{self.feature} differs in {self.mismatches} of {self.rows} rows, {self.where} ({self.example})"


def differences(passages: Sequence[Passage]) -> list[Difference]:
    """Every column that differs, the most frequent first: features, moment, predictions."""
    found = []
    for passage in passages:
        for column in _columns(passage):
            if column.mismatches:
                where = skew_where.explain(column.differs, passage.strata, column.name)
                found.append(
                    Difference(column.name, column.mismatches, len(passage.keys), where, _example(passage, column))
                )
    return sorted(found, key=lambda each: -each.mismatches)


def obstacle(passages: Sequence[Passage]) -> tuple[str, ReasonCode] | None:
    """Why agreement would prove nothing here; None when it does."""
    for passage in passages:
        if passage.doubt is not None:
            return passage.doubt
        noticed, accepted = passage.controls
        if accepted and not noticed:
            said = f"{accepted} altered records changed nothing in the log: it does not show what was sent"
            return said, ReasonCode.CIRCULAR
        blind = [column.name for column in passage.features if column.reason or not column.notices]
        if blind:
            return f"a planted change of {blind[0]} goes unnoticed: the comparison is blind", ReasonCode.CIRCULAR
        if passage.moment is None:
            told = "the log has no moment: log the moment that each request is answered for, as `as_of`"
            return told, ReasonCode.PART_MISSING
        if passage.unmet:
            more = f" and {len(passage.unmet) - 2} kinds more" if len(passage.unmet) > 2 else ""
            told = f"no record stands for the batch rows where {', or '.join(passage.unmet[:2])}{more}"
            said = f"{told} ({passage.unasked} batch rows have no record): make one of every raw row"
            return said, ReasonCode.TOO_LITTLE_DATA
        if passage.answers is not None and passage.answers.empty:
            return "the model answers none of the batch rows", ReasonCode.WITHHELD
    empty = set.intersection(*({column.name for column in passage.features if column.empty} for passage in passages))
    if empty:
        more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
        named = ", ".join(sorted(empty)[:3])
        return f"no row has a value of {named}{more}: nothing was compared there", ReasonCode.TOO_LITTLE_DATA
    return None


def table(passages: Sequence[Passage]) -> str:
    """One row a feature and stretch, as the JSON text of a list."""
    rows: list[dict[str, Any]] = []
    for passage in passages:
        for column in _columns(passage):
            apart = column.mismatches > 0
            rows.append(
                {
                    "from": passage.stretch.window[0].isoformat(),
                    "feature": column.name,
                    "rows": len(passage.keys),
                    "mismatches": column.mismatches,
                    "largest_difference": _finite(column.largest_difference),
                    "where": skew_where.explain(column.differs, passage.strata, column.name) if apart else "",
                    "example": _example(passage, column) if apart else "",
                }
            )
    return json.dumps(rows)


def strata_table(passages: Sequence[Passage]) -> str:
    """How many rows of each hard stratum were compared, as the JSON text of a list."""
    rows = [
        {"from": passage.stretch.window[0].isoformat(), "stratum": each.name, "rows": int(each.rows.sum())}
        for passage in passages
        for each in passage.strata
        if each.wanted
    ]
    return json.dumps(rows)


def figure(passages: Sequence[Passage]) -> str | None:
    """Share of rows that differ, by feature; None without the extra for figures."""
    shares: dict[str, tuple[int, int]] = {}
    for passage in passages:
        for column in passage.features:
            seen, rows = shares.get(column.name, (0, 0))
            shares[column.name] = (seen + column.mismatches, rows + len(passage.keys))
    ranked = sorted(shares.items(), key=lambda item: -item[1][0] / max(1, item[1][1]))
    return figures.bars(
        "Rows in which a feature is served otherwise than in training",
        [figures.Bar(name, seen / max(1, n), "failed" if seen else "passed") for name, (seen, n) in ranked],
        limit=0.0,
        unit="share of rows",
    )


def message(passages: Sequence[Passage]) -> str:
    """The failure in one line; an empty text when nothing differs."""
    found = _once_each(differences(passages))
    said = [each.sentence() for each in found[:_NAMED]]
    if len(found) > _NAMED:
        said.append(f"{len(found) - _NAMED} more columns differ")
    unlogged = sorted({name for passage in passages for name in passage.unlogged})
    if unlogged:
        said.append(f"the model reads {', '.join(unlogged[:5])}, which the request log does not have: log it as served")
    for refused in (passage.refused for passage in passages if passage.refused is not None):
        told = f"the server refuses {refused.rows} of {refused.asked} records that the batch path has rows of"
        said.append(f"{told}, {refused.where} ({refused.example})")
    strangers = sum(passage.strangers for passage in passages if passage.doubt is None)
    if strangers:
        said.append(f"{strangers} served rows are unknown to the batch path: it drops or renames rows that are served")
    return "; ".join(said)


def _once_each(found: Sequence[Difference]) -> list[Difference]:
    """Of each column one difference: that of a stretch in which a stratum explains it, if there is one."""
    kept: dict[str, Difference] = {}
    for each in sorted(found, key=lambda difference: " where " not in difference.where):
        kept.setdefault(each.feature, each)
    return sorted(kept.values(), key=lambda each: -each.mismatches)


def _columns(passage: Passage) -> list[Compared]:
    others = (passage.moment, passage.answers, None if passage.doubt else passage.replies)
    return [*passage.features, *(column for column in others if column is not None)]


def _example(passage: Passage, column: Compared) -> str:
    place = int(np.flatnonzero(column.differs)[0])
    own, other = column.sides
    said = f"{own} {_shown(column.batch[place])}, {other} {_shown(column.served[place])} for {passage.keys[place]}"
    return f"{said}; {column.reason}" if column.reason else said


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
