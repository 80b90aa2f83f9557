"""Scrambled cells hold other values that the column has held, and in a direction only later or earlier ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.probes import scrambling
from mltest.probes.scrambling import Direction, scrambled

COLUMNS = st.one_of(
    st.lists(st.none() | st.integers(-5, 5), max_size=30).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.none() | st.floats(-5, 5, allow_nan=False), max_size=30).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.none() | st.sampled_from("abcd"), max_size=30).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.none() | st.booleans(), max_size=30).map(lambda v: pa.array(v, pa.bool_())),
    st.lists(st.none() | st.integers(0, 9), max_size=30).map(lambda v: pa.array(v, pa.timestamp("us", "UTC"))),
)


@given(column=COLUMNS, seed=st.integers(0, 99), direction=st.sampled_from(["up", "down", "any"]))
@settings(max_examples=150, deadline=None)
def test_type_and_length_and_what_is_missing_stay_and_values_are_seen_ones(
    column: pa.Array, seed: int, direction: Direction
) -> None:
    mask = np.random.default_rng(seed).random(len(column)) < 0.5
    after, changed = scrambled(pa.chunked_array([column]), mask, np.random.default_rng(seed), direction)
    before, values = column.to_pylist(), after.to_pylist()
    assert (after.type, len(after), after.null_count) == (column.type, len(column), column.null_count)
    assert set(values) <= set(before)
    assert changed == sum(one != other for one, other in zip(before, values, strict=True))
    assert all(one == other for one, other, hit in zip(before, values, mask, strict=True) if not hit)
    if direction != "any" and not pa.types.is_string(column.type) and not pa.types.is_boolean(column.type):
        pairs = [(a, b) for a, b in zip(before, values, strict=True) if a is not None]
        assert all(b >= a if direction == "up" else b <= a for a, b in pairs)


def test_every_cell_that_can_change_changes() -> None:
    column = pa.chunked_array([pa.array([1.0, 2.0, 3.0, None, 2.0])])
    after, changed = scrambled(column, np.ones(5, dtype=bool), np.random.default_rng(0))
    assert changed == 4
    assert all(a != b for a, b in zip(column.to_pylist(), after.to_pylist(), strict=True) if a is not None)


@pytest.mark.parametrize("column", [pa.array([1, 1, 1]), pa.nulls(3), pa.array([[1], [2], [3]]), pa.array([None] * 3)])
def test_a_column_without_other_values_stays(column: Any) -> None:
    assert scrambled(column, np.ones(3, dtype=bool), np.random.default_rng(0)) == (column, 0)


def test_a_dictionary_is_read_as_what_it_stands_for() -> None:
    column = pa.chunked_array([pa.array(["a", "b", "a"]).dictionary_encode()])
    after, changed = scrambled(column, np.ones(3, dtype=bool), np.random.default_rng(0))
    assert (after.to_pylist(), changed) == (["b", "a", "b"], 3)


def test_an_emptied_table_keeps_its_columns_and_types() -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    emptied = scrambling.emptied(table, ["b"])
    assert emptied.schema == table.schema
    assert pc.all(pc.is_null(emptied["b"])).as_py()
    assert emptied["a"].equals(table["a"])
