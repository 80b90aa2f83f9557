from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, norm

from mltest.stats import brier_reliability, expected_calibration_error, interval_coverage, wilson

Floats = npt.NDArray[np.float64]


def dependent_days(seed: int, days: int = 61, rows: int = 40) -> tuple[Floats, npt.NDArray[np.intp]]:
    generator = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    return math.sqrt(0.5) * (generator.normal(size=days)[day] + generator.normal(size=days * rows)), day


def perfect_scores(seed: int, n: int) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    scores = generator.uniform(size=n)
    return scores, (generator.uniform(size=n) < scores).astype(np.float64)


def test_the_coverage_interval_holds_the_truth_about_as_often_as_it_says_although_days_depend() -> None:
    half_width = float(norm.ppf(0.9))
    runs, by_day, by_row = 200, 0, 0
    for seed in range(runs):
        actual, day = dependent_days(seed)
        ends = np.full(len(actual), half_width)
        estimate = interval_coverage(actual, -ends, ends, day)
        by_day += estimate.interval.contains(0.8)
        by_row += wilson(estimate.value * len(actual), len(actual)).contains(0.8)
    low, _ = binom.interval(0.999, runs, 0.95)
    assert by_day >= low
    assert by_row < low


def test_independent_rows_give_about_wilsons_interval() -> None:
    actual = np.random.default_rng(1).normal(size=2000)
    estimate = interval_coverage(actual, np.full(2000, -1.0), np.full(2000, 1.0), np.arange(2000))
    expected = wilson(round(estimate.value * 2000), 2000)
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((expected.low, expected.high), abs=1e-3)


def test_full_coverage_of_forty_days_counts_as_forty_rows() -> None:
    estimate = interval_coverage(np.zeros(400), np.full(400, -1.0), np.full(400, 1.0), np.repeat(np.arange(40), 10))
    assert estimate.value == 1.0
    assert estimate.interval == wilson(40, 40)


def test_intervals_may_be_open_but_must_not_cross_or_be_missing() -> None:
    open_ended = interval_coverage([0.0, 1.0], [-math.inf] * 2, [math.inf] * 2, [1, 2])
    assert open_ended.value == 1.0
    crossed = interval_coverage([0.0, 1.0], [1.0, math.nan], [0.0, 2.0], [1, 2])
    assert crossed.reason == "2 of 2 intervals cross or are missing"
    assert interval_coverage([], [], [], []).reason == "actual is empty"
    assert interval_coverage([0.0], [0.0], [0.0], [1]).reason == "all rows belong to one cluster"


@pytest.mark.parametrize(("n", "mean", "bound"), [(500, 0.046, 0.066), (1000, 0.032, 0.046), (10_000, 0.011, 0.015)])
def test_a_perfect_model_shows_the_published_calibration_error(n: int, mean: float, bound: float) -> None:
    result = expected_calibration_error(*perfect_scores(2, n), draws=499, seed=1)
    assert result.value - result.debiased == pytest.approx(mean, rel=0.15)
    assert result.noise_bound == pytest.approx(bound, rel=0.15)


def test_a_perfect_model_is_rarely_called_miscalibrated() -> None:
    runs = 150
    for measure in (expected_calibration_error, brier_reliability):
        alarms = sum(measure(*perfect_scores(seed, 400), draws=99, seed=seed).p_value <= 0.05 for seed in range(runs))
        assert alarms <= binom.ppf(0.999, runs, 0.05)


def test_overconfident_scores_are_noticed() -> None:
    scores, outcomes = perfect_scores(3, 2000)
    extreme = np.clip(0.5 + 1.5 * (scores - 0.5), 0, 1)
    for measure in (expected_calibration_error, brier_reliability):
        result = measure(extreme, outcomes, seed=1)
        assert result.p_value == pytest.approx(0.001)
        assert result.value > result.noise_bound


def test_a_constant_offset_is_the_calibration_error_itself() -> None:
    outcomes = np.tile([0.0, 1.0], 500)
    assert expected_calibration_error(np.full(1000, 0.7), outcomes, n_bins=1, seed=1).value == pytest.approx(0.2)
    assert brier_reliability(np.full(1000, 0.7), outcomes, n_bins=1, seed=1).value == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("scores", "outcomes", "reason"),
    [
        ([], [], "scores is empty"),
        ([math.nan] * 30, [0.0] * 30, "30 of 30"),
        ([0.5] * 5, [0.0] * 5, "at least 20 rows are needed"),
    ],
)
def test_what_cannot_be_judged_says_why(scores: list[float], outcomes: list[float], reason: str) -> None:
    result = expected_calibration_error(scores, outcomes, seed=1)
    assert result.reason is not None
    assert reason in result.reason
    assert math.isnan(result.value)


def test_scores_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="scores in 0 to 1"):
        brier_reliability([1.2] * 30, [1.0] * 30, seed=1)
    with pytest.raises(ValueError, match="n_bins is 0"):
        brier_reliability([0.2] * 30, [1.0] * 30, n_bins=0, seed=1)
