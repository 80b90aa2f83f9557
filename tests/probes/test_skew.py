"""The parts of the comparison of two paths: when to look, which rows to take, what is equal, and how it is told."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.probes import skew_report, skew_strata, skew_values, skew_windows
from mltest.probes.skew_strata import Stratum

FIRST = datetime(2024, 10, 1, tzinfo=UTC)
HOURLY = skew_windows.moments_of(
    pa.array([FIRST + timedelta(hours=n) for n in range(60 * 24)], pa.timestamp("us", "UTC"))
)


def test_a_change_of_clocks_is_looked_at_first_and_lies_inside_its_window() -> None:
    first, *_ = skew_windows.stretches([HOURLY], 100, 3)
    assert first.change is not None
    assert first.window[0] < first.change < first.window[1]


def test_a_named_zone_decides_which_clocks_count() -> None:
    found = skew_windows.stretches([HOURLY], 100, 1, "Europe/Berlin")
    assert found[0].change == datetime(2024, 10, 27, 1, tzinfo=UTC)


def test_windows_do_not_overlap_and_hold_the_rows_that_were_wanted() -> None:
    found = sorted(skew_windows.stretches([HOURLY], 100, 5), key=lambda each: each.window[0])
    assert len(found) == 5
    assert all(a.window[1] <= b.window[0] for a, b in itertools.pairwise(found))
    for each in found:
        begin, end = (np.datetime64(edge.replace(tzinfo=None)) for edge in each.window)
        assert abs(np.searchsorted(HOURLY, end) - np.searchsorted(HOURLY, begin) - 100) <= 1


def test_no_rows_give_no_window() -> None:
    assert skew_windows.stretches([HOURLY[:0]], 100, 3) == ()


@given(st.lists(st.booleans(), min_size=1, max_size=400), st.integers(1, 400))
def test_rows_of_a_rare_stratum_are_always_among_the_chosen(mask: list[bool], wanted: int) -> None:
    rare = Stratum("x is missing", np.array(mask), 30)
    chosen = skew_strata.choose([rare], len(mask), wanted)
    assert len(chosen) >= min(wanted, len(mask))
    assert rare.rows[chosen].sum() >= min(30, sum(mask))
    assert (np.diff(chosen) > 0).all()


def same(batch: pa.Array, served: pa.Array) -> bool:
    left, right = skew_values.values_of(batch), skew_values.values_of(served)
    return skew_values.compared("x", left, right).mismatches == 0


def test_storage_does_not_matter() -> None:
    assert same(pa.array(["a", None]), pa.array(["a", None]).dictionary_encode())
    assert same(pa.array([0.1, None, -0.0]), pa.array([0.1, float("nan"), 0.0], pa.float32()))
    moment = datetime(2024, 11, 3, 6, tzinfo=UTC)
    tokyo = pa.array([moment], pa.timestamp("ms", "Asia/Tokyo"))
    assert same(pa.array([moment], pa.timestamp("us", "UTC")), tokyo)
    assert same(pa.array([moment], pa.timestamp("us", "UTC")), pa.array(["2024-11-03T01:00:00-05:00"]))


def test_values_matter() -> None:
    assert not same(pa.array([1]), pa.array([2]))
    assert not same(pa.array(["06"]), pa.array([6]))
    assert not same(pa.array([1.0]), pa.array([1.0001]))
    assert not same(pa.array([None, 1.0]), pa.array([0.0, 1.0]))
    assert not same(pa.array([True]), pa.array([False]))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.5, None]),
        pa.array([3, 4]),
        pa.array(["a", None]),
        pa.array([True, False]),
        pa.array([FIRST, None], pa.timestamp("us", "UTC")),
    ],
)
def test_the_comparison_notices_a_planted_change(values: pa.Array) -> None:
    column = skew_values.compared("x", skew_values.values_of(values), skew_values.values_of(values))
    assert column.mismatches == 0
    assert column.notices


def test_a_difference_is_named_by_the_rows_it_is_in() -> None:
    rows = np.arange(200)
    gaps, night, everything = Stratum("x is missing", rows < 20), Stratum("it is night", rows < 120), rows >= 0
    strata = [night, gaps, Stratum("y is negative", everything)]
    assert skew_report.explain(rows < 20, strata) == "in 20 of the 20 where x is missing and nowhere else"
    assert skew_report.explain((rows < 120) & (rows % 3 == 0), strata) == "all among the 120 where it is night"
    assert skew_report.explain(rows % 7 == 0, strata) == "in rows that no known stratum sets apart"
    assert skew_report.explain(everything, strata) == "in every row"


def test_of_equal_explanations_the_one_about_the_feature_itself_is_given() -> None:
    rows = np.arange(50) < 5
    strata = [Stratum("x is missing", rows), Stratum("y is missing", rows)]
    assert "where y is missing" in skew_report.explain(rows, strata, "y")
