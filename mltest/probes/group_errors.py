"""Is any group predicted off to one side? The signed error of each group beside that of everybody else.

A group holds when the whole 90 % interval of its gap lies within the margin: two one-sided tests at 5 % (Schuirmann
1987), for which no correction is due since every group has to pass (Berger 1982). It fails when the gap is beyond the
margin with Holm's correction over all groups, in errors held within their fifth and ninety-fifth percentile, or in
plain means of the holdout. Groups are never averaged, and one that is too small to tell keeps the whole item open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes.group_rows import GroupedRows, Grouping
from mltest.stats.arrays import FloatArray
from mltest.stats.clusters import ENOUGH_CLUSTERS
from mltest.stats.group_gaps import GroupGap, group_gap, winsorised
from mltest.stats.intervals import Interval
from mltest.stats.multiplicity import holm

LARGEST_GAP = 12.5
"""Signed error of a group beyond that of everybody else, in per cent of the model's mean absolute error."""
FEWEST_ROWS = 100
FEWEST_BLOCKS = 20

_ALPHA = 0.01
_EQUIVALENCE_LEVEL = 0.9
_PLANTED = 2.0
Status = Literal["failed", "open", "unknown", "holds"]
_ORDER: tuple[Status, ...] = ("failed", "open", "unknown", "holds")


