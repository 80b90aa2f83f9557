"""Rows found again by key differ by more than rounding or not at all; columns that say the same are told by content."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.probes import feature_moves, model_influence

KEYS = [f"k{number}" for number in range(50)]


def table(values: np.ndarray, words: list[str] | None = None) -> pa.Table:
    return pa.table({"key": KEYS, "x": values, "word": words or ["a"] * 50, "target": values * 2})


@given(seed=st.integers(0, 999), size=st.sampled_from([1e-12, 1.0, 1e12]))
@settings(max_examples=40, deadline=None)
def test_only_the_rows_that_moved_are_named_whatever_their_order_and_size(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, 50) * size
    moved = random.random(50) < 0.2
    other = np.where(moved, values * (1 + 1e-6), values * (1 + 1e-12))
    order = pa.array(random.permutation(50))
    found = feature_moves.between(table(values), table(other).take(order), ["key"], ["x", "word"], "target")
    assert found.moved.get("x", frozenset()) == {KEYS[at] for at in np.flatnonzero(moved)}
    assert (found.rows, found.inputs["word"], found.targets) == (50, frozenset(), int(moved.sum()))


def test_missing_and_not_a_number_are_the_same_and_a_value_is_not() -> None:
    values = np.arange(50.0)
    gone = pa.array([None, float("nan"), *values[2:]])
    both = table(values).set_column(1, "x", gone)
    assert feature_moves.between(both, both, ["key"], ["x"], "target").moved == {}
    found = feature_moves.between(table(values), both, ["key"], ["x"], "target")
    assert found.moved == {"x": frozenset({"k0", "k1"})}


def test_moving_here_and_there_counts_only_where_it_does_both() -> None:
    base, values = table(np.arange(50.0)), np.arange(50.0)
    one, other = (
        feature_moves.between(base, table(values + np.eye(50)[at] + np.eye(50)[7]), ["key"], ["x"], "target")
        for at in (3, 4)
    )
    assert one.also_in(other).moved == {"x": frozenset({"k7"})}


@pytest.mark.parametrize(
    ("column", "repeats"),
    [
        (lambda barred: barred * -3.2 + 1, True),
        (lambda barred: np.exp(barred), True),
        (lambda barred: barred + np.random.default_rng(1).normal(0, 0.5, len(barred)), False),
        (lambda barred: np.round(barred / 2), False),
        (lambda barred: np.random.default_rng(2).normal(0, 1, len(barred)), False),
        (lambda barred: np.zeros(len(barred)), False),
    ],
)
def test_a_number_that_orders_the_rows_alike_repeats_another(column: object, repeats: bool) -> None:
    barred = np.random.default_rng(0).normal(0, 2, 400)
    rows = pa.table({"x": column(barred), "barred": barred})  # type: ignore[operator]
    assert bool(model_influence.repeated(rows, ["x"], ["barred"])) is repeats


@pytest.mark.parametrize(
    ("words", "repeats"),
    [(["m", "b"], True), (["m", "m"], False), (["b", "m"], True)],
)
def test_words_that_go_one_to_one_repeat_each_other(words: list[str], repeats: bool) -> None:
    truth = np.random.default_rng(0).integers(0, 2, 200)
    rows = pa.table({"x": [words[value] for value in truth], "barred": truth})
    assert bool(model_influence.repeated(rows, ["x"], ["barred"])) is repeats


def test_names_of_single_rows_say_nothing_of_each_other() -> None:
    rows = pa.table({"x": np.random.default_rng(0).permutation(200), "barred": [f"id-{n:03d}" for n in range(200)]})
    assert model_influence.repeated(rows, ["x"], ["barred"]) == ()
