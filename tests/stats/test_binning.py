from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.stats import BinnedPair, bin_categories, bin_numbers, quantile_edges
from mltest.stats.binning import MISSING, RARE, UNSEEN

numbers = st.lists(st.one_of(st.floats(-50, 50), st.just(float("nan"))), min_size=1, max_size=60)
words = st.lists(st.sampled_from(["JFK", "LGA", "EWR", "", None]), min_size=1, max_size=60)


@given(numbers, numbers)
def test_every_number_falls_into_exactly_one_bin(reference: list[float], current: list[float]) -> None:
    pair = bin_numbers(reference, current)
    assert (pair.n_reference, pair.n_current) == (len(reference), len(current))


@given(words, words)
def test_every_category_falls_into_exactly_one_bin(reference: list[str | None], current: list[str | None]) -> None:
    pair = bin_categories(np.array(reference, dtype=object), np.array(current, dtype=object))
    assert (pair.n_reference, pair.n_current) == (len(reference), len(current))


def test_the_bins_of_a_spread_reference_hold_equal_shares() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    assert bin_numbers(values, values).reference == (100,) * 10


def test_edges_come_from_the_reference_alone() -> None:
    reference = np.arange(100.0)
    pair = bin_numbers(reference, reference * 1000)
    assert pair.labels[-1] == "[90, inf)"
    assert pair.current[-1] == 99


@pytest.mark.parametrize("moved_to", [9.9, 10.1])
def test_a_shift_off_a_constant_reference_shows_in_either_direction(moved_to: float) -> None:
    pair = bin_numbers([10.0] * 50, [moved_to] * 50)
    assert len(pair.labels) == 2
    assert sorted(zip(pair.reference, pair.current, strict=True)) == [(0, 50), (50, 0)]


def test_a_value_that_dominates_has_a_bin_of_its_own() -> None:
    visibility = np.concatenate([np.full(900, 10.0), np.linspace(0.0, 9.0, 100)])
    assert 900 in bin_numbers(visibility, visibility).reference


def test_missing_unseen_and_rare_categories_are_kept_apart() -> None:
    reference = np.array(["AA"] * 990 + ["OO"] * 5 + ["HA"] * 5, dtype=object)
    current = np.array(["AA", "OO", "ZZ", None, float("nan")], dtype=object)
    counts = dict(zip(*(lambda pair: (pair.labels, pair.current))(bin_categories(reference, current)), strict=True))
    assert counts == {"AA": 1, RARE: 1, UNSEEN: 1, MISSING: 2}


def test_a_reference_without_values_has_no_edges() -> None:
    assert quantile_edges([float("nan")]) == ()


def test_infinities_fall_into_the_open_outer_bins() -> None:
    reference = np.append(np.arange(100.0), [np.inf, -np.inf])
    pair = bin_numbers(reference, [np.inf, -np.inf])
    assert pair.current[0] == 1
    assert pair.current[-1] == 1


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        BinnedPair(("a", "b"), (1,), (1, 2))
    with pytest.raises(ValueError, match="negative"):
        BinnedPair(("a",), (-1,), (1,))
    with pytest.raises(ValueError, match="at least 2"):
        quantile_edges([1.0], 1)
