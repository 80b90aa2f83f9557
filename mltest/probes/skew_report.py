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
from mltest.probes.skew import Passage
from mltest.probes.skew_strata import Stratum
from mltest.probes.skew_values import Compared

BoolArray = npt.NDArray[np.bool_]

_EXPLAINS = 0.9
"""Harmonic mean of precision and recall from which on a difference is said to fill a stratum."""

_CHANCE = 1e-4
"""Below it, differences that all lie inside one stratum are no accident, though there are dozens of strata."""

_NEARLY_ALL = 0.9
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
        for column in (*passage.features, passage.moment, passage.answers):
            if column is not None and column.mismatches:
                where = explain(column.differs, passage.strata, column.name)
                found.append(
                    Difference(column.name, column.mismatches, len(passage.keys), where, _example(passage, column))
                )
    return sorted(found, key=lambda each: -each.mismatches)


def explain(differs: BoolArray, strata: Sequence[Stratum], feature: str = "") -> str:
    """Where the rows lie that differ: everywhere, throughout one stratum, inside one, or in none that is known.

    Of strata that fit equally well the one that speaks about `feature` itself is named.
    """
    if differs.mean() > _NEARLY_ALL:
        return "in every row" if differs.all() else "in nearly every row"
    apart = [each for each in strata if each.rows.mean() <= _NEARLY_ALL]
    best = max(apart, key=lambda each: (_fit(differs, each.rows), each.name.startswith(f"{feature} ")), default=None)
    if best is not None and _fit(differs, best.rows) >= _EXPLAINS:
        both, others = int((differs & best.rows).sum()), int((differs & ~best.rows).sum())
        elsewhere = "nowhere else" if others == 0 else f"in {others} others"
        return f"in {both} of the {int(best.rows.sum())} where {best.name} and {elsewhere}"
    holding = [each for each in apart if not (differs & ~each.rows).any() and _by_chance(differs, each.rows) < _CHANCE]
    if holding:
        smallest = min(holding, key=lambda each: int(each.rows.sum()))
        return f"all among the {int(smallest.rows.sum())} where {smallest.name}"
    return "in rows that no known stratum sets apart"


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
        for column in (*passage.features, passage.moment, passage.answers):
            if column is not None:
                rows.append(
                    {
                        "from": passage.stretch.window[0].isoformat(),
                        "feature": column.name,
                        "rows": len(passage.keys),
                        "mismatches": column.mismatches,
                        "largest_difference": _finite(column.largest_difference),
                        "where": explain(column.differs, passage.strata, column.name) if column.mismatches else "",
                        "example": _example(passage, column) if column.mismatches else "",
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
    found = differences(passages)
    said = [each.sentence() for each in found[:_NAMED]]
    if len(found) > _NAMED:
        said.append(f"{len(found) - _NAMED} more columns differ")
    unlogged = sorted({name for passage in passages for name in passage.unlogged})
    if unlogged:
        said.append(f"the model reads {', '.join(unlogged[:5])}, which the request log does not have: log it as served")
    strangers = sum(passage.strangers for passage in passages if passage.doubt is None)
    if strangers:
        said.append(f"{strangers} served rows are unknown to the batch path: it drops or renames rows that are served")
    return "; ".join(said)


def _example(passage: Passage, column: Compared) -> str:
    place = int(np.flatnonzero(column.differs)[0])
    said = f"batch {_shown(column.batch[place])}, served {_shown(column.served[place])} for {passage.keys[place]}"
    return f"{said}; {column.reason}" if column.reason else said


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _fit(differs: BoolArray, rows: BoolArray) -> float:
    """Harmonic mean of precision and recall of a stratum that is said to be where the difference lies."""
    return 2.0 * float((differs & rows).sum()) / float(differs.sum() + rows.sum())


def _by_chance(differs: BoolArray, rows: BoolArray) -> float:
    """How likely rows that differ anywhere would all fall into a stratum of this size."""
    return float(rows.mean() ** differs.sum())
