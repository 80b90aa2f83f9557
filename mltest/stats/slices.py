"""Is the model good enough on every slice? Loss relative to a reference on the same rows, with Holm over slices.

An absolute loss would flag slices that are hard for everyone. A slice that nobody foresaw fails only when it was
suspected on one half of the days and confirmed on the other half, so that the worst of many is not taken at its face
value; those that were named beforehand are tested on all days, all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import BoolArray, FloatArray, as_floats, require_same_length, require_share, why_not_finite
from mltest.stats.clusters import Clusters, cluster, ratio_error
from mltest.stats.comparison import needed
from mltest.stats.intervals import Interval, unknown_interval
from mltest.stats.multiplicity import holm
from mltest.stats.shrinkage import shrink
from mltest.stats.slice_candidates import Slice, SliceCandidates

_SUSPICION = 0.2


class SliceStatus(StrEnum):
    """`unknown`: too few rows or days to say anything; `undecided`: judged, and the interval straddles the limit."""

    FAILED = "failed"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class SliceResult:
    """One slice. `ratio` is mean loss over mean reference loss, `shrunken_ratio` the same for ranking only.

    For suspected slices ratio, interval and `p_adjusted` (one-sided, ratio above the limit, Holm) come from the
    confirmation days; for foreseen ones above the limit all three, for the others ratio and interval come from all
    days; else `p_adjusted` is NaN. `n` and `n_clusters` count all rows and days of the slice; `n_needed` such rows
    would decide, None if no number would.
    """

    name: str
    columns: tuple[str, ...]
    n: int
    n_clusters: int
    ratio: float
    interval: Interval
    p_adjusted: float
    status: SliceStatus
    shrunken_ratio: float
    n_needed: int | None = None


@dataclass(frozen=True, slots=True)
class SliceReport:
    """All slices, failed ones first, then by shrunken ratio; with a `reason` nothing was judged."""

    results: tuple[SliceResult, ...]
    n_rows: int
    n_clusters: int
    overall_ratio: float
    limit: float
    reason: str | None = None

    def with_status(self, status: SliceStatus) -> tuple[SliceResult, ...]:
        """The slices that have `status`, worst first."""
        return tuple(result for result in self.results if result.status is status)


@dataclass(frozen=True, slots=True)
class _LogRatio:
    """Natural logarithm of a ratio of two losses over some days; the logarithm is closer to normal than the ratio."""

    value: float
    error: float
    n_rows: int
    n_clusters: int

    def p_value_above(self, limit: float) -> float:
        from scipy.special import stdtr

        if not self.error > 0.0:
            return 0.0 if self.value > math.log(limit) else 1.0
        return float(stdtr(self.n_clusters - 1, (math.log(limit) - self.value) / self.error))

    def interval(self, tail: float) -> Interval:
        from scipy.special import stdtrit

        reach = float(stdtrit(self.n_clusters - 1, 1.0 - tail)) * self.error
        return Interval(_exp(self.value - reach), _exp(self.value + reach), 1.0 - 2.0 * tail)


@dataclass(frozen=True, slots=True)
class _Days:
    """What the judgement of one slice rests on: all days, those to suspect on, those to confirm on."""

    everywhere: _LogRatio
    discovery: _LogRatio
    confirmation: _LogRatio

    def known(self, n_min: int, clusters_min: int) -> bool:
        halves = (self.discovery, self.confirmation)
        return self.everywhere.n_rows >= n_min and all(
            half.n_rows * 4 >= n_min and half.n_clusters >= clusters_min and math.isfinite(half.error)
            for half in halves
        )


def compare_slices(
    loss: npt.ArrayLike,
    reference_loss: npt.ArrayLike,
    clusters: npt.ArrayLike,
    candidates: SliceCandidates,
    *,
    limit: float = 1.2,
    level: float = 0.95,
    n_min: int = 50,
    clusters_min: int = 5,
    foreseen: Collection[str] = (),
    seed: int,
) -> SliceReport:
    """Judge every candidate slice by the ratio of mean `loss` to mean `reference_loss` on its rows.

    Losses and clusters (days) have shape (n,), losses are not negative. Days are halved at random (`seed`): a slice
    whose ratio exceeds `limit` on the discovery half (one-sided p below 0.2) is tested on the confirmation half at
    (1 - level) / 2 with Holm over the suspected ones, and fails when rejected there, which is when the lower end of
    its interval lies above the limit: intervals are at the level of their Holm step. Slices of the names `foreseen`
    were not chosen for their looks: they are tested on all days, with Holm over all of them, and share the level
    half and half with the suspected ones. Errors are those of the jackknife over days, t-distributed. Slices below
    `n_min` rows, or with fewer than `clusters_min` days in either half, are unknown.

    Losses that are not finite, or that equal each other on every row, give a `reason`. ValueError for lengths that
    differ and negative losses.
    """
    first, second = as_floats("loss", loss), as_floats("reference_loss", reference_loss)
    grouping = cluster(clusters)
    require_same_length(loss=first, reference_loss=second, clusters=grouping.codes)
    _require_sane(first, second, candidates, limit)
    require_share("level", level)
    reason = why_not_finite("loss", first) or why_not_finite("reference_loss", second)
    if reason is None and np.array_equal(first, second):
        reason = "both losses are equal on every row: the comparison has no content"
    if reason:
        return SliceReport((), len(first), grouping.count, math.nan, limit, reason)
    discovery = discovery_half(grouping.count, seed)
    days = [_days(candidate, first, second, grouping, discovery) for candidate in candidates.slices]
    known = {number: day for number, day in enumerate(days) if day.known(n_min, clusters_min)}
    named = {number for number in known if candidates.slices[number].name in foreseen}
    judged = _judge(known, named, limit, (1.0 - level) / 2.0)
    shrunken = shrink([day.everywhere.value for day in days], [day.everywhere.error for day in days])
    results = [
        _result(candidate, day, judged.get(number), _exp(float(shrunken[number])), limit, n_min)
        for number, (candidate, day) in enumerate(zip(candidates.slices, days, strict=True))
    ]
    overall, _ = ratio_error(grouping.sums(first), grouping.sums(second))
    return SliceReport(tuple(sorted(results, key=_worst_first)), len(first), grouping.count, overall, limit)


def discovery_half(count: int, seed: int) -> BoolArray:
    """Which of `count` clusters suspicion may rest on, shape (count,); the others are for confirmation."""
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[np.random.default_rng(seed).permutation(count)[: count // 2]] = True
    return chosen


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is said of a slice: from which days, with which adjusted p-value (NaN: not suspected), at which tail."""

    speaking: _LogRatio
    p_adjusted: float
    tail: float


