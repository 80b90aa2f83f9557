from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.stats import Decision, Interval, equivalence, needed, non_inferiority, superiority, within_limit
from mltest.stats.bootstrap import t_interval
from mltest.stats.intervals import unknown_interval

HOLDS, FAILS, UNDECIDED = Decision.HOLDS, Decision.FAILS, Decision.UNDECIDED
ends = st.tuples(st.floats(-100, 100), st.floats(-100, 100)).map(lambda pair: Interval(min(pair), max(pair), 0.95))
margins = st.floats(0, 50)


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [(0.02, 0.05, HOLDS), (-0.004, 0.008, FAILS), (-0.5, -0.1, FAILS), (0.0, 0.05, UNDECIDED)],
)
def test_superiority_holds_above_the_margin_and_a_tight_tie_fails(low: float, high: float, decision: Decision) -> None:
    assert superiority(Interval(low, high, 0.95), 0.01) is decision


@pytest.mark.parametrize(
    ("low", "high", "decision"), [(-0.004, 0.05, HOLDS), (-0.05, -0.01, FAILS), (-0.01, 0.05, UNDECIDED)]
)
def test_non_inferiority_allows_a_loss_within_the_margin(low: float, high: float, decision: Decision) -> None:
    assert non_inferiority(Interval(low, high, 0.95), 0.005) is decision


@pytest.mark.parametrize(
    ("low", "high", "decision"), [(-0.4, 0.3, HOLDS), (1.2, 2.0, FAILS), (-3.0, -1.1, FAILS), (-0.5, 1.5, UNDECIDED)]
)
def test_equivalence_needs_the_whole_interval_between_the_margins(low: float, high: float, decision: Decision) -> None:
    assert equivalence(Interval(low, high, 0.90), 1.0) is decision


@given(ends, margins)
def test_equivalence_is_non_inferiority_in_both_directions(interval: Interval, margin: float) -> None:
    mirrored = Interval(-interval.high, -interval.low, interval.level)
    both = {non_inferiority(interval, margin), non_inferiority(mirrored, margin)}
    assert (equivalence(interval, margin) is HOLDS) == (both == {HOLDS})


@given(ends, margins)
def test_what_is_superior_is_not_inferior(interval: Interval, margin: float) -> None:
    if superiority(interval, margin) is HOLDS:
        assert non_inferiority(interval, margin) is not FAILS


def test_an_unknown_interval_decides_nothing() -> None:
    nothing = unknown_interval(0.95)
    decisions = {superiority(nothing, 0.1), non_inferiority(nothing, 0.1), equivalence(nothing, 0.1)}
    decisions |= {within_limit(nothing, 1.0, better="lower"), within_limit(nothing, 1.0, better="higher")}
    assert decisions == {UNDECIDED}


@given(ends, st.floats(-100, 100))
def test_a_limit_reads_the_same_when_quantity_and_direction_are_turned_round(interval: Interval, limit: float) -> None:
    turned = Interval(-interval.high, -interval.low, interval.level)
    assert within_limit(interval, limit, better="lower") is within_limit(turned, -limit, better="higher")


def test_a_value_exactly_on_the_limit_keeps_to_it() -> None:
    assert within_limit(Interval(0.0, 0.0, 0.95), 0.0, better="lower") is HOLDS


def test_an_unknown_direction_or_a_negative_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="'lower' or 'higher'"):
        within_limit(Interval(0, 1, 0.95), 1.0, better="less")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="margin is -1"):
        superiority(Interval(0, 1, 0.95), -1)


def test_the_number_that_would_decide_follows_the_power_formula() -> None:
    interval = Interval(1.0 - 1.96, 1.0 + 1.96, 0.95)
    # One standard error of 1 at n = 100 and a distance of 1: ((1.96 + 0.84) / 1)^2 * 100.
    assert needed(100, 1.0, interval, 0.0) == pytest.approx(785, abs=1)


def test_an_interval_that_decides_needs_no_more() -> None:
    assert needed(50, 1.0, Interval(0.9, 1.1, 0.95), 0.5) == 50


@pytest.mark.parametrize(("value", "low"), [(0.5, 0.3), (math.nan, 0.3), (0.7, math.nan), (0.7, -math.inf)])
def test_no_number_decides_a_tie_with_the_limit_or_an_unknown_estimate(value: float, low: float) -> None:
    assert needed(50, value, Interval(low, 0.9, 0.95), 0.5) is None


def test_the_number_named_decides_about_as_often_as_promised() -> None:
    generator = np.random.default_rng(2)
    pilot = t_interval(0.2, 1.0 / math.sqrt(40), 40, 0.95)
    n = needed(40, 0.2, pilot, 0.0)
    assert n is not None
    means = 0.2 + generator.normal(size=400) / math.sqrt(n)
    decided = np.mean([superiority(t_interval(mean, 1.0 / math.sqrt(n), n, 0.95), 0.0) is HOLDS for mean in means])
    assert 0.72 <= decided <= 0.9


def test_one_cluster_has_no_interval() -> None:
    assert not t_interval(1.0, 0.1, 1, 0.95).known
