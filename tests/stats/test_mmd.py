from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.stats import binom

from mltest.stats import mean_discrepancy

Matrix = npt.NDArray[np.float64]


def samples(seed: int, rows: int = 60, columns: int = 3) -> tuple[Matrix, Matrix]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, columns)), generator.normal(size=(rows, columns))


def test_the_value_is_the_unbiased_estimate_written_out() -> None:
    first, second = samples(1)
    scaled_first, scaled_second = ((rows - first.mean(axis=0)) / first.std(axis=0) for rows in (first, second))
    width = np.median(pdist(scaled_first))

    def kernel(a: Matrix, b: Matrix) -> Matrix:
        return np.asarray(np.exp(-cdist(a, b, "sqeuclidean") / (2 * width**2)))

    n = len(first)
    within = [(kernel(rows, rows).sum() - n) / (n * (n - 1)) for rows in (scaled_first, scaled_second)]
    expected = sum(within) - 2 * kernel(scaled_first, scaled_second).mean()
    result = mean_discrepancy(first, second, permutations=99, seed=1)
    assert result.value == pytest.approx(expected)
    assert result.bandwidth == pytest.approx(width)


def test_equal_distributions_are_rarely_told_apart() -> None:
    runs = 100
    alarms = sum(mean_discrepancy(*samples(seed), permutations=99, seed=seed).p_value <= 0.05 for seed in range(runs))
    assert alarms <= binom.ppf(0.999, runs, 0.05)


def test_a_correlation_that_flips_is_seen_although_no_column_changed() -> None:
    generator = np.random.default_rng(5)
    reference = generator.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=150)
    current = generator.multivariate_normal([0, 0], [[1, -0.8], [-0.8, 1]], size=150)
    assert mean_discrepancy(reference, current, seed=1).p_value <= 0.01


def test_the_bandwidth_ignores_the_current_sample() -> None:
    reference, current = samples(2)
    far = mean_discrepancy(reference, current + 100, permutations=99, seed=1)
    assert far.bandwidth == mean_discrepancy(reference, current, permutations=99, seed=1).bandwidth
    assert far.p_value == pytest.approx(0.01)


def test_units_of_the_columns_do_not_matter() -> None:
    reference, current = samples(3)
    units = np.array([1.0, 1e3, 1e-3])
    plain = mean_discrepancy(reference, current, permutations=99, seed=1)
    assert mean_discrepancy(reference * units, current * units, permutations=99, seed=1).value == pytest.approx(
        plain.value
    )


def test_whole_days_that_differ_by_chance_are_not_called_drift() -> None:
    runs, by_row, by_day = 40, 0, 0
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        weather = np.repeat(generator.normal(size=(16, 2)), 8, axis=0) + 0.3 * generator.normal(size=(128, 2))
        day = np.repeat(np.arange(16), 8)
        options = {"permutations": 99, "seed": seed}
        by_row += mean_discrepancy(weather[:64], weather[64:], **options).p_value <= 0.05
        by_day += (
            mean_discrepancy(
                weather[:64], weather[64:], reference_blocks=day[:64], current_blocks=day[64:], **options
            ).p_value
            <= 0.05
        )
    assert by_day <= binom.ppf(0.999, runs, 0.05)
    assert by_row >= runs / 2


def test_large_samples_are_thinned_to_the_stated_number_of_rows() -> None:
    reference, current = samples(4, rows=300)
    result = mean_discrepancy(reference, current, permutations=99, max_rows=50, seed=1)
    assert (result.n_reference, result.n_current) == (50, 50)


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        (np.ones((1, 2)), np.ones((5, 2)), "reference has 1 rows"),
        (np.eye(4), np.full((3, 4), math.nan), "3 of 3 rows of the current sample"),
        (np.ones((5, 2)), np.eye(2), "no bandwidth"),
        (np.ones((5, 0)), np.ones((5, 0)), "no columns"),
    ],
)
def test_what_cannot_be_compared_says_why(reference: Matrix, current: Matrix, reason: str) -> None:
    result = mean_discrepancy(reference, current, seed=1)
    assert result.reason is not None
    assert reason in result.reason
    assert math.isnan(result.p_value)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="same columns"):
        mean_discrepancy(np.ones((3, 2)), np.ones((3, 1)), seed=1)
    with pytest.raises(ValueError, match="rows by columns"):
        mean_discrepancy(np.ones(3), np.ones(3), seed=1)
    with pytest.raises(ValueError, match="for both or for neither"):
        mean_discrepancy(np.ones((3, 2)), np.ones((3, 2)), reference_blocks=[1, 2, 3], seed=1)
    with pytest.raises(ValueError, match="one label per row"):
        mean_discrepancy(np.eye(3), np.eye(3), reference_blocks=[1, 2], current_blocks=[1, 2, 3], seed=1)
