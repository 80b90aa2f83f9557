"""Distances between a reference and a current sample: effects to hold against a limit, with their noise floor.

None of them is a verdict. The noise bounds hold for independent rows; days of real data are not, so take the null
from whole days (`permutation`) or from past comparisons before calling anything drift. Every function names the
reference first. What cannot be computed is NaN with a `reason`, never a silent zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray, as_column, as_floats, is_missing
from mltest.stats.binning import BinnedPair

_NO_SPREAD = "both samples are one and the same constant: there is no distribution to compare"


@dataclass(frozen=True, slots=True)
class Drift:
    """One distance. `noise_bound` is the 95 % point without drift for independent rows; None if there is no formula.

    `n_reference` and `n_current` count the rows that took part. With a `reason` nothing may be concluded.
    """

    statistic: str
    value: float
    n_reference: int
    n_current: int
    noise_bound: float | None = None
    reason: str | None = None

    @property
    def above_noise(self) -> bool:
        """Whether the distance exceeds what independent rows show without drift; False when that is unknown."""
        return self.reason is None and self.noise_bound is not None and self.value > self.noise_bound


def population_stability(pair: BinnedPair) -> Drift:
    """Population stability index: sum of (q - p) ln(q / p) over bins, half a row added to each bin.

    Without drift it averages about (B-1)(1/n + 1/m) and 95 % of it lies below chi2(B-1, 0.95)(1/n + 1/m)
    (Yurdakul 2018), B bins: the customary 0.1 and 0.25 are no tests.
    """
    reason = _why_no_bins(pair)
    if reason:
        return _undefined("psi", pair, reason)
    reference, current = _smoothed(pair.reference), _smoothed(pair.current)
    value = float(((current - reference) * np.log(current / reference)).sum())
    bound = _chi_square_bound(len(pair.labels)) * (1.0 / pair.n_reference + 1.0 / pair.n_current)
    return Drift("psi", value, pair.n_reference, pair.n_current, bound)


def stability_rows_needed(n_bins: int, limit: float) -> int:
    """Rows in each sample from which noise alone keeps the index below `limit` in 95 % of comparisons."""
    if n_bins < 2 or not limit > 0.0:
        raise ValueError(f"{n_bins} bins and limit {limit}: give at least 2 bins and a limit above 0")
    return math.ceil(2.0 * _chi_square_bound(n_bins) / limit)


def jensen_shannon(pair: BinnedPair) -> Drift:
    """Jensen-Shannon distance in base 2: the root of the divergence, 0 (equal) to 1 (nothing in common).

    The divergence without drift is about chi2(B-1) (1/n + 1/m) / (8 ln 2), whence the noise bound.
    """
    reason = _why_no_bins(pair)
    if reason:
        return _undefined("jensen_shannon", pair, reason)
    reference = np.array(pair.reference) / pair.n_reference
    current = np.array(pair.current) / pair.n_current
    middle = (reference + current) / 2.0
    divergence = (_information(reference, middle) + _information(current, middle)) / 2.0
    sizes = 1.0 / pair.n_reference + 1.0 / pair.n_current
    bound = min(1.0, math.sqrt(_chi_square_bound(len(pair.labels)) * sizes / (8.0 * math.log(2.0))))
    return Drift("jensen_shannon", math.sqrt(max(0.0, divergence)), pair.n_reference, pair.n_current, bound)


def cramers_v(pair: BinnedPair) -> Drift:
    """Cramer's V between sample and bin: root of chi2 / rows, 0 (same shares) to 1 (told apart by the bin)."""
    reason = _why_no_bins(pair)
    if reason:
        return _undefined("cramers_v", pair, reason)
    observed = np.array([pair.reference, pair.current], dtype=np.float64)
    total = observed.sum()
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0, keepdims=True) / total
    value = math.sqrt(float((np.square(observed - expected) / expected).sum()) / total)
    bound = min(1.0, math.sqrt(_chi_square_bound(len(pair.labels)) / total))
    return Drift("cramers_v", min(1.0, value), pair.n_reference, pair.n_current, bound)


