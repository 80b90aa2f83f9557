"""What a ledger of costs rests on: intervals of quantiles, calls timed side by side, and how slow a machine is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import Withheld
from mltest.probes import cost_timing, interleaved_timing
from mltest.probes.cost_ledger import FeatureCost
from mltest.probes.lookup_requests import Requests
from mltest.probes.quantile_intervals import Bounds, quantile
from mltest.system import FeatureInfo

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


def test_the_99th_percentile_has_the_published_ranks() -> None:
    ranks = list(range(1, 1001))
    found = quantile([float(rank) for rank in ranks], 0.99, 0.05)
    assert (found.low, found.high) == (983, 997)


def test_an_upper_bound_of_the_99th_percentile_needs_368_values() -> None:
    assert quantile([1.0] * 367, 0.99, 0.05).high == float("inf")
    assert quantile([1.0] * 368, 0.99, 0.05).high == 1.0


def test_the_bounds_of_a_median_hold_it_at_least_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    held = sum(
        found.low <= 0.0 <= found.high
        for found in (quantile(random.standard_t(2, 41).tolist(), 0.5, 0.05) for _ in range(2_000))
    )
    assert held / 2_000 >= 0.945, f"{held} of 2000 intervals held the median"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.sampled_from([0.25, 0.5, 0.95]))
def test_a_quantile_lies_between_its_bounds(values: list[float], share: float) -> None:
    found = quantile(values, share, 0.05)
    assert found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high


def test_a_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        quantile([], 0.5, 0.05)


def test_the_same_against_the_same_is_told_against_what_matters() -> None:
    halves = [1.0, 1.2] * 20
    assert interleaved_timing.difference_of_same(halves) == pytest.approx(0.2)
    assert interleaved_timing.difference_of_same(halves, least=100.0) == pytest.approx(0.002)


def test_every_arm_is_called_in_every_round_as_often_as_asked() -> None:
    called: list[str] = []

    def maker(name: str) -> Any:
        return lambda: lambda: called.append(name)

    taken = interleaved_timing.times({"a": maker("a"), "b": maker("b")}, {"a": 3}, 5, seed=0)
    assert {name: len(values) for name, values in taken.items()} == {"a": 15, "b": 5}
    assert called.count("b") >= 5


class Ticking:
    """A clock that only moves when work is done, `slower` times as far on a slower machine."""

    def __init__(self, slower: float) -> None:
        self.now, self.slower = 0.0, slower

    def work(self, microseconds: float) -> None:
        self.now += 1e3 * microseconds * self.slower

    def __call__(self) -> int:
        return int(self.now)


class Worker:
    """Takes 20 µs a request and, by feature, so many a row; `scan` by the square of the batch."""

    def __init__(self, clock: Ticking, costs: Mapping[str, float], scan: str = "") -> None:
        self.clock, self.costs, self.scan = clock, costs, scan

    def records(self, raw: Any, window: Any) -> Sequence[Mapping[str, Any]]:
        return [{}] * 10

    def values(self, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        rows = len(records)
        self.clock.work(20 + sum(self.costs[n] * rows * (rows / 10 if n == self.scan else 1) for n in names))
        return {}


def timed(
    monkeypatch: pytest.MonkeyPatch, slower: float, costs: Mapping[str, float], scan: str = ""
) -> Mapping[str, FeatureCost]:
    clock = Ticking(slower)
    monkeypatch.setattr(interleaved_timing, "clock_ns", clock)
    monkeypatch.setattr("mltest.probes.calibration.loop", lambda: clock.work(1_000))
    worker = Worker(clock, costs, scan)
    asked = Requests(worker, [{}], {}, MOMENT, (MOMENT, MOMENT), cycle([{}]))
    infos = [FeatureInfo(name, "float", "t", "o", "a", cost_budget_us=10.0) for name in costs]
    return cost_timing.timed(asked, infos, "quick", 0).features


@pytest.mark.parametrize("slower", [0.5, 1.0, 2.0, 10.0])
def test_a_machine_that_is_slower_at_everything_finds_the_same_costs(
    monkeypatch: pytest.MonkeyPatch, slower: float
) -> None:
    found = timed(monkeypatch, slower, {"cheap": 4.0, "dear": 15.0})
    assert found["cheap"].one.value == pytest.approx(4.0, abs=0.01)
    assert not found["cheap"].over_budget
    assert found["dear"].one.low == pytest.approx(15.0, abs=0.01)
    assert found["dear"].over_budget


def test_time_that_grows_with_the_square_of_the_batch_is_seen_and_linear_time_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = timed(monkeypatch, 1.0, {"linear": 4.0, "square": 0.2}, scan="square")
    assert found["linear"].growth == pytest.approx(1.0, abs=0.01)
    assert found["square"].growth == pytest.approx(4.0, abs=0.01)


def test_a_machine_on_which_the_same_differs_from_the_same_times_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, turn = Ticking(1.0), cycle([0.8, 1.2])
    monkeypatch.setattr(interleaved_timing, "clock_ns", clock)
    monkeypatch.setattr("mltest.probes.calibration.loop", lambda: clock.work(1_000 * next(turn)))
    asked = Requests(Worker(clock, {"a": 1.0}), [{}], {}, MOMENT, (MOMENT, MOMENT), cycle([{}]))
    with pytest.raises(Withheld, match="differ from themselves by 50%"):
        cost_timing.timed(asked, [FeatureInfo("a", "float", "t", "o", "a", cost_budget_us=10.0)], "quick", 0)


def test_the_worst_view_accuses_and_only_the_median_acquits() -> None:
    info = FeatureInfo("a", "float", "t", "o", "a", cost_budget_us=10.0)
    tail = FeatureCost(info, one=Bounds(1, 2, 3), tail=Bounds(11, 20, 30))
    assert tail.over_budget
    wide = FeatureCost(info, one=Bounds(1, 2, 3), tail=Bounds(-5, 2, 90))
    assert not wide.over_budget
    assert not wide.open
    spanning = FeatureCost(info, one=Bounds(8, 9, 11), tail=Bounds(-5, 2, 90))
    assert spanning.open
