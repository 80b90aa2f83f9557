"""Planting: new values of the old shape, and a shift that is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import Withheld
from mltest.probes.nonce import SHARE, SHIFT, plant, unused_values
from mltest.system import RawColumn, Roles

ROLES = Roles("y", entity=RawColumn("trips", "driver"), outcome=RawColumn("trips", "late"))


def trips(rows: int = 1_000, kind: pa.DataType | None = None) -> pa.Table:
    random = np.random.default_rng(0)
    late = random.normal(0, 10, rows).round()
    return pa.table(
        {
            "driver": [f"D{n % 7}" for n in range(rows)],
            "trip": range(rows),
            "late": pa.array(late, kind or pa.float64()),
        }
    )


@given(st.sets(st.text("ABab19-", min_size=3, max_size=5), min_size=1, max_size=20))
def test_a_planted_value_is_new_and_shaped_like_the_others(known: set[str]) -> None:
    column = pa.chunked_array([list(known)])
    try:
        found = unused_values(column, 2)
    except Withheld:
        return
    assert len({*found} - known) == 2
    assert {len(value) for value in found} <= {len(value) for value in known}
    assert all(any(_shape(value) == _shape(old) for old in known) for value in found)


def _shape(value: str) -> str:
    return "".join("A" if s.isupper() else "a" if s.islower() else "9" if s.isdigit() else s for s in value)


def test_numbers_are_planted_above_all_others() -> None:
    assert min(unused_values(pa.chunked_array([[3, 9, 4]]), 2)) > 9


def test_only_the_marked_rows_have_other_outcomes() -> None:
    before = trips()
    planting = plant({"trips": before, "else": "untouched"}, ROLES, deviation=10.0, seed=1)
    after, drivers = planting.raw["trips"], np.array(planting.raw["trips"]["driver"].to_pylist())
    moved = after["late"].to_numpy() - before["late"].to_numpy()
    assert planting.rows == round(SHARE * before.num_rows)
    assert (drivers == planting.marked).sum() == (drivers == planting.plain).sum() == planting.rows
    assert moved[drivers == planting.marked] == pytest.approx(SHIFT * 10.0)
    assert not moved[drivers != planting.marked].any()
    assert planting.raw["else"] == "untouched"


def test_rows_that_were_known_before_are_left_alone() -> None:
    rows = trips(2_000)
    planting = plant({"trips": rows}, ROLES, deviation=10.0, seed=1, before={"trips": rows.slice(0, 400)})
    drivers = planting.raw["trips"]["driver"].to_pylist()
    assert planting.rows > 0
    assert planting.marked not in drivers[:400]
    assert planting.marked in drivers[400:]


def test_a_narrow_integer_outcome_takes_the_shift_without_overflow() -> None:
    planting = plant({"trips": trips(kind=pa.int8())}, ROLES, deviation=60.0, seed=1)
    assert max(planting.raw["trips"]["late"].to_pylist()) > 127


def test_a_class_becomes_the_positive_one() -> None:
    rows = trips().set_column(2, "late", pa.array(["no", "yes"] * 500))
    roles = Roles("y", entity=ROLES.entity, outcome=ROLES.outcome, positive="yes")
    planting = plant({"trips": rows}, roles, deviation=None, seed=1)
    marked = [r["late"] for r in planting.raw["trips"].to_pylist() if r["driver"] == planting.marked]
    assert set(marked) == {"yes"}
    assert planting.shift == 1.0


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, "no table 'trips'"),
        ({"trips": trips().drop_columns(["late"])}, "no column 'late'"),
        ({"trips": trips(20)}, "20 raw rows"),
        ({"trips": trips().set_column(2, "late", pa.array([np.nan] * 1_000))}, "0 raw rows"),
        ({"trips": trips().set_column(2, "late", pa.array([1.0] * 1_000))}, "the same"),
    ],
)
def test_where_nothing_can_be_planted_the_reason_is_said(raw: dict[str, pa.Table], said: str) -> None:
    with pytest.raises(Withheld, match=said):
        plant(raw, ROLES, deviation=10.0, seed=1)
