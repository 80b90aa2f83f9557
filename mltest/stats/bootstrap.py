"""The cluster bootstrap: whole days are resampled, because rows of one day share weather, aircraft and luck.

By row instead of by day the interval of an error is several times too narrow and makes ties look significant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray, as_floats, require_same_length, require_share, why_not_finite
from mltest.stats.clusters import ENOUGH_CLUSTERS, cluster, ratio_error
from mltest.stats.intervals import Interval, unknown_interval

Statistic = Literal["mean", "ratio"]

_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its interval, and what the interval rests on.

    `reason` says why nothing may be concluded (then the interval is unknown, and the value NaN unless it is
    defined); `enough` is False below `clusters_needed` clusters, where the interval is computed but too few
    independent units speak.
    """

    value: float
    interval: Interval
    n_rows: int
    n_clusters: int
    standard_error: float
    clusters_needed: int = ENOUGH_CLUSTERS
    reason: str | None = None

    @property
    def enough(self) -> bool:
        """Whether enough independent clusters speak and the statistic could be computed."""
        return self.reason is None and self.n_clusters >= self.clusters_needed


def cluster_bootstrap(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    statistic: Statistic = "mean",
    reference: npt.ArrayLike | None = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int,
) -> Estimate:
    """Mean of `values`, or ratio of the total of `values` to that of `reference`, with an interval by cluster.

    All arrays hold one entry per row, shape (n,). From `ENOUGH_CLUSTERS` (30) clusters on, the interval is the
    percentile bootstrap over clusters, its tails widened for the number of clusters (the "expanded percentile" of
    Hesterberg 2015), since the plain one is too narrow by sqrt((D-1)/D) and by the step from t to normal.
    Below 30 clusters it is estimate -+ t(D-1) * cluster-robust error: a bootstrap cannot invent days that were not
    seen, and the wild bootstrap of a mean over few clusters tests but gives no better interval; `enough` is False.

    NaN, infinite or no rows, a single cluster, and a reference total that reaches zero give `reason` and no
    interval. ValueError for lengths that differ, a row without cluster, or an unknown statistic.
    """
    numerators = as_floats("values", values)
    denominators = _denominators(numerators, statistic, reference)
    grouping = cluster(clusters)
    require_same_length(values=numerators, reference=denominators, clusters=grouping.codes)
    _require_draws(draws)
    require_share("level", level)
    reason = why_not_finite("values", numerators) or why_not_finite("reference", denominators)
    if reason:
        return unknown_estimate(reason, len(numerators), grouping.count, level)
    return _estimate(grouping.sums(numerators), grouping.sums(denominators), len(numerators), draws, level, seed)


def paired_difference(
    loss: npt.ArrayLike,
    reference_loss: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int,
) -> Estimate:
    """Mean of loss - reference loss on the same rows, in the unit of the loss; below zero the first is better.

    Losses that are equal on every row are a comparison with itself: `reason` says so. Otherwise as
    `cluster_bootstrap`.
    """
    first, second = as_floats("loss", loss), as_floats("reference_loss", reference_loss)
    require_same_length(loss=first, reference_loss=second)
    reason = _why_no_content(first, second)
    if reason:
        return unknown_estimate(reason, len(first), cluster(clusters).count, level)
    return cluster_bootstrap(first - second, clusters, draws=draws, level=level, seed=seed)


def relative_gain(
    loss_model: npt.ArrayLike,
    loss_reference: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int,
) -> Estimate:
    """Share of the reference's loss that the model saves, 1 - total(model) / total(reference); 0.05 is 5 % better.

    Rows are paired and clusters resampled together. Losses that are equal on every row are a comparison with
    itself: `reason` says so. Otherwise as `cluster_bootstrap`.
    """
    model, reference = as_floats("loss_model", loss_model), as_floats("loss_reference", loss_reference)
    require_same_length(loss_model=model, loss_reference=reference)
    reason = _why_no_content(model, reference)
    if reason:
        return unknown_estimate(reason, len(model), cluster(clusters).count, level)
    ratio = cluster_bootstrap(
        model, clusters, statistic="ratio", reference=reference, draws=draws, level=level, seed=seed
    )
    gain = Interval(1.0 - ratio.interval.high, 1.0 - ratio.interval.low, level)
    return Estimate(1.0 - ratio.value, gain, ratio.n_rows, ratio.n_clusters, ratio.standard_error, reason=ratio.reason)


