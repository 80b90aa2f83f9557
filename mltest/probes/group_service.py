"""Is any group served less often than everybody else? A fallback is an answer, and a lesser one.

What a full answer is the system says itself, where its serving part reports a service level; beside that an answer must
be finite, and no category of its request one that training never had. The share of full answers in a group is set
against that of everybody else: a ratio below four fifths (29 CFR 1607.4 D, the rule of thumb of disparate impact) fails
with Holm's correction. What hits everybody alike, such as an outage, leaves the ratio alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import design_matrix
from mltest.probes.group_errors import FEWEST_BLOCKS, FEWEST_ROWS
from mltest.probes.group_rows import GroupedRows
from mltest.stats.arrays import BoolArray
from mltest.stats.group_gaps import GroupGap, group_gap
from mltest.stats.intervals import Interval
from mltest.stats.multiplicity import holm
from mltest.system import Effort

SMALLEST_RATIO = 0.8
"""Share of full answers in a group over that of everybody else."""

_ALPHA = 0.01
_LEVEL = 0.9
_MOST_ASKED: dict[Effort, int] = {"quick": 6_000, "standard": 20_000, "thorough": 1_000_000}
_MOST_MORE: dict[Effort, int] = {"quick": 600, "standard": 2_000, "thorough": 1_000_000}
_UNKNOWN_MATTERS = 0.5
_OWN_WORD = "a finite answer, with every category known from training"


@dataclass(frozen=True)
class GroupService:
    """How often one group is served in full; `ratio` is over everybody else's share, `lacks` what is missing most."""

    column: str
    level: str
    n: int
    share: float
    ratio: float
    interval: Interval
    failed: bool
    lacks: str

    @property
    def name(self) -> str:
        return f"{self.column} = {self.level}"


@dataclass(frozen=True)
class Service:
    """All groups that are large enough, worst first; `means` says what a full answer is."""

    groups: tuple[GroupService, ...]
    means: str
    asked: int


def judge(rows: GroupedRows, serving: Any | None, *, seed: int, effort: Effort) -> Service:
    """The service level of every group with enough rows.

    Raises Withheld when hardly any request at all is served in full, for there is nothing to share out then.
    """
    everyone = _evenly(np.arange(rows.table.num_rows), _MOST_ASKED[effort], seed)
    more = [
        _evenly(np.flatnonzero(grouping.members(level)), _MOST_MORE[effort], seed)
        for grouping in rows.groupings
        for level in grouping.levels
    ]
    asked = np.unique(np.concatenate([everyone, *more]))
    unknown = _unknown_categories(rows, asked)
    full, means = _reported(rows, asked, serving)
    answered = rows.answered[asked]
    for mask in unknown.values():
        full &= ~mask
    full &= answered
    common = np.isin(asked, everyone)
    if not full[common].any():
        raise Withheld(
            f"not one of {int(common.sum())} requests gets {means}: there is no service that groups could share",
            ReasonCode.TOO_LITTLE_DATA,
        )
    found = _compared(rows, asked, common, full, {"no finite answer": ~answered, **unknown})
    return Service(found, means, len(asked))


def _compared(
    rows: GroupedRows, asked: Any, common: BoolArray, full: BoolArray, lacking: dict[str, BoolArray]
) -> tuple[GroupService, ...]:
    gaps: list[tuple[str, str, BoolArray, GroupGap]] = []
    for grouping in rows.groupings:
        codes = grouping.codes[asked]
        for place, level in enumerate(grouping.levels):
            members = codes == place
            rest = common & (codes >= 0) & ~members
            gap = group_gap(full.astype(np.float64), members, rows.blocks[asked], statistic="ratio", rest=rest)
            if gap.n >= FEWEST_ROWS and gap.n_clusters >= FEWEST_BLOCKS and np.isfinite(gap.error):
                gaps.append((grouping.column, level, members, gap))
    if not gaps:
        return ()
    adjusted = holm([gap.mirrored().p_beyond(-SMALLEST_RATIO) for *_, gap in gaps])
    found = [
        GroupService(
            column,
            level,
            gap.n,
            float(full[members].mean()),
            gap.value,
            gap.interval(1.0 - 2.0 * _ALPHA / len(gaps) if p < _ALPHA else _LEVEL),
            bool(p < _ALPHA),
            _most_lacking(members & ~full, lacking),
        )
        for (column, level, members, gap), p in zip(gaps, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (not one.failed, one.ratio, one.n)))


def _reported(rows: GroupedRows, asked: Any, serving: Any | None) -> tuple[BoolArray, str]:
    """What the serving part says of the rows, or that all are served in full where it says nothing."""
    import pyarrow as pa

    report = getattr(serving, "service_level", None)
    if report is None:
        return np.ones(len(asked), dtype=np.bool_), _OWN_WORD
    level = report(rows.table.take(pa.array(asked)))
    full = np.asarray(level.full)
    if full.shape != (len(asked),) or full.dtype != np.bool_:
        raise PartFailure(
            f"the part `serving` reports a service level of shape {full.shape} and type {full.dtype} for "
            f"{len(asked)} rows: give one truth value a row"
        )
    return full.copy(), str(level.means)


def _unknown_categories(rows: GroupedRows, asked: Any) -> dict[str, BoolArray]:
    """By what is wrong, the rows with a category of an input that training never had.

    A column that is new on most rows anyway, such as a free text, is none that a vocabulary is made of.
    """
    import pyarrow as pa

    found: dict[str, BoolArray] = {}
    for name in rows.judged.inputs:
        values = rows.table.column(name).take(pa.array(asked))
        if design_matrix.is_number_like(values):
            continue
        names, codes = design_matrix.level_codes(values)
        known = set(design_matrix.level_codes(rows.judged.train.column(name))[0])
        unseen = np.array([level not in known for level in names])[codes]
        if 0.0 < unseen.mean() < _UNKNOWN_MATTERS:
            found[f"a category of {name} that training never had"] = unseen
    return found


def _most_lacking(missed: BoolArray, lacking: dict[str, BoolArray]) -> str:
    counts = {what: int(np.count_nonzero(mask & missed)) for what, mask in lacking.items()}
    what = max(counts, key=lambda key: counts[key], default="")
    return what if counts.get(what, 0) > 0.5 * np.count_nonzero(missed) else "the fallback of the serving part"


def _evenly(positions: Any, most: int, seed: int) -> Any:
    if len(positions) <= most:
        return positions
    return np.sort(np.random.default_rng(seed).choice(positions, most, replace=False))


def worst(groups: Sequence[GroupService]) -> GroupService | None:
    """The group that failed most clearly, else the one with the lowest ratio."""
    return groups[0] if groups else None