@dataclass(frozen=True)
class GroupError:
    """The signed error of one group against everybody else, in the unit of the target.

    `gap` is the difference, `interval` the one that its status rests on; `share_of_loss` the gap in per cent of the
    model's loss, `relative_loss` the group's mean absolute error over that of everybody else.
    """

    column: str
    level: str
    n: int
    n_blocks: int
    signed: float
    gap: float
    interval: Interval
    relative_loss: float
    status: Status
    view: str
    loss: float

    @property
    def name(self) -> str:
        return f"{self.column} = {self.level}"

    @property
    def share_of_loss(self) -> float:
        """Size of the gap in per cent of the loss, whatever its direction."""
        return 100.0 * abs(self.gap) / self.loss

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval of `share_of_loss`."""
        low, high = self.interval.low, self.interval.high
        nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
        return 100.0 * nearest / self.loss, 100.0 * max(abs(low), abs(high)) / self.loss


@dataclass(frozen=True)
class _View:
    """One way to look at the errors of a class or of the number: values per row, NaN where the row is left out."""

    name: str
    values: FloatArray
    decides_pass: bool


def judge(rows: GroupedRows, *, limit: float = LARGEST_GAP) -> tuple[GroupError, ...]:
    """Every declared group, failed ones first, then open, unknown and holding ones, largest gaps first.

    Raises Withheld with fewer than 30 blocks (days), and when a bias of twice the margin, planted into the smallest
    group that was found to hold, is not seen.
    """
    if len(np.unique(rows.blocks)) < ENOUGH_CLUSTERS:
        raise Withheld(
            f"the held-out rows have {len(np.unique(rows.blocks))} {rows.judged.unit}, {ENOUGH_CLUSTERS} are needed to "
            "compare groups",
            ReasonCode.TOO_LITTLE_DATA,
        )
    margin = limit / 100.0 * rows.loss
    views = _views(rows)
    found = _judged(rows, views, margin)
    holding = [one for one in found if one.status == "holds"]
    if holding and not _planted_is_found(rows, views, min(holding, key=lambda one: one.n), margin):
        raise Withheld("a bias of twice the margin, planted into a group, was not found: hold out more rows")
    return found


def unsettled(found: Sequence[GroupError], limit: float) -> str | None:
    """Why nothing may pass although no group failed; None when every group is known to hold."""
    undone = [one for one in found if one.status in ("open", "unknown")]
    if not undone:
        return None
    worst = undone[0]
    more = f" ({len(undone) - 1} more are open too)" if len(undone) > 1 else ""
    if worst.status == "unknown":
        return (
            f"{worst.name} has {worst.n} held-out rows on {worst.n_blocks} days or blocks{more}, {FEWEST_ROWS} on "
            f"{FEWEST_BLOCKS} are needed: hold out more of them, or agree on a wider group with those it stands for"
        )
    low, high = worst.bounds
    reach = (high - low) / 2.0 if low > 0.0 else high - worst.share_of_loss
    distance = limit - worst.share_of_loss
    needed = f"about {int(np.ceil(worst.n * (reach / distance) ** 2))} of its rows would decide" if distance > 0 else ""
    allowed = limit * worst.loss / 100.0
    return (
        f"{worst.name} ({worst.n} rows) has a signed error {worst.gap:+.3g} [{worst.interval.low:+.3g}, "
        f"{worst.interval.high:+.3g}] beside everybody else{more}, allowed is {allowed:.3g} either way: "
        f"{needed or 'it lies at the limit, so look at its rows and hold out more of them'}"
    )


def _views(rows: GroupedRows) -> list[_View]:
    views = []
    for place in range(rows.errors.shape[1]):
        values = rows.errors[:, place]
        if not rows.judged.outcome.is_number:
            views.append(_View(_class_name(rows, place), values, decides_pass=True))
            continue
        typical = np.full_like(values, np.nan)
        typical[rows.answered] = winsorised(values[rows.answered])
        views.append(_View("errors within their outer twentieths", typical, decides_pass=True))
        held_out = np.where(rows.held_out, values, np.nan)
        views.append(_View("plain mean of the holdout", held_out, decides_pass=False))
    return views


def _class_name(rows: GroupedRows, place: int) -> str:
    classes = rows.judged.outcome.classes
    return f"chance of {classes[place + 1] if rows.errors.shape[1] == 1 else classes[place]}"


def _judged(rows: GroupedRows, views: Sequence[_View], margin: float) -> tuple[GroupError, ...]:
    compared = [
        (grouping, level, view, _gap(rows, grouping, level, view))
        for grouping in rows.groupings
        for level in grouping.levels
        for view in views
    ]
    known = [_is_known(gap) for *_, gap in compared]
    beyond = [
        min(1.0, 2.0 * min(gap.p_beyond(margin), gap.mirrored().p_beyond(margin))) if enough else np.nan
        for (*_, gap), enough in zip(compared, known, strict=True)
    ]
    adjusted = holm(beyond) if beyond else np.empty(0)
    tests = max(1, sum(known))
    singles = [
        _single(rows, *each, enough, bool(p < _ALPHA), margin, tests)
        for each, enough, p in zip(compared, known, adjusted, strict=True)
    ]
    worst: dict[tuple[str, str], GroupError] = {}
    for one in singles:
        if one is None:
            continue
        before = worst.get((one.column, one.level))
        if before is None or _rank(one) < _rank(before):
            worst[(one.column, one.level)] = one
    return tuple(sorted(worst.values(), key=_rank))


def _single(
    rows: GroupedRows,
    grouping: Grouping,
    level: str,
    view: _View,
    gap: GroupGap,
    enough: bool,
    fails: bool,
    margin: float,
    tests: int,
) -> GroupError | None:
    """The group in one view; None for a view that only a failure speaks in."""
    if not (fails or view.decides_pass):
        return None
    members = grouping.members(level) & np.isfinite(view.values)
    rest = grouping.known & ~members & np.isfinite(view.values)
    shown = gap.interval(1.0 - _ALPHA / tests if fails else _EQUIVALENCE_LEVEL)
    status: Status = "failed" if fails else "unknown"
    if enough and not fails:
        inside = -margin < shown.low and shown.high < margin
        status = "holds" if inside else "open"
    with np.errstate(invalid="ignore"):
        size = np.abs(view.values)
    return GroupError(
        column=grouping.column,
        level=level,
        n=gap.n,
        n_blocks=gap.n_clusters,
        signed=float(view.values[members].mean()) if members.any() else float("nan"),
        gap=gap.value,
        interval=shown,
        relative_loss=float(size[members].mean() / size[rest].mean()) if members.any() and rest.any() else float("nan"),
        status=status,
        view=view.name,
        loss=rows.loss,
    )


def _gap(rows: GroupedRows, grouping: Grouping, level: str, view: _View) -> GroupGap:
    finite = np.isfinite(view.values)
    members = grouping.members(level) & finite
    return group_gap(np.nan_to_num(view.values), members, rows.blocks, rest=grouping.known & ~members & finite)


def _is_known(gap: GroupGap) -> bool:
    enough = gap.n >= FEWEST_ROWS and gap.n_clusters >= FEWEST_BLOCKS
    return enough and bool(np.isfinite(gap.value) and np.isfinite(gap.error))


def _rank(one: GroupError) -> tuple[int, float, int, str]:
    """Failed first; among equals the largest gap (of those that hold the one that it is least sure of).

    Of two halves that mirror each other the smaller group comes first.
    """
    size = one.bounds[1] if one.status == "holds" else one.share_of_loss
    size = size if np.isfinite(size) else 0.0
    return _ORDER.index(one.status), -round(size, 6), one.n, one.name


def _planted_is_found(rows: GroupedRows, views: Sequence[_View], smallest: GroupError, margin: float) -> bool:
    """Positive control: the smallest group that holds, moved to twice the margin, must no longer hold."""
    grouping = next(one for one in rows.groupings if one.column == smallest.column)
    members = grouping.members(smallest.level)
    view = next(one for one in views if one.decides_pass)
    before = _gap(rows, grouping, smallest.level, view)
    moved = _View(view.name, np.where(members, view.values + _PLANTED * margin - before.value, view.values), True)
    after = _gap(rows, grouping, smallest.level, moved).interval(_EQUIVALENCE_LEVEL)
    return bool(after.low > margin)
