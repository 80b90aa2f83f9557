from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, false_discovery_control

from mltest.stats import benjamini_hochberg, holm

families = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(families)
def test_holm_rejects_exactly_what_its_step_down_procedure_rejects(p_values: list[float]) -> None:
    adjusted, alpha = holm(p_values), 0.05
    rejected: set[int] = set()
    for step, index in enumerate(sorted(range(len(p_values)), key=lambda number: p_values[number])):
        if p_values[index] * (len(p_values) - step) > alpha:
            break
        rejected.add(index)
    assert set(np.flatnonzero(adjusted <= alpha)) == rejected


@given(families)
def test_benjamini_hochberg_agrees_with_an_independent_implementation(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values))


@given(families)
def test_adjusting_keeps_the_order_never_lowers_and_stays_a_probability(p_values: list[float]) -> None:
    given_values = np.array(p_values)
    for adjusted in (holm(p_values), benjamini_hochberg(p_values)):
        assert (adjusted >= given_values - 1e-12).all()
        assert (adjusted <= 1.0).all()
        assert (np.diff(adjusted[np.argsort(given_values, kind="stable")]) >= -1e-12).all()
    assert (holm(p_values) >= benjamini_hochberg(p_values) - 1e-12).all()


@given(families)
def test_the_order_of_the_family_does_not_matter(p_values: list[float]) -> None:
    order = np.random.default_rng(len(p_values)).permutation(len(p_values))
    assert holm(np.array(p_values)[order]) == pytest.approx(holm(p_values)[order])


def test_a_test_that_was_not_made_stays_unknown_and_does_not_count() -> None:
    adjusted = holm([0.01, np.nan, 0.04])
    assert np.isnan(adjusted[1])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04])


def test_an_empty_family_has_no_adjusted_values() -> None:
    assert holm([]).shape == (0,)


def test_something_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="range 0 to 1"):
        holm([0.2, 1.2])


def test_holm_keeps_the_chance_of_any_false_rejection() -> None:
    generator, runs = np.random.default_rng(3), 2000
    alarms = sum((holm(generator.random(50)) <= 0.05).any() for _ in range(runs))
    assert alarms <= binom.ppf(0.999, runs, 0.05)
    assert alarms > 0