def _judge(days: dict[int, _Days], foreseen: set[int], limit: float, alpha: float) -> dict[int, _Judged]:
    """By slice number: the foreseen ones on all days, the others where the discovery days made them suspect."""
    judged = {number: _Judged(day.everywhere, math.nan, alpha) for number, day in days.items()}
    shared = alpha / 2.0 if foreseen else alpha
    named = sorted(foreseen)
    above = {number for number in named if days[number].everywhere.value > math.log(limit)}
    suspected = [
        number
        for number, day in days.items()
        if number not in foreseen and day.discovery.p_value_above(limit) < _SUSPICION
    ]
    for numbers, speaking in (
        (named, [days[number].everywhere for number in named]),
        (suspected, [days[number].confirmation for number in suspected]),
    ):
        for number, days_used, (p_adjusted, tail) in zip(
            numbers, speaking, _confirm(speaking, limit, shared), strict=True
        ):
            if number not in foreseen or number in above:
                judged[number] = _Judged(days_used, p_adjusted, tail)
    return judged


def _confirm(tested: list[_LogRatio], limit: float, alpha: float) -> list[tuple[float, float]]:
    """Holm-adjusted p-value of each slice, and the tail probability at which Holm's procedure tested it."""
    p_values = np.array([one.p_value_above(limit) for one in tested], dtype=np.float64)
    adjusted = holm(p_values)
    rejected = int(np.count_nonzero(adjusted <= alpha))
    ranks = np.empty(len(tested), dtype=np.intp)
    ranks[np.argsort(p_values, kind="stable")] = np.arange(len(tested))
    return [
        (float(p_value), alpha / (len(tested) - min(int(rank), rejected)))
        for p_value, rank in zip(adjusted, ranks, strict=True)
    ]


