"""The future of a raw table is what all of it has and the table of a moment has not: rows, and cells filled in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.probes import raw_future

ROWS = 40


def whole() -> pa.Table:
    random = np.random.default_rng(0)
    return pa.table(
        {
            "id": [f"T{number:03d}" for number in range(ROWS)],
            "at": pa.array(np.arange(ROWS) * 3_600_000_000, pa.timestamp("us", "UTC")),
            "who": pa.array([None if number % 7 == 0 else "abc"[number % 3] for number in range(ROWS)]),
            "took": np.round(random.uniform(5, 50, ROWS), 1),
            "state": ["done"] * ROWS,
        }
    )


def known(rows: int, landed: int, *, state: str = "done") -> pa.Table:
    """The first `rows` rows; `took` is missing, and `state` another, from `landed` on."""
    table = whole().slice(0, rows)
    late = np.arange(rows) >= landed
    took = pa.array(table["took"].to_numpy(), mask=late)
    states = pa.array([state if is_late else "done" for is_late in late])
    return table.set_column(3, "took", took).set_column(4, "state", states)


@given(rows=st.integers(0, ROWS), data=st.data())
@settings(max_examples=60, deadline=None)
def test_rows_and_cells_are_told_apart_whatever_the_order(rows: int, data: st.DataObject) -> None:
    landed = data.draw(st.integers(0, rows))
    order = np.random.default_rng(rows).permutation(rows)
    found = raw_future.of_table(whole(), known(rows, landed).take(pa.array(order, pa.int64())))
    assert found.rows.tolist() == [number >= rows for number in range(ROWS)]
    assert np.flatnonzero(found.of("took")).tolist() == list(range(landed, ROWS))
    assert set(found.cells) <= {"took"}
    assert found.lost == 0
    assert found.count == (ROWS - rows) + (rows - landed)


def test_a_value_that_became_another_is_found_as_one_that_was_filled_in() -> None:
    found = raw_future.of_table(whole(), known(30, 20, state="under way"))
    assert np.flatnonzero(found.cells["state"]).tolist() == list(range(20, 30))
    assert np.flatnonzero(found.cells["took"]).tolist() == list(range(20, 30))
    assert found.lost == 0


def test_a_column_that_is_not_there_yet_is_the_future_as_a_whole() -> None:
    found = raw_future.of_table(whole(), known(30, 30).drop_columns(["took"]))
    assert found.of("took").all()
    assert not found.of("who")[:30].any()


def test_rows_that_repeat_need_as_many_partners() -> None:
    table = pa.table({"a": [1, 1, 1, 2]})
    found = raw_future.of_table(table, pa.table({"a": [1, 2]}))
    assert found.rows.tolist() == [False, True, True, False]


def test_known_rows_that_are_nowhere_else_are_counted() -> None:
    found = raw_future.of_table(pa.table({"a": ["x", "y"]}), pa.table({"a": ["x", "z"]}))
    assert (found.lost, found.rows.tolist()) == (1, [False, True])


@pytest.mark.parametrize("direction", ["up", "down"])
def test_another_future_leaves_the_past_keys_and_instants_as_they_are(direction: Any) -> None:
    table = whole()
    future = raw_future.of_table(table, known(30, 20))
    random = np.random.default_rng(1)
    after, changed = raw_future.with_another_future(table, future, ["who"], random, direction)
    assert after.schema == table.schema
    assert after.slice(0, 20).equals(table.slice(0, 20))
    for name in ("id", "at", "who"):
        assert after[name].equals(table[name])
    assert changed["took"] > 10
