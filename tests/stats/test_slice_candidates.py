from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.stats import SliceCandidates, find_candidates

columns = st.integers(1, 60).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "carrier": st.lists(st.sampled_from(["AA", "MQ", None]), min_size=n, max_size=n),
            "night": st.lists(st.sampled_from([0.0, 1.0, float("nan")]), min_size=n, max_size=n),
        }
    )
)


def names(candidates: SliceCandidates) -> set[str]:
    return {candidate.name for candidate in candidates.slices}


@given(columns)
def test_the_slices_of_a_column_sum_to_all_rows_missing_ones_included(table: dict[str, list[object]]) -> None:
    candidates = find_candidates({name: np.array(column, dtype=object) for name, column in table.items()})
    for name, column in table.items():
        assert candidates.rows_of(name) == len(column)
        rows = np.concatenate([one.rows for one in candidates.slices if one.columns == (name,)])
        assert sorted(rows) == list(range(len(column)))


def test_missing_is_a_slice_like_any_other() -> None:
    candidates = find_candidates({"plane": np.array(["A320", None, "B737"], dtype=object)})
    assert names(candidates) == {"plane = A320", "plane = B737", "plane = (missing)"}


def test_pairs_hold_the_rows_where_both_levels_meet() -> None:
    carrier, night = np.array(["MQ", "MQ", "AA", "AA"]), np.array([1, 0, 1, 0])
    candidates = find_candidates({"carrier": carrier, "night": night}, pair_rows=1)
    (both,) = (one for one in candidates.slices if one.name == "carrier = MQ and night = 1")
    assert both.rows.tolist() == [0]
    assert both.columns == ("carrier", "night")


def test_small_pairs_are_left_out_and_counted() -> None:
    carrier, night = np.array(["MQ", "MQ", "AA", "AA"]), np.array([1, 0, 1, 0])
    candidates = find_candidates({"carrier": carrier, "night": night}, pair_rows=2)
    assert candidates.pairs_left_out == 4
    assert len(candidates.slices) == 4


def test_a_pair_that_one_column_implies_is_no_new_slice() -> None:
    carrier = np.array(["AA", "MQ"] * 10)
    hub = np.where(carrier == "AA", "JFK", "LGA")
    assert len(find_candidates({"carrier": carrier, "hub": hub}, pair_rows=1).slices) == 4


def test_pairs_can_be_switched_off() -> None:
    table = {"a": np.array([1, 2] * 50), "b": np.array([1] * 50 + [2] * 50)}
    assert len(find_candidates(table, pairs=False).slices) == 4
    assert len(find_candidates(table, pair_rows=1).slices) == 8


def test_where_another_column_is_missing_is_a_slice_and_a_complete_column_adds_none() -> None:
    seats = np.array([150.0, np.nan, np.nan])
    candidates = find_candidates({"origin": ["JFK"] * 3}, missing_of={"seats": seats, "distance": np.ones(3)})
    assert names(candidates) == {"origin = JFK", "seats is missing = no", "seats is missing = yes"}


def test_a_number_with_many_values_is_cut_at_its_quartiles() -> None:
    distance = np.append(np.arange(400.0), np.nan)
    candidates = find_candidates({"distance": distance})
    assert [len(one.rows) for one in candidates.slices] == [100, 100, 100, 100, 1]


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 different lengths"):
        find_candidates({"a": [1, 2], "b": [1]})
    with pytest.raises(ValueError, match="0 different lengths"):
        find_candidates({})