def _result(
    candidate: Slice, days: _Days, judged: _Judged | None, shrunken: float, limit: float, n_min: int
) -> SliceResult:
    n, n_clusters = days.everywhere.n_rows, days.everywhere.n_clusters
    if judged is None:
        ratio, interval, p_adjusted, status = _exp(days.everywhere.value), unknown_interval(0.95), math.nan, None
    else:
        p_adjusted = judged.p_adjusted
        ratio, interval = _exp(judged.speaking.value), judged.speaking.interval(judged.tail)
        status = _status(interval, limit, suspected=not math.isnan(p_adjusted))
    n_needed = None
    if status is None:
        n_needed = n_min if n < n_min else None
    elif status is SliceStatus.UNDECIDED:
        n_needed = needed(n, ratio, interval, limit)
    told = status or SliceStatus.UNKNOWN
    return SliceResult(
        candidate.name, candidate.columns, n, n_clusters, ratio, interval, p_adjusted, told, shrunken, n_needed
    )


def _status(interval: Interval, limit: float, *, suspected: bool) -> SliceStatus:
    if interval.high <= limit:
        return SliceStatus.HOLDS
    return SliceStatus.FAILED if suspected and interval.low > limit else SliceStatus.UNDECIDED


def _days(candidate: Slice, loss: FloatArray, reference: FloatArray, grouping: Clusters, discovery: BoolArray) -> _Days:
    members = Clusters(grouping.codes[candidate.rows], grouping.count)
    totals = (members.sums(loss[candidate.rows]), members.sums(reference[candidate.rows]), members.sizes())
    everywhere = np.ones_like(discovery)
    return _Days(*(_log_ratio(*totals, chosen) for chosen in (everywhere, discovery, ~discovery)))


def _log_ratio(loss: FloatArray, reference: FloatArray, sizes: FloatArray, chosen: BoolArray) -> _LogRatio:
    # A day without a row of the slice is no observation of it.
    used = chosen & (sizes > 0.0)
    ratio, error = ratio_error(loss[used], reference[used])
    n_rows, n_clusters = int(sizes[used].sum()), int(np.count_nonzero(used))
    if not ratio > 0.0:
        return _LogRatio(math.nan, math.nan, n_rows, n_clusters)
    return _LogRatio(math.log(ratio), error / ratio, n_rows, n_clusters)


def _worst_first(result: SliceResult) -> tuple[bool, bool, float]:
    unranked = math.isnan(result.shrunken_ratio)
    return result.status is not SliceStatus.FAILED, unranked, 0.0 if unranked else -result.shrunken_ratio


def _exp(value: float) -> float:
    # Beyond this the ratio is infinite for every purpose.
    return math.inf if value > 700.0 else math.exp(value)


def _require_sane(loss: FloatArray, reference: FloatArray, candidates: SliceCandidates, limit: float) -> None:
    if candidates.n_rows != len(loss):
        raise ValueError(f"candidates speak of {candidates.n_rows} rows, the losses of {len(loss)}: give the same rows")
    if (loss < 0.0).any() or (reference < 0.0).any():
        raise ValueError("losses are negative: give losses of at least 0, of which less is better")
    if not (limit > 0.0 and math.isfinite(limit)):
        raise ValueError(f"limit is {limit}: give a ratio above 0")
