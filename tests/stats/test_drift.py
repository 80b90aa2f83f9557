from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import binom, chi2_contingency, ks_2samp
from scipy.stats.contingency import association

from mltest.stats import (
    BinnedPair,
    Drift,
    bin_numbers,
    cramers_v,
    jensen_shannon,
    kolmogorov_smirnov,
    missing_rate,
    population_stability,
    stability_rows_needed,
    wasserstein,
)

tables = st.integers(2, 8).flatmap(
    lambda size: st.tuples(*(st.lists(st.integers(1, 500), min_size=size, max_size=size) for _ in range(2)))
)
ON_COUNTS = [population_stability, jensen_shannon, cramers_v]
ON_VALUES = [kolmogorov_smirnov, wasserstein]


def pair_of(reference: list[int], current: list[int]) -> BinnedPair:
    return BinnedPair(tuple(f"bin {number}" for number in range(len(reference))), tuple(reference), tuple(current))


@given(tables)
def test_distances_of_counts_are_symmetric_and_ignore_the_order_of_bins(table: tuple[list[int], list[int]]) -> None:
    reference, current = table
    for distance in ON_COUNTS:
        there = distance(pair_of(reference, current)).value
        assert distance(pair_of(current, reference)).value == pytest.approx(there)
        assert distance(pair_of(reference[::-1], current[::-1])).value == pytest.approx(there)
        assert there >= 0.0


@given(tables)
def test_bounded_distances_agree_with_independent_implementations(table: tuple[list[int], list[int]]) -> None:
    pair = pair_of(*table)
    assert jensen_shannon(pair).value == pytest.approx(jensenshannon(*table, base=2), abs=1e-6)
    assert cramers_v(pair).value == pytest.approx(association(np.array(table), "cramer", correction=False), abs=1e-9)


@given(st.lists(st.integers(1, 500), min_size=2, max_size=8))
def test_equal_shares_are_at_no_distance(counts: list[int]) -> None:
    for distance in ON_COUNTS:
        assert distance(pair_of(counts, counts)).value == pytest.approx(0.0, abs=1e-7)


@settings(deadline=None)
@given(st.floats(-5, 5), st.floats(0.1, 10), st.integers(0, 50))
def test_distances_of_values_ignore_a_common_shift_and_scale(shift: float, scale: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    reference, current = generator.normal(size=60), generator.normal(size=40) + 0.5
    for distance in ON_VALUES:
        plain = distance(reference, current).value
        assert distance(reference * scale + shift, current * scale + shift).value == pytest.approx(plain, abs=1e-6)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40), st.lists(st.integers(0, 9), min_size=2, max_size=40))
def test_ks_agrees_with_an_independent_implementation(reference: list[int], current: list[int]) -> None:
    drift = kolmogorov_smirnov([*reference, 11], [*current, 12])
    theirs = ks_2samp([*reference, 11], [*current, 12], method="asymp")
    assert drift.value == pytest.approx(theirs.statistic)


def test_the_ks_bound_is_the_well_known_one() -> None:
    drift = kolmogorov_smirnov(np.arange(400.0), np.arange(100.0))
    assert drift.noise_bound == pytest.approx(1.36 * math.sqrt(1 / 400 + 1 / 100), rel=2e-3)


@pytest.mark.parametrize("n", [200, 1000])
def test_without_drift_psi_averages_its_formula_and_rarely_exceeds_its_bound(n: int) -> None:
    generator, runs = np.random.default_rng(n), 400
    found = [population_stability(bin_numbers(generator.normal(size=n), generator.normal(size=n))) for _ in range(runs)]
    values = np.array([drift.value for drift in found])
    expected = 9 * (2 / n)
    # The index is about chi-square(9) (2 / n): its mean over the runs has this standard error.
    assert values.mean() == pytest.approx(expected, abs=4 * math.sqrt(18) * (2 / n) / math.sqrt(runs))
    assert sum(drift.above_noise for drift in found) <= binom.ppf(0.999, runs, 0.05)


