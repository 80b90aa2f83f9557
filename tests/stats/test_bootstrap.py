from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ttest_1samp

from mltest.stats import Estimate, cluster_bootstrap, paired_difference, relative_gain


def stormy_days(seed: int, days: int = 40, rows: int = 30) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    generator = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    return generator.normal(size=days)[day] + 0.5 * generator.normal(size=days * rows), day


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e3, 1e3), st.integers(2, 45))
def test_the_interval_of_a_constant_is_that_point(constant: float, days: int) -> None:
    estimate = cluster_bootstrap(np.full(days * 2, constant), np.repeat(np.arange(days), 2), draws=100, seed=1)
    assert estimate.value == pytest.approx(constant)
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((constant, constant), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(-50, 50), st.floats(0.01, 100), st.sampled_from([8, 40]))
def test_shifting_and_scaling_the_values_shifts_and_scales_the_interval(shift: float, scale: float, days: int) -> None:
    values, day = stormy_days(3, days)
    plain = cluster_bootstrap(values, day, draws=100, seed=5)
    moved = cluster_bootstrap(values * scale + shift, day, draws=100, seed=5)
    expected = (plain.interval.low * scale + shift, plain.interval.high * scale + shift)
    assert (moved.interval.low, moved.interval.high) == pytest.approx(expected, abs=1e-8)


def test_the_order_of_rows_and_the_names_of_days_do_not_matter() -> None:
    values, day = stormy_days(4)
    order = np.random.default_rng(0).permutation(len(values))
    named = np.array([f"2013-11-{number:03d}" for number in day], dtype=object)
    plain = cluster_bootstrap(values, day, seed=9)
    shuffled = cluster_bootstrap(values[order], named[order], seed=9)
    assert shuffled.value == pytest.approx(plain.value)
    assert shuffled.interval.low == pytest.approx(plain.interval.low)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values, day = stormy_days(4)
    first, again, other = (cluster_bootstrap(values, day, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.interval != other.interval


def test_dependent_rows_make_the_interval_wider_than_rows_alone_would() -> None:
    values, day = stormy_days(6)
    by_day = cluster_bootstrap(values, day, seed=1)
    by_row = cluster_bootstrap(values, np.arange(len(values)), seed=1)
    assert by_day.interval.width > 3 * by_row.interval.width


def test_few_clusters_get_the_t_interval_of_their_means_and_are_said_to_be_too_few() -> None:
    values, day = stormy_days(7, days=12)
    estimate = cluster_bootstrap(values, day, seed=1)
    expected = ttest_1samp(values.reshape(12, -1).mean(axis=1), 0.0).confidence_interval(0.95)
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((expected.low, expected.high))
    assert not estimate.enough
    assert estimate.clusters_needed == 30


@pytest.mark.parametrize("days", [10, 40])
def test_the_interval_covers_the_truth_as_often_as_it_says(days: int) -> None:
    runs = 300
    covered = sum(
        cluster_bootstrap(*stormy_days(seed, days, 5), draws=400, seed=seed).interval.contains(0.0)
        for seed in range(runs)
    )
    low, high = binom.interval(0.999, runs, 0.95)
    assert low <= covered <= high


def test_a_ratio_of_a_column_to_twice_itself_is_a_half_without_doubt() -> None:
    values, day = stormy_days(8)
    positive = np.abs(values) + 0.1
    estimate = cluster_bootstrap(positive, day, statistic="ratio", reference=2 * positive, seed=1)
    assert (estimate.value, estimate.interval.low, estimate.interval.high) == pytest.approx((0.5, 0.5, 0.5))


def test_the_relative_gain_is_the_share_of_loss_saved() -> None:
    noise, day = stormy_days(9)
    reference = np.abs(noise) + 1.0
    estimate = relative_gain(0.9 * reference + 0.001 * noise, reference, day, seed=1)
    assert estimate.value == pytest.approx(0.1, abs=0.002)
    assert estimate.interval.low < estimate.value < estimate.interval.high
    assert estimate.enough


def test_pairing_removes_the_difficulty_that_both_models_share() -> None:
    noise, day = stormy_days(10)
    reference = np.abs(noise) * 10
    small_edge = reference - 0.05 + 0.01 * np.random.default_rng(1).normal(size=len(noise))
    paired = paired_difference(small_edge, reference, day, seed=1)
    alone = cluster_bootstrap(reference, day, seed=1)
    assert paired.interval.high < 0.0
    assert paired.interval.width < alone.interval.width / 100


def test_a_comparison_with_itself_has_no_content() -> None:
    values, day = stormy_days(11)
    for estimate in (relative_gain(values, values, day, seed=1), paired_difference(values, values, day, seed=1)):
        assert not estimate.interval.known
        assert estimate.reason is not None
        assert "no content" in estimate.reason


@pytest.mark.parametrize(
    ("values", "days", "reason"),
    [
        ([], [], "empty"),
        ([1.0, math.nan, 2.0], [1, 1, 2], "1 of 3 rows"),
        ([1.0, math.inf], [1, 2], "1 of 2 rows"),
        ([1.0, 2.0], ["a", "a"], "one cluster"),
    ],
)
def test_what_cannot_be_estimated_says_why(values: list[float], days: list[object], reason: str) -> None:
    estimate: Estimate = cluster_bootstrap(values, days, seed=1)
    assert estimate.reason is not None
    assert reason in estimate.reason
    assert not estimate.interval.known
    assert not estimate.enough


def test_a_reference_that_sums_to_zero_gives_no_ratio() -> None:
    estimate = cluster_bootstrap([1.0, 2.0], [1, 2], statistic="ratio", reference=[0.0, 0.0], seed=1)
    assert math.isnan(estimate.value)
    assert estimate.reason == "the reference total is zero"


def test_a_reference_that_rests_on_one_day_gives_no_interval() -> None:
    estimate = cluster_bootstrap([1.0, 2.0], [1, 2], statistic="ratio", reference=[3.0, 0.0], seed=1)
    assert estimate.value == pytest.approx(1.0)
    assert estimate.reason == "the reference rests on a single cluster"
    assert not estimate.interval.known


def test_a_reference_that_can_vanish_in_a_resample_gives_no_interval() -> None:
    reference = np.array([1.0] + [0.0] * 39)
    estimate = cluster_bootstrap(np.ones(40), np.arange(40), statistic="ratio", reference=reference, seed=1)
    assert estimate.reason is not None
    assert not estimate.interval.known


@pytest.mark.parametrize(
    ("clusters", "options", "message"),
    [
        ([1], {}, "differ in length"),
        ([1, None], {}, "1 of 2 rows have no cluster"),
        ([1, "a"], {}, "mix types"),
        ([1, 2], {"draws": 10}, "at least 100"),
        ([1, 2], {"level": 95}, "between 0 and 1"),
        ([1, 2], {"statistic": "median"}, "unknown statistic 'median'"),
        ([1, 2], {"statistic": "ratio"}, "needs a reference"),
        ([1, 2], {"values": ["3", "4"]}, "give numbers"),
    ],
)
def test_wrong_use_is_refused_in_one_line(clusters: list[object], options: dict[str, object], message: str) -> None:
    values = options.pop("values", [1.0, 2.0])
    labels = np.array(clusters, dtype=object)
    with pytest.raises(ValueError, match=message):
        cluster_bootstrap(values, labels, **{"seed": 1, **options})  # type: ignore[arg-type]
