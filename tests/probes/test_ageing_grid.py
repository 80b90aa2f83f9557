"""The grid of a backtest: no row from the future, windows of one length, and the policy's own age among the ages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.probes import ageing_grid


@settings(deadline=None)
@given(span=st.floats(40, 3000), share=st.floats(0.001, 3.0), begin=st.floats(0, 20_000))
def test_no_training_or_judgement_leaves_the_rows(span: float, share: float, begin: float) -> None:
    grid = ageing_grid.plan(begin, begin + span, share * span)
    assert min(grid.ends) - grid.window >= begin - 1e-6
    assert max(grid.places) + grid.judged <= begin + span + 1e-6
    assert set(grid.places) <= set(grid.ends)
    assert grid.judged <= share * span + 1e-9


@settings(deadline=None)
@given(span=st.floats(40, 3000), share=st.floats(0.005, 0.25))
def test_the_age_of_the_policy_is_among_the_ages_whenever_the_rows_reach_back_far_enough(
    span: float, share: float
) -> None:
    every = share * span
    ages = ageing_grid.plan(0.0, span, every).ages()
    assert any(abs(age - every) < 1e-4 for age in ages), (every, ages)


@settings(deadline=None)
@given(span=st.floats(40, 3000), share=st.floats(0.001, 3.0))
def test_there_are_at_least_four_ages_of_three_origins_and_at_most_sixteen_trainings(span: float, share: float) -> None:
    grid = ageing_grid.plan(0.0, span, share * span)
    assert len(grid.ages()) >= ageing_grid.FEWEST_AGES
    assert min(grid.ages().values()) >= ageing_grid.FEWEST_ORIGINS
    assert len(grid.ends) <= 2 * ageing_grid.PLACES


def test_a_policy_of_days_gets_a_second_model_at_every_place() -> None:
    grid = ageing_grid.plan(0.0, 365.0, 2.0)
    assert len(grid.places) == ageing_grid.PAIRED_PLACES
    assert len(grid.ends) == 2 * ageing_grid.PAIRED_PLACES
    assert min(grid.ages()) == pytest.approx(2.0)
