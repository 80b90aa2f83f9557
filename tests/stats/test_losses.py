from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.stats import absolute_error, binary_log_loss, multiclass_log_loss, pinball_loss, squared_error

outcomes = st.lists(st.floats(-100, 100), min_size=1, max_size=30)


@given(outcomes, st.floats(-100, 100))
def test_the_median_pinball_loss_is_half_the_absolute_error(actual: list[float], prediction: float) -> None:
    predicted = [prediction] * len(actual)
    assert 2 * pinball_loss(actual, predicted, 0.5) == pytest.approx(absolute_error(actual, predicted))


@given(outcomes, st.sampled_from([0.1, 0.5, 0.9]), st.floats(-100, 100))
def test_no_constant_beats_the_true_quantile(actual: list[float], quantile: float, other: float) -> None:
    best = np.quantile(actual, quantile, method="inverted_cdf")
    here = pinball_loss(actual, [best] * len(actual), quantile).mean()
    assert here <= pinball_loss(actual, [other] * len(actual), quantile).mean() + 1e-9


def test_squared_and_absolute_errors_are_per_row() -> None:
    assert squared_error([1.0, 2.0], [4.0, 2.0]).tolist() == [9.0, 0.0]
    assert absolute_error([1.0, 2.0], [4.0, 2.0]).tolist() == [3.0, 0.0]


def test_a_missing_prediction_is_a_missing_loss() -> None:
    assert np.isnan(absolute_error([1.0, 2.0], [math.nan, 2.0])).tolist() == [True, False]
    assert np.isnan(binary_log_loss([1, math.nan], [math.nan, 0.5]).values).all()


def test_log_loss_is_the_logarithm_of_what_was_given_to_the_truth() -> None:
    losses = binary_log_loss([1, 0], [0.25, 0.25])
    assert losses.values == pytest.approx([-math.log(0.25), -math.log(0.75)])
    assert losses.reason is None


def test_certainty_that_was_wrong_is_clipped_and_counted() -> None:
    losses = binary_log_loss([1, 0, 1], [0.0, 1.0, 1.0])
    assert np.isfinite(losses.values).all()
    assert losses.clipped == 2
    assert losses.reason is not None
    assert "2 of 3 rows" in losses.reason


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.99)), min_size=1, max_size=20))
def test_two_classes_cost_the_same_as_one_probability(rows: list[tuple[bool, float]]) -> None:
    happened = np.array([int(truth) for truth, _ in rows])
    chance = np.array([chance for _, chance in rows])
    many = multiclass_log_loss(happened, np.column_stack([1 - chance, chance]))
    assert many.values == pytest.approx(binary_log_loss(happened, chance).values)


def test_a_class_number_counts_from_zero() -> None:
    assert multiclass_log_loss([2], [[0.2, 0.3, 0.5]]).values == pytest.approx([-math.log(0.5)])


def test_a_class_that_got_no_chance_is_clipped() -> None:
    assert multiclass_log_loss([0, 1], [[0.0, 1.0], [0.5, 0.5]]).clipped == 1


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="range 0 to 1"):
        binary_log_loss([1], [1.5])
    with pytest.raises(ValueError, match="other than 0 and 1"):
        binary_log_loss([2], [0.5])
    with pytest.raises(ValueError, match="sum to one"):
        multiclass_log_loss([0], [[0.9, 0.9]])
    with pytest.raises(ValueError, match="class numbers from 0 to 1"):
        multiclass_log_loss([2], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="give 2 rows"):
        multiclass_log_loss([0, 1], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="quantile is 50"):
        pinball_loss([1.0], [1.0], 50)
    with pytest.raises(ValueError, match="actual 2, predicted 1"):
        absolute_error([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="predicted holds values that are no numbers"):
        absolute_error([1.0], np.array([{}], dtype=object))
