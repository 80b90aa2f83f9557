"""Both metrics side by side: correlations as others compute them, joins that are seen to be broken, rows left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mltest.evidence import Withheld
from mltest.probes import impact_replay, label_join, model_variants
from mltest.probes.impact_replay import Replay
from mltest.probes.outcomes import Outcome
from mltest.stats.rank_agreement import correlation, pairs_needed
from mltest.system import Roles
from tests.suites import kitchens

NOW = datetime(2024, 3, 1, tzinfo=UTC)
ROLES = Roles(target="y", inputs=("x",), time="at", keys=("key",))


def replay() -> Replay:
    return impact_replay.read(kitchens.KitchenLabels(), kitchens.KitchenData(), "regression", effort="quick")


def requests(n: int) -> pa.Table:
    moments = [NOW - timedelta(days=n - k) for k in range(n)]
    return pa.table({"key": [f"k{k}" for k in range(n)], "at": pa.array(moments, pa.timestamp("us", "UTC"))})


def labels(keys: list[str], outcomes: list[float], n: int) -> pa.Table:
    came = [NOW - timedelta(days=n - int(key[1:]), hours=-1) for key in keys]
    return pa.table({"key": keys, "y": outcomes, "arrived_at": pa.array(came, pa.timestamp("us", "UTC"))})


@pytest.mark.parametrize("kind", ["spearman", "pearson"])
def test_correlations_are_those_of_scipy(kind: Any) -> None:
    random = np.random.default_rng(4)
    one = random.normal(0, 1, 15).round(1)
    other = (one + random.normal(0, 1, 15)).round(1)
    theirs = stats.spearmanr(one, other) if kind == "spearman" else stats.pearsonr(one, other)
    assert correlation(one, other, kind=kind).value == pytest.approx(theirs.statistic)


def test_the_interval_of_pearson_is_fishers() -> None:
    random = np.random.default_rng(5)
    one = random.normal(0, 1, 12)
    other = one + random.normal(0, 0.7, 12)
    theirs = stats.pearsonr(one, other).confidence_interval(0.95)
    ours = correlation(one, other, kind="pearson").interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_intervals_of_a_correlation_of_0_8_are_as_wide_as_published() -> None:
    for n, low, high in ((8, 0.22, 0.96), (10, 0.34, 0.95), (20, 0.55, 0.92)):
        random = np.random.default_rng(n)
        one = random.normal(0, 1, n)
        one = (one - one.mean()) / one.std()
        noise = random.normal(0, 1, n)
        noise -= noise.mean() + one * (noise @ one) / n
        noise /= noise.std()
        found = correlation(one, 0.8 * one + 0.6 * noise, kind="pearson")
        assert found.value == pytest.approx(0.8)
        assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=0.01)


def test_spearmans_intervals_cover_the_truth_in_about_19_of_20_draws() -> None:
    random, r = np.random.default_rng(6), 0.7
    truth = 6.0 / np.pi * np.arcsin(r / 2.0)
    covered = 0
    for _ in range(400):
        one = random.normal(0, 1, 12)
        other = r * one + np.sqrt(1 - r**2) * random.normal(0, 1, 12)
        covered += correlation(one, other, kind="spearman").interval.contains(truth)
    assert covered >= 368, f"{covered} of 400 intervals contain the truth"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-50, 50).map(lambda x: round(x, 3)), min_size=5, max_size=20, unique=True))
def test_an_order_survives_every_rising_scale(values: list[float]) -> None:
    one = np.array(values)
    other = np.random.default_rng(0).normal(0, 1, len(one))
    plain = correlation(one, other, kind="spearman").value
    assert correlation(np.arctan(one / 20.0), other, kind="spearman").value == pytest.approx(plain)
    assert correlation(-one, other, kind="spearman").value == pytest.approx(-plain)


def test_too_few_equal_or_unknown_values_decide_nothing() -> None:
    for one in ([1.0, 2.0, 3.0], [1.0] * 9, [float("nan")] * 9):
        found = correlation(one, list(range(len(one))), kind="spearman")
        assert found.reason
        assert not found.interval.known
    assert pairs_needed(0.2, 0.3) is None
    needed = pairs_needed(0.6, 0.3)
    assert needed is not None
    assert 20 < needed < 60


def test_labels_are_found_by_their_key_whatever_their_order() -> None:
    order = [f"k{k}" for k in np.random.default_rng(1).permutation(40)]
    found = label_join.own_join(
        requests(40), labels(order, [float(key[1:]) for key in order], 40), ROLES, Outcome(), NOW
    )
    assert found.outcome.tolist() == list(range(40))
    assert (found.covered, found.conflicts, found.early) == (1.0, 0.0, 0)


def test_two_outcomes_under_one_key_and_labels_of_the_future_are_counted() -> None:
    keys = [f"k{k}" for k in range(40)]
    twice = pa.concat_tables([labels(keys, [1.0] * 40, 40), labels(keys[:10], [2.0] * 10, 40)])
    found = label_join.own_join(requests(40), twice, ROLES, Outcome(), NOW - timedelta(days=5))
    assert found.conflicts == 0.25
    assert found.early == 5


def test_requests_too_young_for_a_label_do_not_count_as_uncovered() -> None:
    keys = [f"k{k}" for k in range(40)]
    late = labels(keys, [1.0] * 40, 40)
    came = pa.array([NOW - timedelta(days=40 - k - 8) for k in range(40)], pa.timestamp("us", "UTC"))
    late = late.set_column(2, "arrived_at", came).slice(0, 33)
    assert label_join.own_join(requests(40), late, ROLES, Outcome(), NOW).covered == 1.0


def test_a_join_is_compared_row_by_row() -> None:
    keys = [f"k{k}" for k in range(40)]
    own = label_join.own_join(requests(40), labels(keys, list(map(float, range(40))), 40), ROLES, Outcome(), NOW)
    answers = np.linspace(0, 1, 40)
    right = pa.table({"key": keys, "prediction": answers, "y": list(map(float, range(40)))})

    def compared(theirs: pa.Table) -> label_join.Comparison:
        return label_join.compare(theirs, requests(40), answers, own, ROLES, Outcome())

    assert not compared(right).broken
    assert not compared(right.take(pa.array(np.arange(40)[::-1]))).broken
    assert compared(pa.concat_tables([right, right.slice(0, 1)])).rows_each == 2
    assert compared(right.slice(0, 30)).found == 0.75
    assert compared(right.set_column(2, "y", pa.array(np.roll(np.arange(40.0), 1)))).mismatched == 1.0
    assert compared(right.set_column(1, "prediction", pa.array(np.roll(answers, 1)))).broken
    assert compared(right.set_column(0, "key", pa.array([f"z{k}" for k in range(40)]))).strangers == 40


def test_every_plan_makes_rows_that_can_be_trained_on() -> None:
    rows = kitchens.KitchenData().dataset("train")
    made = model_variants.plans({"inputs": list(kitchens.INPUTS), "epochs": 5}, kitchens.ROLES, Outcome())
    assert len({plan.name for plan in made}) == len(made) >= 12
    assert made[0].name == model_variants.AS_SHIPPED
    for plan in made:
        assert plan.rows(rows).num_rows >= 150
    assert {"epochs": 1} in [dict(plan.config) for plan in made]


def test_classes_have_plans_enough_too() -> None:
    rows = pa.table({"key": [f"k{k}" for k in range(400)], "y": ["a", "b"] * 200, "x": np.arange(400.0)})
    made = model_variants.plans({"inputs": ["x", "z"]}, replace(ROLES, time=None), Outcome(("a", "b")))
    assert len(made) >= 12
    assert all(sorted(set(plan.rows(rows)["y"].to_pylist())) == ["a", "b"] for plan in made)


def test_an_impact_that_is_no_number_a_row_is_refused() -> None:
    seen = replay()
    answers = seen.answers(kitchens.fitted(kitchens.KitchenData().dataset("train")))
    total = replace(kitchens.KitchenLabels().impact, per_row=lambda a, y: np.array([1.0]))
    with pytest.raises(Withheld, match="one finite number a row"):
        seen.impact(answers, total)


def test_requests_are_answered_without_their_outcome() -> None:
    assert kitchens.TARGET not in replay().requests.column_names
    assert replay().own.covered == pytest.approx(0.97, abs=0.02)