def kolmogorov_smirnov(reference: npt.ArrayLike, current: npt.ArrayLike) -> Drift:
    """Largest gap between the two distribution functions, 0 to 1; missing values are left out (see `missing_rate`).

    Noise bound 1.36 sqrt(1/n + 1/m), exactly sqrt(-ln(0.025) / 2) times that root.
    """
    first, second = _values("reference", reference), _values("current", current)
    reason = _why_no_values(first, second)
    if reason:
        return Drift("ks", math.nan, first.size, second.size, reason=reason)
    everything = np.concatenate([first, second])
    below_first = np.searchsorted(np.sort(first), everything, side="right") / first.size
    below_second = np.searchsorted(np.sort(second), everything, side="right") / second.size
    bound = math.sqrt(-math.log(0.025) / 2.0 * (1.0 / first.size + 1.0 / second.size))
    return Drift("ks", float(np.abs(below_first - below_second).max()), first.size, second.size, min(1.0, bound))


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike) -> Drift:
    """Wasserstein-1 distance in standard deviations of the reference: a pure shift by d SD gives d.

    Missing values are left out. Infinities and a constant reference give a `reason`. The noise depends on the
    shape of the distribution, so there is no bound by formula.
    """
    from scipy.stats import wasserstein_distance

    first, second = _values("reference", reference), _values("current", current)
    reason = _why_no_values(first, second)
    if reason is None and not (np.isfinite(first).all() and np.isfinite(second).all()):
        reason = "a sample holds infinite values"
    if reason is None and first.min() == first.max():
        reason = "the reference is constant: its standard deviation is no yardstick"
    if reason:
        return Drift("wasserstein_sd", math.nan, first.size, second.size, reason=reason)
    value = float(wasserstein_distance(first, second)) / float(first.std())
    return Drift("wasserstein_sd", value, first.size, second.size)


def missing_rate(reference: npt.ArrayLike, current: npt.ArrayLike) -> Drift:
    """Share of missing values in the current sample minus that in the reference, -1 to 1.

    The noise bound is the one-sided 95 % point of the difference of two shares with the pooled rate.
    """
    first, second = is_missing(as_column("reference", reference)), is_missing(as_column("current", current))
    if first.size == 0 or second.size == 0:
        empty = "reference" if first.size == 0 else "current sample"
        return Drift("missing_rate", math.nan, first.size, second.size, reason=f"the {empty} is empty")
    pooled = (np.count_nonzero(first) + np.count_nonzero(second)) / (first.size + second.size)
    bound = 1.645 * math.sqrt(pooled * (1.0 - pooled) * (1.0 / first.size + 1.0 / second.size))
    return Drift("missing_rate", float(second.mean() - first.mean()), first.size, second.size, bound)


def _undefined(statistic: str, pair: BinnedPair, reason: str) -> Drift:
    return Drift(statistic, math.nan, pair.n_reference, pair.n_current, reason=reason)


def _why_no_bins(pair: BinnedPair) -> str | None:
    if pair.n_reference == 0 or pair.n_current == 0:
        return f"the {'reference' if pair.n_reference == 0 else 'current sample'} is empty"
    if len(pair.labels) < 2:
        return f"all rows of both samples are {pair.labels[0]}: there is no distribution to compare"
    return None


def _why_no_values(reference: FloatArray, current: FloatArray) -> str | None:
    if reference.size == 0 or current.size == 0:
        return f"the {'reference' if reference.size == 0 else 'current sample'} has no values"
    if reference.min() == reference.max() == current.min() == current.max():
        return _NO_SPREAD
    return None


def _values(name: str, values: npt.ArrayLike) -> FloatArray:
    column = as_floats(name, values)
    return column[~np.isnan(column)]


def _smoothed(counts: tuple[int, ...]) -> FloatArray:
    raised = np.array(counts, dtype=np.float64) + 0.5
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def _information(shares: FloatArray, reference: FloatArray) -> float:
    filled = shares > 0.0
    return float((shares[filled] * np.log2(shares[filled] / reference[filled])).sum())


def _chi_square_bound(n_bins: int) -> float:
    from scipy.special import chdtri

    return float(chdtri(n_bins - 1, 0.05))
