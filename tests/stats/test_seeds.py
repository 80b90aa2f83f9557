from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, ttest_1samp

from mltest.stats import estimate_over_seeds


def trainings(seed: int, seeds: int = 5, days: int = 40) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    generator = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 4)
    by_seed, by_day = 0.5 * generator.normal(size=(seeds, 1)), generator.normal(size=days)[day]
    return by_seed + by_day + 0.3 * generator.normal(size=(seeds, len(day))), day


def test_the_interval_carries_both_seeds_and_days_and_covers_the_truth() -> None:
    runs, covered, days_only = 300, 0, 0
    for seed in range(runs):
        table, day = trainings(seed)
        covered += estimate_over_seeds(table, day).interval.contains(0.0)
        means = table.mean(axis=0).reshape(-1, 4).mean(axis=1)
        interval = ttest_1samp(means, 0.0).confidence_interval(0.95)
        days_only += interval.low <= 0.0 <= interval.high
    low, _ = binom.interval(0.999, runs, 0.95)
    assert covered >= low
    assert days_only < low


def test_seeds_that_agree_leave_the_error_of_the_days() -> None:
    row = np.random.default_rng(1).normal(size=40)
    estimate = estimate_over_seeds(np.tile(row, (5, 1)), np.arange(40))
    expected = ttest_1samp(row, 0.0).confidence_interval(0.95)
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((expected.low, expected.high))


def test_a_constant_difference_is_a_point() -> None:
    estimate = estimate_over_seeds(np.full((3, 6), 0.25), [1, 1, 2, 2, 3, 3])
    assert (estimate.value, estimate.interval.low, estimate.interval.high) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize(
    ("table", "days", "reason"),
    [
        (np.ones((1, 2)), [1, 2], "1 seeds"),
        (np.ones((2, 2)), [1, 1], "1 clusters"),
        (np.ones((2, 0)), [], "0 clusters"),
        (np.full((2, 2), math.nan), [1, 2], "4 of 4"),
    ],
)
def test_what_cannot_be_estimated_says_why(table: npt.NDArray[np.float64], days: list[int], reason: str) -> None:
    estimate = estimate_over_seeds(table, days)
    assert estimate.reason is not None
    assert reason in estimate.reason
    assert not estimate.interval.known


def test_a_table_that_does_not_fit_its_days_is_refused() -> None:
    with pytest.raises(ValueError, match="one row per seed"):
        estimate_over_seeds(np.ones((2, 3)), [1, 2])
