"""Damages of columns: each changes something, keeps its type where the damage is no change of type, and has a name."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.probes.schema_mutation import BURST, mutants

COLUMNS = {
    "price": pa.array(np.linspace(1.0, 9.0, 200)),
    "stock": pa.array(np.arange(200) % 7, pa.int8()),
    "word": pa.array(["plum", "pear"] * 100),
    "coded": pa.array(["plum", "pear"] * 100).dictionary_encode(),
    "day": pa.array([datetime.date(2024, 1, 1)] * 200),
    "at": pa.array([datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)] * 200),
    "open": pa.array([True, False] * 100),
}
SHELF = pa.table(COLUMNS)


def damaged(column: str, damage: str) -> pa.Table:
    return next(m.rows for m in mutants(SHELF, [column]) if m.damage == damage)


@pytest.mark.parametrize("column", list(COLUMNS))
def test_every_damage_of_a_column_changes_that_column_and_no_other(column: str) -> None:
    found = list(mutants(SHELF, [column]))
    assert len({mutant.damage for mutant in found}) == len(found) >= 3
    for mutant in found:
        others = [name for name in SHELF.column_names if name != column]
        assert mutant.rows.select(others).equals(SHELF.select(others))
        assert column not in mutant.rows.column_names or not mutant.rows[column].equals(SHELF[column])


def test_a_burst_takes_a_fifth_of_the_rows() -> None:
    assert damaged("price", "burst of nulls")["price"].null_count == round(BURST * 200)


def test_a_burst_takes_all_values_of_a_column_that_has_few() -> None:
    sparse = pa.table({"gust": pa.array([5.0] * 10 + [None] * 190)})
    burst = next(m for m in mutants(sparse, ["gust"]) if m.damage == "burst of nulls")
    assert burst.rows["gust"].null_count == 200


def test_a_unit_factor_leaves_integers_integers() -> None:
    changed = damaged("stock", "unit factor 1.609")["stock"]
    assert changed.type == pa.int8()
    assert changed.to_pylist()[:4] == [0, 2, 3, 5]


def test_a_number_that_the_column_may_hold_is_no_sentinel() -> None:
    wide = pa.table({"depth": pa.array([-2000.0, 0.0, 12000.0] * 50)})
    assert not [m.damage for m in mutants(wide, ["depth"]) if m.damage.startswith("sentinel")]


def test_the_unknown_category_is_unknown() -> None:
    known = pa.table({"word": ["never-seen-before", "plum"] * 50})
    strange = next(m for m in mutants(known, ["word"]) if m.damage == "category nobody knows")
    assert set(strange.rows["word"].to_pylist()) - {"never-seen-before", "plum"}


def test_the_unknown_category_has_the_form_of_a_known_one() -> None:
    codes = pa.table({"code": ["AA", "B6", "UA"] * 50})
    strange = next(m for m in mutants(codes, ["code"]) if m.damage == "category nobody knows")
    (new,) = set(strange.rows["code"].to_pylist()) - {"AA", "B6", "UA"}
    assert len(new) == 2
    assert new.isupper()


def test_rows_are_repeated_only_where_keys_say_that_they_must_not() -> None:
    assert [m.damage for m in mutants(SHELF, [], keys=["price"])] == ["repeated rows"]
    assert list(mutants(SHELF, [], keys=["unknown"])) == []


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32) | st.none(), min_size=1, max_size=60))
def test_no_damage_of_numbers_is_an_equivalent_one(values: list[float | None]) -> None:
    column = pa.array(values, pa.float64())
    for mutant in mutants(pa.table({"n": column}), ["n"]):
        if mutant.damage != "column missing":
            assert not mutant.rows["n"].combine_chunks().equals(column)
