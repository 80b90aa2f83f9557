from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, ks_2samp

from mltest.stats import block_permutation_test, kolmogorov_smirnov, permutation_p_value


def gap_of_means(reference: npt.NDArray[np.float64], current: npt.NDArray[np.float64]) -> float:
    return float(abs(current.mean() - reference.mean()))


def ks(reference: npt.NDArray[np.float64], current: npt.NDArray[np.float64]) -> float:
    return kolmogorov_smirnov(reference, current).value


def days_of_weather(seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    generator = np.random.default_rng(seed)
    day = np.repeat(np.arange(28), 24)
    temperature = generator.normal(size=28)[day] * 3 + generator.normal(size=len(day))
    return temperature, (day % 2 == 0), day


@given(st.lists(st.floats(-10, 10), max_size=50), st.floats(-10, 10))
def test_the_p_value_is_one_plus_the_count_and_never_zero(null: list[float], observed: float) -> None:
    larger = sum(value >= observed for value in null)
    assert permutation_p_value(observed, null) == (1 + larger) / (1 + len(null))


def test_no_statistic_no_p_value() -> None:
    assert math.isnan(permutation_p_value(math.nan, [1.0]))
    assert math.isnan(permutation_p_value(1.0, [1.0, math.nan]))


def test_days_without_drift_are_not_called_drift_although_a_row_test_would() -> None:
    runs, by_row, by_day = 60, 0, 0
    for seed in range(runs):
        values, current, day = days_of_weather(seed)
        by_row += ks_2samp(values[~current], values[current]).pvalue <= 0.05
        result = block_permutation_test(values, current, day, statistic=ks, permutations=99, seed=seed)
        by_day += result.p_value <= 0.05
    assert by_day <= binom.ppf(0.999, runs, 0.05)
    assert by_row >= 0.3 * runs


def test_a_planted_shift_is_found() -> None:
    values, current, day = days_of_weather(1)
    result = block_permutation_test(values + 8 * current, current, day, statistic=gap_of_means, seed=1)
    assert result.p_value == pytest.approx(0.001)
    assert result.n_blocks == 28


def test_four_days_cannot_show_more_than_their_number_of_divisions() -> None:
    values = np.array([0.0, 0.0, 9.0, 9.0])
    result = block_permutation_test(values, values > 1, [1, 2, 3, 4], statistic=gap_of_means, seed=1)
    assert result.p_value >= 1 / 6


def test_a_sample_without_a_day_gives_no_p_value() -> None:
    result = block_permutation_test([1.0, 2.0], [False, False], [1, 2], statistic=gap_of_means, seed=1)
    assert result.reason == "one of the two samples is empty"
    assert math.isnan(result.p_value)


def test_a_statistic_that_is_not_a_number_gives_a_reason() -> None:
    result = block_permutation_test([1.0, math.nan], [False, True], [1, 2], statistic=gap_of_means, seed=1)
    assert result.reason == "the statistic is not a number"


def test_a_day_in_both_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="rows in both samples"):
        block_permutation_test([1.0, 2.0, 3.0], [False, True, True], [1, 1, 2], statistic=gap_of_means, seed=1)
