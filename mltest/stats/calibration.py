"""Do stated probabilities hold? Coverage of intervals by cluster, and calibration of scores against its own noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import BoolArray, FloatArray, as_floats, require_same_length, require_share, why_not_finite
from mltest.stats.bootstrap import Estimate, unknown_estimate
from mltest.stats.clusters import cluster, ratio_error
from mltest.stats.intervals import wilson
from mltest.stats.permutation import permutation_p_value


def interval_coverage(
    actual: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> Estimate:
    """Share of rows with low <= actual <= high, all of shape (n,); hold it against the nominal coverage.

    Wilson's interval at the effective sample size share (1 - share) / error^2, the error being cluster-robust: rows
    of one day miss together. Where no error can be seen (all inside or all outside) every cluster counts as one row.
    Ends that cross, or anything not finite except infinite ends, give a `reason`.
    """
    truth, lower, upper = as_floats("actual", actual), as_floats("low", low), as_floats("high", high)
    grouping = cluster(clusters)
    require_same_length(actual=truth, low=lower, high=upper, clusters=grouping.codes)
    require_share("level", level)
    reason = why_not_finite("actual", truth)
    if reason is None and not (lower <= upper).all():
        reason = f"{int(np.count_nonzero(~(lower <= upper)))} of {len(truth)} intervals cross or are missing"
    if reason is None and grouping.count < 2:
        reason = "all rows belong to one cluster"
    if reason:
        return unknown_estimate(reason, len(truth), grouping.count, level)
    inside = ((lower <= truth) & (truth <= upper)).astype(np.float64)
    share, error = ratio_error(grouping.sums(inside), grouping.sizes())
    rows = min(len(truth), share * (1.0 - share) / error**2) if error > 0.0 else float(grouping.count)
    interval = wilson(share * rows, rows, level)
    return Estimate(share, interval, len(truth), grouping.count, error)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration error with what a perfectly calibrated model of these scores would show.

    `debiased` is the value less the mean under perfect calibration (below zero: better than luck); `noise_bound` the
    95 % point there; `p_value` the chance there of a value at least as large. With a `reason` all are NaN.
    """

    value: float
    debiased: float
    noise_bound: float
    p_value: float
    n: int
    reason: str | None = None


def expected_calibration_error(
    scores: npt.ArrayLike, outcomes: npt.ArrayLike, *, n_bins: int = 10, draws: int = 999, seed: int
) -> Calibration:
    """Mean gap between score and frequency over `n_bins` bins of equal mass, in probability.

    `scores` in 0 to 1 and `outcomes` 0 or 1, shape (n,). The null redraws outcomes from the scores: with 500 rows a
    perfect model shows about 0.05, so a fixed limit would fail it.
    """
    return _calibration(scores, outcomes, _absolute_gap, n_bins, draws, seed)


def brier_reliability(
    scores: npt.ArrayLike, outcomes: npt.ArrayLike, *, n_bins: int = 10, draws: int = 999, seed: int
) -> Calibration:
    """Reliability term of the Brier score (Murphy 1973): mean squared gap over bins of equal mass; else as above."""
    return _calibration(scores, outcomes, np.square, n_bins, draws, seed)


def _absolute_gap(gaps: FloatArray) -> FloatArray:
    return np.abs(gaps)


def _calibration(
    scores: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    penalty: Callable[[FloatArray], FloatArray],
    n_bins: int,
    draws: int,
    seed: int,
) -> Calibration:
    chances, happened = as_floats("scores", scores), as_floats("outcomes", outcomes)
    require_same_length(scores=chances, outcomes=happened)
    reason = _why_not(chances, happened, n_bins)
    if reason:
        return Calibration(np.nan, np.nan, np.nan, np.nan, len(chances), reason)
    order = np.argsort(chances, kind="stable")
    chances, happened = chances[order], happened[order]
    starts = np.arange(n_bins) * len(chances) // n_bins
    generator = np.random.default_rng(seed)
    value = _binned(happened, chances, starts, penalty)
    null = np.array(
        [_binned(_redrawn(generator, chances), chances, starts, penalty) for _ in range(draws)], dtype=np.float64
    )
    bound = float(np.quantile(null, 0.95))
    return Calibration(value, value - float(null.mean()), bound, permutation_p_value(value, null), len(chances))


def _redrawn(generator: np.random.Generator, chances: FloatArray) -> BoolArray:
    return np.asarray(generator.random(len(chances)) < chances, dtype=np.bool_)


def _binned(
    happened: npt.NDArray[np.bool_] | FloatArray,
    chances: FloatArray,
    starts: npt.NDArray[np.int_],
    penalty: Callable[[FloatArray], FloatArray],
) -> float:
    sizes = np.diff(np.append(starts, len(chances)))
    gaps = np.add.reduceat(chances - happened, starts) / sizes
    return float((penalty(gaps) * sizes).sum() / len(chances))


def _why_not(scores: FloatArray, outcomes: FloatArray, n_bins: int) -> str | None:
    if n_bins < 1:
        raise ValueError(f"n_bins is {n_bins}: give at least 1")
    reason = why_not_finite("scores", scores) or why_not_finite("outcomes", outcomes)
    if reason:
        return reason
    if not np.isin(outcomes, (0.0, 1.0)).all() or (scores < 0.0).any() or (scores > 1.0).any():
        raise ValueError("scores or outcomes leave their range: give scores in 0 to 1 and outcomes 0 or 1")
    if len(scores) < n_bins * 2:
        return f"{len(scores)} rows in {n_bins} bins: at least {n_bins * 2} rows are needed"
    return None
