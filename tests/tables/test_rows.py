from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest import tables

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "yy", None]})
both = pytest.mark.parametrize("held", [lambda table: table, ibis.memtable], ids=["arrow", "ibis"])


def test_an_ibis_and_an_arrow_table_give_the_same_rows() -> None:
    assert tables.to_arrow(ibis.memtable(TABLE)).equals(tables.to_arrow(TABLE))
    assert tables.row_count(ibis.memtable(TABLE)) == tables.row_count(TABLE) == 3


@both
def test_columns_and_a_number_of_rows_can_be_chosen(held: Callable[[pa.Table], Any]) -> None:
    fetched = tables.to_arrow(held(TABLE), ["b"], limit=2)
    assert (fetched.column_names, fetched.num_rows) == (["b"], 2)


@both
def test_a_column_that_is_not_there_is_named(held: Callable[[pa.Table], Any]) -> None:
    with pytest.raises(KeyError, match="no column 'c'; it has a, b"):
        tables.to_arrow(held(TABLE), ["c"])


def test_a_table_without_rows_is_fetched_as_one() -> None:
    assert tables.to_arrow(ibis.memtable(TABLE.slice(0, 0))).num_rows == 0


def test_rows_that_do_not_fit_are_not_fetched() -> None:
    with pytest.raises(tables.TooLarge, match="allowed are 1 MB; ask for fewer rows or columns"):
        tables.to_arrow(ibis.range(1_000_000).unnest().name("n").as_table(), budget=1 << 20)


def test_a_short_table_of_long_texts_is_measured_by_its_texts() -> None:
    texts = ibis.range(100).unnest().name("n").as_table().mutate(text=ibis.literal("x").repeat(100_000))
    with pytest.raises(tables.TooLarge):
        tables.to_arrow(texts, budget=1 << 20)
    assert tables.to_arrow(texts, ["n"], budget=1 << 20).num_rows == 100


def test_a_limit_counts_before_the_budget() -> None:
    many = ibis.range(1_000_000).unnest().name("n").as_table()
    assert tables.to_arrow(many, limit=10, budget=1 << 20).num_rows == 10


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=30))
def test_texts_survive_the_way_through_the_engine(values: list[str | None]) -> None:
    table = pa.table({"a": pa.array(values, pa.string())})
    assert tables.to_arrow(ibis.memtable(table))["a"].to_pylist() == values
