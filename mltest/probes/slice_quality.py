"""Is the model good enough on every slice? Its loss against two yardsticks, with Holm's correction: the declared slices
on all days; every other one suspected on half of the days, be it by a search, and confirmed on the other half.

A slice that is hard for everyone is no fault of the model, so losses are compared and not judged by their size; a small
share of the overall loss is added to both, lest a slice that everybody gets right fail on a ratio of two crumbs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes.judged_rows import JudgedRows
from mltest.probes.slice_references import Reference, Yardstick
from mltest.probes.slicing import FEWEST_ROWS, Slicing, distinct
from mltest.stats.arrays import FloatArray
from mltest.stats.clusters import ENOUGH_CLUSTERS
from mltest.stats.slice_candidates import Slice, SliceCandidates
from mltest.stats.slice_search import suspected
from mltest.stats.slices import SliceReport, SliceResult, SliceStatus, compare_slices

LARGEST_RATIO = 1.2
"""Loss on a slice over that of a yardstick on the same rows, from which on a slice fails."""
SETTLED_SHARE = 0.5
"""Least share of the rows of every declared column that must lie in slices known to hold."""

_CRUMB = 0.05
_LEVEL = 0.975
_PLANTED = 1.5
_SAME_TROUBLE = 0.9
_NARROWER = 0.75


@dataclass(frozen=True, slots=True)
class JudgedSlice:
    """A slice against the yardstick on which it looks worst.

    `bias` is the mean of answer - truth, NaN for classes; `excess` the loss of all its rows beyond the yardstick's.
    """

    result: SliceResult
    yardstick: Yardstick
    bias: float
    share: float
    excess: float


@dataclass(frozen=True, eq=False)
class SliceQuality:
    """All slices, failed ones first, then from worst to best; `settled` by declared column.

    `open_declared` are declared slices that look worse than allowed and can neither be confirmed nor cleared, worst
    first. `searched` pairs of levels were looked at in the search for further slices.
    """

    slices: tuple[JudgedSlice, ...]
    settled: dict[str, float]
    limit: float
    unit: str
    planted_found: bool
    open_declared: tuple[JudgedSlice, ...] = ()
    searched: int = 0

    def with_status(self, status: SliceStatus) -> tuple[JudgedSlice, ...]:
        return tuple(one for one in self.slices if one.result.status is status)

    def count(self, status: str) -> int:
        """How many slices have the status of that name."""
        return len(self.with_status(SliceStatus(status)))

    @property
    def worst(self) -> JudgedSlice | None:
        """The worst confirmed slice, else the worst declared one that is open, else the worst of those that hold."""
        judged = self.with_status(SliceStatus.FAILED) or self.open_declared or self.with_status(SliceStatus.HOLDS)
        return judged[0] if judged else None


def judge(
    rows: JudgedRows,
    answers: FloatArray,
    slicing: Slicing,
    references: Sequence[Reference],
    *,
    limit: float = LARGEST_RATIO,
    seed: int,
) -> SliceQuality:
    """Compares the model's loss with every reference on every candidate slice.

    Raises Withheld with fewer than 30 blocks (days), and when the model's losses equal those of every yardstick.
    """
    if rows.n_blocks < ENOUGH_CLUSTERS:
        raise Withheld(
            f"the holdout has {rows.n_blocks} {rows.unit}, {ENOUGH_CLUSTERS} are needed to judge slices",
            ReasonCode.TOO_LITTLE_DATA,
        )
    losses = rows.outcome.losses(rows.truth, answers)
    crumb = _CRUMB * float(max(losses.mean(), min(reference.losses.mean() for reference in references)))
    candidates, searched = _with_suspects(losses, references, slicing, rows, crumb, limit, seed)
    foreseen = slicing.foreseen
    reports = {
        reference.yardstick: _compare(losses, reference, candidates, foreseen, rows, crumb, limit, seed)
        for reference in references
    }
    if all(report.reason for report in reports.values()):
        raise Withheld(f"slices cannot be judged: {next(iter(reports.values())).reason}", ReasonCode.CIRCULAR)
    beyond = {reference.yardstick: losses - reference.losses for reference in references}
    slices = _worst_of_each(reports, candidates, rows, answers, beyond)
    control = next(reference for reference in references if reports[reference.yardstick].reason is None)
    return SliceQuality(
        slices=_cause_first(slices, slicing.declared),
        settled=_settled(slices, slicing, len(losses)),
        limit=limit,
        unit=rows.unit,
        planted_found=_planted_is_found(losses, control, slicing, rows, crumb, limit, seed),
        open_declared=tuple(one for one in slices if _looks_worse(one.result, foreseen, limit)),
        searched=searched,
    )


def unsettled(quality: SliceQuality) -> str | None:
    """Why nothing may pass although no slice failed; None when enough is known."""
    if not quality.settled:
        return "no slice was declared: name the columns that matter as slices or groups of the roles"
    if not quality.planted_found:
        return f"a slice made {_PLANTED} times as bad as allowed was not found: hold out more {quality.unit}"
    if quality.open_declared:
        return _told_open(quality.open_declared, quality.limit)
    column = min(quality.settled, key=lambda name: quality.settled[name])
    settled = quality.settled[column]
    if settled >= SETTLED_SHARE:
        return None
    told = f"slices of {column} with {settled:.0%} of the rows are known to hold, {SETTLED_SHARE:.0%} are needed"
    open_ones = [one.result for one in quality.slices if _is_open(one.result, column)]
    if not open_ones:
        return told
    largest = max(open_ones, key=lambda result: result.n)
    needed = f"about {largest.n_needed} would decide" if largest.n_needed else "which lies at the limit"
    return f"{told}: {largest.name} has {largest.n} rows, {needed}"


def _looks_worse(result: SliceResult, foreseen: frozenset[str], limit: float) -> bool:
    return result.name in foreseen and result.status is SliceStatus.UNDECIDED and result.ratio > limit


def _told_open(open_ones: Sequence[JudgedSlice], limit: float) -> str:
    worst = open_ones[0].result
    more = f", and so do {len(open_ones) - 1} more declared slices" if len(open_ones) > 1 else ""
    needed = f"about {worst.n_needed} of its rows would decide" if worst.n_needed else "it lies at the limit"
    return (
        f"{worst.name} ({worst.n} rows) looks worse than allowed with {worst.ratio:.3g} [{worst.interval.low:.3g}, "
        f"{worst.interval.high:.3g}] times the loss of the {open_ones[0].yardstick}{more}, allowed is at most "
        f"{limit:.3g}: {needed}"
    )


def _is_open(result: SliceResult, column: str) -> bool:
    return result.columns == (column,) and result.status in (SliceStatus.UNDECIDED, SliceStatus.UNKNOWN)


def _with_suspects(
    losses: FloatArray,
    references: Sequence[Reference],
    slicing: Slicing,
    rows: JudgedRows,
    crumb: float,
    limit: float,
    seed: int,
) -> tuple[SliceCandidates, int]:
    """The candidates, those that a search on the discovery days adds to them, and how many it looked at."""
    known = slicing.candidates
    found = suspected(
        losses + crumb,
        [reference.losses + crumb for reference in references],
        rows.blocks,
        slicing.named,
        slicing.ranged,
        limit=limit,
        n_min=FEWEST_ROWS,
        seed=seed,
    )
    slices = distinct([*known.slices, *(one for suspects in found for one in suspects.slices)])
    return SliceCandidates(slices, len(losses), known.pairs_left_out), found[0].searched


def _compare(
    losses: FloatArray,
    reference: Reference,
    candidates: SliceCandidates,
    foreseen: frozenset[str],
    rows: JudgedRows,
    crumb: float,
    limit: float,
    seed: int,
) -> SliceReport:
    return compare_slices(
        losses + crumb,
        reference.losses + crumb,
        rows.blocks,
        candidates,
        limit=limit,
        level=_LEVEL,
        n_min=FEWEST_ROWS,
        foreseen=foreseen,
        seed=seed,
    )


def _worst_of_each(
    reports: dict[Yardstick, SliceReport],
    candidates: SliceCandidates,
    rows: JudgedRows,
    answers: FloatArray,
    beyond: Mapping[Yardstick, FloatArray],
) -> tuple[JudgedSlice, ...]:
    members = {one.name: one for one in candidates.slices}
    worst: dict[str, tuple[SliceResult, Yardstick]] = {}
    for yardstick, report in reports.items():
        for result in report.results:
            known = worst.get(result.name)
            if known is None or _rank(result) < _rank(known[0]):
                worst[result.name] = (result, yardstick)
    judged = [
        JudgedSlice(
            result,
            yardstick,
            _bias(rows, answers, members[name]),
            result.n / candidates.n_rows,
            float(beyond[yardstick][members[name].rows].sum()),
        )
        for name, (result, yardstick) in worst.items()
    ]
    return tuple(sorted(judged, key=lambda one: _rank(one.result)))


_ORDER = (SliceStatus.FAILED, SliceStatus.UNDECIDED, SliceStatus.UNKNOWN, SliceStatus.HOLDS)


def _rank(result: SliceResult) -> tuple[int, float, str]:
    known = result.interval.low if result.status is SliceStatus.FAILED else result.shrunken_ratio
    return _ORDER.index(result.status), -known if np.isfinite(known) else 0.0, result.name


def _cause_first(slices: tuple[JudgedSlice, ...], declared: Sequence[str]) -> tuple[JudgedSlice, ...]:
    """Failed slices with the one in front that names the trouble: the narrowest that holds nearly all excess loss.

    A pair inside a bad column has but a part of the column's excess; a column around a bad pair has no more than it.
    Ranges of inputs that happen to hold the rows of a bad column say less than its name: with every column that it
    has in addition, and every one that nobody declared, a slice must be narrower by a quarter.
    """
    failed = [one for one in slices if one.result.status is SliceStatus.FAILED]
    if not failed:
        return slices

    def breadth(one: JudgedSlice) -> float:
        columns = one.result.columns
        return one.result.n / _NARROWER ** (len(columns) - 1 + sum(name not in declared for name in columns))

    most = max(one.excess for one in failed)
    cause = min((one for one in failed if one.excess >= _SAME_TROUBLE * most), key=breadth)
    return (cause, *(one for one in slices if one is not cause))


def _bias(rows: JudgedRows, answers: FloatArray, one: Slice) -> float:
    if not rows.outcome.is_number:
        return float("nan")
    return float((answers[one.rows] - rows.truth[one.rows]).mean())


def _settled(slices: Sequence[JudgedSlice], slicing: Slicing, n_rows: int) -> dict[str, float]:
    settled = dict.fromkeys(slicing.declared, 0.0)
    for one in slices:
        column = one.result.columns[0]
        if len(one.result.columns) == 1 and column in settled and one.result.status is SliceStatus.HOLDS:
            settled[column] += one.result.n / n_rows
    return settled


def _planted_is_found(
    losses: FloatArray,
    reference: Reference,
    slicing: Slicing,
    rows: JudgedRows,
    crumb: float,
    limit: float,
    seed: int,
) -> bool:
    """Positive control: a slice made one and a half times as bad as allowed must be seen."""
    singles = [one for one in slicing.candidates.slices if len(one.columns) == 1]
    one = max(singles, key=lambda candidate: min(len(candidate.rows), len(losses) - len(candidate.rows)))
    model, base = float((losses[one.rows] + crumb).sum()), float((reference.losses[one.rows] + crumb).sum())
    planted = losses + crumb
    planted[one.rows] *= max(1.0, _PLANTED * limit * base / model)
    report = compare_slices(
        planted,
        reference.losses + crumb,
        rows.blocks,
        SliceCandidates((one,), len(losses)),
        limit=limit,
        level=_LEVEL,
        n_min=FEWEST_ROWS,
        seed=seed,
    )
    return bool(report.with_status(SliceStatus.FAILED))