def unknown_estimate(reason: str, n_rows: int, n_clusters: int, level: float, value: float = math.nan) -> Estimate:
    """The estimate of something that could not be estimated: `reason` says why."""
    return Estimate(value, unknown_interval(level), n_rows, n_clusters, math.nan, reason=reason)


def t_interval(value: float, standard_error: float, n_clusters: int, level: float) -> Interval:
    """value -+ t(D-1) * standard error, D clusters; unknown below two clusters."""
    from scipy.special import stdtrit

    if n_clusters < 2:
        return unknown_interval(level)
    reach = float(stdtrit(n_clusters - 1, 0.5 + level / 2.0)) * standard_error
    return Interval(value - reach, value + reach, level)


def _estimate(
    numerators: FloatArray, denominators: FloatArray, n_rows: int, draws: int, level: float, seed: int
) -> Estimate:
    n_clusters = len(numerators)
    value, error = ratio_error(numerators, denominators)
    if math.isnan(value):
        return unknown_estimate("the reference total is zero", n_rows, n_clusters, level)
    if n_clusters < 2:
        return unknown_estimate("all rows belong to one cluster", n_rows, n_clusters, level, value)
    if n_clusters < ENOUGH_CLUSTERS and math.isnan(error):
        return unknown_estimate("the reference rests on a single cluster", n_rows, n_clusters, level, value)
    if n_clusters < ENOUGH_CLUSTERS:
        return Estimate(value, t_interval(value, error, n_clusters, level), n_rows, n_clusters, error)
    # A reference total of zero in a resample shows as a ratio that is not finite, judged just below.
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates = np.concatenate(list(_replicates(numerators, denominators, draws, seed)))
    if not np.isfinite(replicates).all():
        return unknown_estimate("the reference total reaches zero in resamples", n_rows, n_clusters, level, value)
    tail = _expanded_tail(n_clusters, level)
    low, high = (float(end) for end in np.quantile(replicates, (tail, 1.0 - tail)))
    # Rounding in the sums must not push a constant's interval off its own value.
    interval = Interval(min(low, value), max(high, value), level)
    return Estimate(value, interval, n_rows, n_clusters, float(replicates.std(ddof=1)))


def _replicates(numerators: FloatArray, denominators: FloatArray, draws: int, seed: int) -> Iterator[FloatArray]:
    generator, count = np.random.default_rng(seed), len(numerators)
    at_once = max(1, _CELLS_AT_ONCE // count)
    for start in range(0, draws, at_once):
        times_drawn = generator.multinomial(count, np.full(count, 1.0 / count), size=min(at_once, draws - start))
        yield np.asarray((times_drawn @ numerators) / (times_drawn @ denominators), dtype=np.float64)


def _expanded_tail(n_clusters: int, level: float) -> float:
    from scipy.special import ndtr, stdtrit

    quantile = float(stdtrit(n_clusters - 1, 0.5 + level / 2.0)) * math.sqrt(n_clusters / (n_clusters - 1))
    return float(ndtr(-quantile))


def _denominators(numerators: FloatArray, statistic: Statistic, reference: npt.ArrayLike | None) -> FloatArray:
    if statistic == "mean" and reference is None:
        return np.ones_like(numerators)
    if statistic == "ratio" and reference is not None:
        return as_floats("reference", reference)
    if statistic not in ("mean", "ratio"):
        raise ValueError(f"unknown statistic {statistic!r}: give 'mean' or 'ratio'")
    raise ValueError("a ratio needs a reference and a mean takes none: give statistic='ratio' with reference=")


def _require_draws(draws: int) -> None:
    if draws < 100:
        raise ValueError(f"{draws} draws leave the tails of the interval empty: give at least 100")


def _why_no_content(first: FloatArray, second: FloatArray) -> str | None:
    if first.size and np.array_equal(first, second):
        return "both losses are equal on every row: the comparison has no content"
    return None
