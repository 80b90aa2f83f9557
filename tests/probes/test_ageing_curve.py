"""The staleness curve on cells whose truth is known: level, interval, rising fit, and what trainings owe to chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from mltest.probes import ageing_curve, ageing_report
from mltest.probes.ageing_backtest import Cell
from mltest.probes.ageing_curve import Curve
from mltest.probes.ageing_grid import age_of

ENDS = tuple(float(30 * step) for step in range(9))
REPEATS = 40


def cells(seed: int, increase: Callable[[float], float], chance: float = 0.0) -> list[Cell]:
    """Nine models a month apart, twelve days judged a place, thirty rows a day; a fresh model loses about one."""
    random = np.random.default_rng(seed)
    luck = {end: random.normal(0, chance / np.sqrt(2)) for end in ENDS}
    made = []
    for place in ENDS:
        days = np.repeat(np.arange(12), 30)
        hard = np.exp(np.repeat(random.normal(0, 0.3, 12), 30))
        base = np.abs(random.normal(0, 1.25, days.size)) * hard
        fresh = base * (1 + luck[place]) + random.normal(0, 0.02, days.size)
        for end in (end for end in ENDS if end < place):
            age = age_of(end, place)
            stale = base * (1 + increase(age) + luck[end]) + random.normal(0, 0.02, days.size)
            made.append(Cell(end, place, age, stale, fresh, days + place))
    return made


def test_a_steady_rise_is_found_at_its_age() -> None:
    curve = Curve(cells(0, lambda age: 0.001 * age), origins=3, seed=0)
    assert curve.ages == (30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
    assert [round(point.increase) for point in curve.points] == [3, 6, 9, 12, 15, 18]
    assert curve.at(60).value == pytest.approx(6, abs=0.5)
    assert ageing_report.safe_age(curve, 10.0) == 90.0
    assert curve.at(75).age == 90.0
    assert curve.at(400).age == 180.0


@pytest.mark.parametrize("chance", [0.0, 0.02])
def test_the_interval_holds_the_truth_also_where_trainings_differ_by_chance(chance: float) -> None:
    held = 0
    for seed in range(REPEATS):
        point = Curve(cells(seed, lambda _: 0.05, chance), origins=3, seed=0).points[0]
        held += point.low <= 5.0 <= point.high
    assert held >= 0.85 * REPEATS, f"{held} of {REPEATS} intervals of 95 % hold the truth"


def test_what_trainings_owe_to_chance_is_found_and_nothing_is_found_without_it() -> None:
    with_chance = [Curve(cells(seed, lambda _: 0.0, 0.03), origins=3, seed=0).chance ** 0.5 for seed in range(12)]
    without = [Curve(cells(seed, lambda _: 0.0), origins=3, seed=0).chance ** 0.5 for seed in range(12)]
    assert 0.02 < np.median(with_chance) < 0.04
    assert np.median(without) < 0.002


def test_a_flat_curve_passes_and_a_steep_one_fails_on_every_seed() -> None:
    flat = [Curve(cells(seed, lambda _: 0.0), origins=3, seed=seed).at(60) for seed in range(20)]
    steep = [Curve(cells(seed, lambda age: age / 1000), origins=3, seed=seed).at(60) for seed in range(20)]
    quiet = sum(found.high <= 2.0 for found in flat)
    caught = sum(found.low > 2.0 and min(found.halves) > 2.0 for found in steep)
    assert (quiet, caught) == (20, 20), f"{quiet} of 20 flat ones passed, {caught} of 20 steep ones failed"


def test_a_hump_below_the_age_of_the_policy_is_not_forgiven() -> None:
    curve = Curve(cells(1, lambda age: 0.1 if age == 90 else 0.0), origins=3, seed=0)
    assert [point.age for point in ageing_report.too_old_before(curve, 180.0, 2.0)] == [90.0]
    assert not ageing_report.too_old_before(curve, 60.0, 2.0)


def test_a_fresh_model_without_any_error_gives_no_curve() -> None:
    nothing = [Cell(c.end, c.place, c.age, np.zeros(360), np.zeros(360), c.blocks) for c in cells(0, lambda _: 0.0)]
    with np.errstate(invalid="ignore"):
        assert not Curve(nothing, origins=3, seed=0).is_defined


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 9)), min_size=1, max_size=8))
def test_the_right_end_is_that_of_the_isotonic_fit(points: list[tuple[float, float]]) -> None:
    values, weights = (np.array(each) for each in zip(*points, strict=True))
    index = len(values) - 1
    ours = ageing_curve.right_end(values[None, :], weights, index)[0]
    order = np.arange(index + 1)
    fitted = IsotonicRegression().fit(order, values, sample_weight=weights).predict(order)
    assert ours == pytest.approx(fitted[-1], abs=1e-6)
