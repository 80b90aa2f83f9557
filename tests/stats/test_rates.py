from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mltest.stats import event_rate, kill_ratio, lower_bound, trials_for_none, upper_bound


@pytest.mark.parametrize(("rate", "trials"), [(0.05, 59), (0.01, 299), (0.001, 2995)])
def test_clean_runs_that_prove_a_small_rate_are_the_published_numbers(rate: float, trials: int) -> None:
    assert trials_for_none(rate) == trials
    assert upper_bound(0, trials) <= rate < upper_bound(0, trials - 1)


@pytest.mark.parametrize(
    ("caught", "trials", "power"), [(30, 30, 0.905), (50, 50, 0.942), (20, 20, 0.861), (10, 10, 0.741), (45, 50, 0.801)]
)
def test_caught_trials_prove_the_published_power(caught: int, trials: int, power: float) -> None:
    assert lower_bound(caught, trials) == pytest.approx(power, abs=5e-4)


def test_three_alarms_in_sixty_runs_bound_the_rate_only_at_an_eighth() -> None:
    assert upper_bound(3, 60) == pytest.approx(0.124, abs=5e-4)


@given(st.integers(1, 80), st.data())
def test_one_sided_bounds_agree_with_an_independent_implementation(trials: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, trials))
    theirs = binomtest(events, trials, alternative="less").proportion_ci(0.95)
    assert upper_bound(events, trials) == pytest.approx(theirs.high, abs=1e-9)
    assert lower_bound(trials - events, trials) == pytest.approx(1 - theirs.high, abs=1e-9)


def test_a_rate_without_trials_is_unknown_and_says_so() -> None:
    rate = event_rate(0, 0)
    assert math.isnan(rate.value)
    assert rate.reason == "there was no trial"
    assert (rate.interval.low, rate.interval.high) == (0.0, 1.0)


def test_equivalent_mutants_leave_the_denominator() -> None:
    ratio = kill_ratio(18, 25, equivalent=5)
    assert ratio.value == pytest.approx(0.9)
    assert ratio.trials == 20
    assert ratio.interval.low == pytest.approx(binomtest(18, 20).proportion_ci(method="wilson").low)


def test_mutants_that_are_all_equivalent_prove_nothing() -> None:
    assert kill_ratio(0, 5, equivalent=5).reason == "there was no mutant that could be killed"


def test_counts_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        kill_ratio(6, 10, equivalent=5)
    with pytest.raises(ValueError, match="-1 equivalent"):
        kill_ratio(1, 3, equivalent=-1)
    with pytest.raises(ValueError, match=r"level is 0\.3"):
        upper_bound(0, 10, level=0.3)


def test_a_rate_carries_its_exact_interval() -> None:
    rate = event_rate(3, 60)
    theirs = binomtest(3, 60).proportion_ci(method="exact")
    assert rate.value == pytest.approx(0.05)
    assert (rate.interval.low, rate.interval.high) == pytest.approx((theirs.low, theirs.high))
