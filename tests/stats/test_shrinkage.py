from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.stats import shrink

pairs = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 2)), min_size=2, max_size=30)


@given(pairs)
def test_every_value_moves_towards_the_middle_and_none_leaves_the_range(rows: list[tuple[float, float]]) -> None:
    values, errors = (np.array(column) for column in zip(*rows, strict=True))
    shrunken = shrink(values, errors)
    assert shrunken.min() >= values.min() - 1e-9
    assert shrunken.max() <= values.max() + 1e-9


@given(pairs, st.floats(-10, 10))
def test_shifting_the_values_shifts_the_result(rows: list[tuple[float, float]], shift: float) -> None:
    values, errors = (np.array(column) for column in zip(*rows, strict=True))
    assert shrink(values + shift, errors) == pytest.approx(shrink(values, errors) + shift, abs=1e-6)


def test_the_noisier_of_two_equal_values_is_drawn_further() -> None:
    shrunken = shrink([1.0, 1.0, -1.0, -1.0], [0.1, 0.9, 0.1, 0.9])
    assert shrunken[1] < shrunken[0] < 1.0


def test_pure_noise_collapses_to_its_mean_and_the_winner_loses_its_curse() -> None:
    generator = np.random.default_rng(1)
    noise = generator.normal(size=50) * 0.3
    assert np.abs(shrink(noise, np.full(50, 0.3))).max() < np.abs(noise).max() / 2


def test_shrinking_brings_estimates_closer_to_the_truth() -> None:
    generator = np.random.default_rng(2)
    truth, errors = generator.normal(size=200) * 0.2, generator.uniform(0.05, 0.6, size=200)
    observed = truth + errors * generator.normal(size=200)
    assert np.square(shrink(observed, errors) - truth).mean() < np.square(observed - truth).mean() / 2


def test_a_value_without_a_known_error_stays_unknown() -> None:
    shrunken = shrink([1.0, 2.0, np.nan], [0.0, 0.5, 0.5])
    assert np.isnan(shrunken).tolist() == [True, False, True]
    assert np.isnan(shrink([np.nan], [1.0])).all()
