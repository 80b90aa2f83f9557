"""Rows are chosen by what they contain, and by nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.faults import rows
from mltest.faults.liveness import difference

WORDS = st.lists(st.text(max_size=8), min_size=1, max_size=60, unique=True)


@given(words=WORDS, share=st.floats(0.01, 0.99), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_decide_which_ones_are_taken(words: list[str], share: float, order: object) -> None:
    shuffled = list(words)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    taken = []
    for column in (words, shuffled):
        table = pa.table({"key": column, "n": list(range(len(column)))})
        mask = rows.share_of(table, ["key"], share)
        taken.append({word for word, hit in zip(column, mask, strict=True) if hit})
    assert taken[0] == taken[1]
    assert taken[0]


@given(words=WORDS)
def test_no_share_takes_no_row_and_all_takes_all(words: list[str]) -> None:
    table = pa.table({"key": words})
    assert not rows.share_of(table, ["key"], 0.0).any()
    assert rows.share_of(table, ["key"], 1.0).all()


def test_a_share_takes_about_that_many_rows() -> None:
    table = pa.table({"key": [f"k{k}" for k in range(20_000)]})
    taken = int(rows.share_of(table, ["key"], 0.1).sum())
    assert abs(taken - 2_000) < 4 * np.sqrt(20_000 * 0.1 * 0.9)


def test_draws_of_different_salts_are_unrelated() -> None:
    table = pa.table({"key": [f"k{k}" for k in range(20_000)]})
    first, second = rows.uniform(table, ["key"], 1), rows.uniform(table, ["key"], 2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(20_000)


def test_equal_numbers_of_different_types_draw_alike() -> None:
    whole = pa.table({"key": pa.array([1, 2, 3], pa.int32())})
    broken = pa.table({"key": pa.array([1.0, 2.0, 3.0], pa.float64())})
    assert np.array_equal(rows.uniform(whole, ["key"], 5), rows.uniform(broken, ["key"], 5))


@pytest.mark.parametrize(("days", "expected"), [(0, 0), (1, 1), (7, 7), (400, 100)])
def test_the_latest_days_are_counted_from_the_newest_row(days: float, expected: int) -> None:
    start = datetime(2024, 1, 1, 12, tzinfo=UTC)
    table = pa.table({"at": pa.array([start + timedelta(days=k) for k in range(100)])})
    assert rows.latest(table, "at", days).sum() == expected


@pytest.mark.parametrize(("days", "expected"), [(1, 10), (7, 70), (30, 300), (90, 300)])
def test_a_table_without_time_counts_as_thirty_days(days: float, expected: int) -> None:
    table = pa.table({"value": list(range(300))})
    mask = rows.latest(table, None, days)
    assert mask.sum() == expected
    assert mask[-1]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [(pa.int16(), -999.0, pa.int16()), (pa.int8(), -999.0, pa.int64()), (pa.int16(), 0.5, pa.float64())],
)
def test_integers_stay_integers_where_the_values_fit(kind: pa.DataType, value: float, expected: pa.DataType) -> None:
    column = pa.chunked_array([pa.array([1, 2, None], kind)])
    changed = rows.replaced(column, np.array([True, False, False]), lambda v: np.full_like(v, value))
    assert changed.type == expected
    assert changed.to_pylist() == [value, 2, None]


def test_a_missing_number_equals_a_missing_number_and_nothing_else() -> None:
    table = pa.table({"x": [1.0, None, float("nan")]})
    assert difference(table, pa.table({"x": [1.0, float("nan"), None]})) == ""
    assert difference(table, pa.table({"x": [1.0, 0.0, None]})) == "1 of 3 values of x changed, in 1 columns"


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (pa.table({"x": [1, 2], "z": ["a", "b"]}), "columns gone: y; new: z"),
        (pa.table({"x": [1], "y": ["a"]}), "2 rows became 1"),
        (pa.table({"x": [1, 2], "y": ["a", "c"]}), "1 of 2 values of y changed, in 1 columns"),
        (pa.table({"y": ["a", "b"], "x": [1, 2]}), "the order of the columns changed"),
        (pa.table({"x": [1.0, 2.0], "y": ["a", "b"]}), ""),
    ],
)
def test_a_difference_is_one_sentence(after: pa.Table, sentence: str) -> None:
    assert difference(pa.table({"x": [1, 2], "y": ["a", "b"]}), after) == sentence