@pytest.mark.parametrize(("shift", "index"), [(0.1, 0.010), (0.2, 0.038), (0.3, 0.086), (0.5, 0.238), (1.0, 0.93)])
def test_psi_of_a_shifted_normal_is_the_published_one(shift: float, index: float) -> None:
    generator = np.random.default_rng(1)
    reference, current = generator.normal(size=200_000), generator.normal(size=200_000) + shift
    assert population_stability(bin_numbers(reference, current)).value == pytest.approx(index, rel=0.08)


@pytest.mark.parametrize("distance", [jensen_shannon, cramers_v])
def test_the_other_noise_bounds_hold_their_level(distance: Callable[[BinnedPair], Drift]) -> None:
    generator, runs = np.random.default_rng(4), 400
    shares = np.full(10, 0.1)
    alarms = 0
    for _ in range(runs):
        counts = [generator.multinomial(500, shares).tolist() for _ in range(2)]
        alarms += distance(pair_of(*counts)).above_noise
    low, high = binom.interval(0.999, runs, 0.05)
    assert low <= alarms <= high


def test_the_bound_of_cramers_v_is_where_chi_square_rejects() -> None:
    table = [[60, 40], [45, 55]]
    drift = cramers_v(pair_of(*table))
    assert drift.above_noise == (chi2_contingency(table, correction=False).pvalue < 0.05)


def test_rows_needed_push_the_noise_below_the_limit() -> None:
    n = stability_rows_needed(10, 0.2)
    bound = population_stability(pair_of([n // 10] * 10, [n // 10] * 10)).noise_bound
    assert n == 170
    with pytest.raises(ValueError, match="at least 2 bins"):
        stability_rows_needed(1, 0.2)
    assert bound == pytest.approx(0.2, rel=0.01)


def test_an_empty_bin_makes_psi_large_but_finite() -> None:
    drift = population_stability(pair_of([500, 500], [1000, 0]))
    assert drift.value > 1.0
    assert math.isfinite(drift.value)


def test_a_column_that_goes_missing_is_seen_by_psi_and_by_its_missing_rate() -> None:
    reference = np.random.default_rng(2).normal(size=1000)
    current = np.where(np.arange(1000) < 950, np.nan, reference)
    assert population_stability(bin_numbers(reference, current)).value > 1.0
    drift = missing_rate(reference, current)
    assert drift.value == pytest.approx(0.95)
    assert drift.above_noise


def test_wasserstein_in_standard_deviations_is_the_shift() -> None:
    reference = np.random.default_rng(3).normal(size=500) * 7
    drift = wasserstein(reference, reference + 0.4 * reference.std())
    assert drift.value == pytest.approx(0.4)


def test_ks_still_sees_a_constant_that_moved() -> None:
    assert kolmogorov_smirnov([10.0] * 5, [20.0] * 5).value == 1.0


@pytest.mark.parametrize(
    ("drift", "reason"),
    [
        (population_stability(pair_of([1, 2], [0, 0])), "current sample is empty"),
        (jensen_shannon(pair_of([0, 0], [1, 2])), "reference is empty"),
        (cramers_v(bin_numbers([10.0] * 5, [10.0] * 5)), "no distribution to compare"),
        (population_stability(BinnedPair((), (), ())), "reference is empty"),
        (kolmogorov_smirnov([], [1.0]), "reference has no values"),
        (kolmogorov_smirnov([1.0], [math.nan]), "current sample has no values"),
        (kolmogorov_smirnov([10.0] * 5, [10.0] * 5), "same constant"),
        (wasserstein([10.0] * 5, [20.0] * 5), "reference is constant"),
        (wasserstein([1.0, 2.0], [math.inf, 1.0]), "infinite"),
        (missing_rate([], [1.0]), "reference is empty"),
    ],
)
def test_what_has_no_distance_says_why_and_is_never_zero(drift: Drift, reason: str) -> None:
    assert math.isnan(drift.value)
    assert drift.reason is not None
    assert reason in drift.reason
    assert not drift.above_noise
