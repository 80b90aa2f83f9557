from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from mltest.stats import clopper_pearson, wilson
from mltest.stats.intervals import unknown_interval

counts = st.integers(1, 200).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(counts, levels)
def test_clopper_pearson_agrees_with_an_independent_implementation(count: tuple[int, int], level: float) -> None:
    ours = clopper_pearson(*count, level)
    theirs = binomtest(*count).proportion_ci(level, method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts, levels)
def test_wilson_agrees_with_an_independent_implementation(count: tuple[int, int], level: float) -> None:
    ours = wilson(*count, level)
    theirs = binomtest(*count).proportion_ci(level, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts)
def test_both_intervals_hold_the_observed_share_and_mirror_when_failures_are_counted(count: tuple[int, int]) -> None:
    successes, trials = count
    for method in (clopper_pearson, wilson):
        interval, mirrored = method(successes, trials), method(trials - successes, trials)
        assert interval.low - 1e-12 <= successes / trials <= interval.high + 1e-12
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.97])
def test_clopper_pearson_covers_at_least_its_level_whatever_the_truth(share: float) -> None:
    trials = 40
    covered = sum(
        binom.pmf(k, trials, share) for k in range(trials + 1) if clopper_pearson(k, trials, 0.9).contains(share)
    )
    assert covered >= 0.9


def test_no_trials_leave_everything_possible() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert (clopper_pearson(0, 0).low, clopper_pearson(0, 0).high) == (0.0, 1.0)


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="4 successes in 3 trials"):
        wilson(4, 3)


def test_a_level_in_per_cent_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        clopper_pearson(1, 2, 95)


def test_an_unknown_interval_contains_nothing() -> None:
    interval = unknown_interval(0.95)
    assert not interval.known
    assert not interval.contains(0.0)
