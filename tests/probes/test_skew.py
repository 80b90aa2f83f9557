"""The parts of the comparison of two paths: when to look, which rows to take, what is equal, and how it is told."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.probes import (
    live_path,
    row_keys,
    served_rows,
    skew_choice,
    skew_moment,
    skew_strata,
    skew_values,
    skew_where,
    skew_windows,
)
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


def test_the_newest_rows_are_looked_at_before_older_changes_of_clocks() -> None:
    older = HOURLY - np.timedelta64(210, "D")
    first, second, third, *_ = skew_windows.stretches([HOURLY, older], 100, 4, "America/New_York")
    assert first.change is not None
    assert second.change is None
    assert second.window[1] == FIRST + timedelta(hours=60 * 24 - 1, seconds=1)
    assert third.change == datetime(2024, 3, 10, 7, tzinfo=UTC)


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


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("kind", [int, float])
def test_instants_are_found_in_numbers_of_any_unit(unit: int, kind: type) -> None:
    own = pa.array([FIRST, None, FIRST + timedelta(hours=5)], pa.timestamp("us", "UTC"))
    seconds = [1727740800, None, 1727740800 + 5 * 3600]
    assert same(own, pa.array([None if s is None else kind(s * unit) for s in seconds]))
    assert not same(own, pa.array([None if s is None else kind((s + 1) * unit) for s in seconds]))


def test_numbers_of_another_type_are_the_same_numbers() -> None:
    assert same(pa.array([True, None, False]), pa.array([1, None, 0]))
    assert same(pa.array([1, 0]), pa.array([True, False]))
    assert not same(pa.array([True, False]), pa.array([1, 2]))
    assert same(pa.array([0.125, None]), pa.array([Decimal("0.1250"), None]))
    assert not same(pa.array([0.125, None]), pa.array([Decimal("0.1260"), None]))


@pytest.mark.parametrize("size", [1e-10, 1e-7, 1e-3, 1.0, 1e6])
def test_what_two_numbers_may_differ_by_follows_their_size(size: float) -> None:
    values = pa.array(np.array([0.0, 1.0, 2.0, -3.0]) * size)
    assert same(values, pa.array(np.array([0.0, 1.0, 2.0, -3.0]) * size * (1 + 1e-6)))
    assert not same(values, pa.array(np.array([0.0, 1.0, 2.001, -3.0]) * size))
    assert not same(values, pa.array(np.zeros(4)))


def test_rounding_around_nought_is_no_difference() -> None:
    assert same(pa.array([0.0, 0.0]), pa.array([5.5e-17, 0.0]))
    assert same(pa.array([5.5e-17, -1e-17]), pa.array([0.0, 0.0]))


@pytest.mark.parametrize("late", [timedelta(seconds=1), timedelta(milliseconds=900)])
def test_a_moment_may_be_kept_in_whole_seconds_but_not_be_another(late: timedelta) -> None:
    moments = [FIRST + timedelta(seconds=n, milliseconds=300) for n in range(5)]
    batch = pa.table({"sent": pa.array(moments, pa.timestamp("us", "UTC"))})
    log = pa.table({"as_of": pa.array([m.replace(microsecond=0) for m in moments], pa.timestamp("s", "UTC"))})
    kept = skew_moment.compare(batch, log, "sent")
    assert kept is not None
    assert kept.mismatches == 0
    shifted = pa.table({"as_of": pa.array([m + late for m in moments], pa.timestamp("ms", "UTC"))})
    other = skew_moment.compare(batch, shifted, "sent")
    assert other is not None
    assert other.mismatches == 5


def test_a_column_of_another_name_holds_the_moments_only_if_it_agrees() -> None:
    batch = pa.table({"sent": pa.array([FIRST], pa.timestamp("us", "UTC"))})
    assert skew_moment.compare(batch, batch.rename_columns(["when"]), "sent") is not None
    written = pa.table({"written": pa.array([FIRST + timedelta(hours=1)], pa.timestamp("us", "UTC"))})
    assert skew_moment.compare(batch, written, "sent") is None


def test_keys_are_the_same_however_they_are_stored() -> None:
    batch = pa.table({"at": pa.array([FIRST], pa.timestamp("us", "UTC")), "n": [7]})
    own = row_keys.of_table(batch, ["at", "n"])
    tokyo = pa.table({"at": pa.array([FIRST], pa.timestamp("ms", "Asia/Tokyo")), "n": [7.0]})
    text = pa.table({"at": ["2024-10-01T09:00:00+09:00"], "n": ["7"]})
    number = pa.table({"at": [1727740800000], "n": [Decimal(7)]})
    for log in (tokyo, text, number):
        assert row_keys.of_table(log, ["at", "n"], batch) == own
    assert row_keys.of_records([{"at": "2024-10-01 00:00:00Z", "n": 7}], ["at", "n"], batch) == own
    assert row_keys.of_records([{"at": "2024-10-01 00:00:00Z"}], ["at", "n"], batch) is None


@given(st.integers(1, 1_500))
def test_every_record_is_asked_once_and_some_of_them_in_one_long_request(count: int) -> None:
    records = [{"n": number} for number in range(count)]
    sizes = [len(request) for request in live_path.requests(records)]
    assert [record for request in live_path.requests(records) for record in request] == records
    assert sizes.count(1) >= count / 5
    if count >= 4 * live_path.BATCH + 100:
        assert sum(size > live_path.BATCH for size in sizes) == 1


def answered(log: pa.Table, predictions: list[float]) -> live_path.Served:
    said = tuple({"prediction": value, "version": "1"} for value in predictions)
    return live_path.Served(said, (1,) * len(said), {}, log, log, ())


def test_records_without_keys_are_paired_with_the_log_by_their_place() -> None:
    batch = pa.table({"k": ["a", "b", "c"]})
    log = pa.table({"k": ["c", "a", "health", "b"], "prediction": [3.0, 1.0, 0.0, 2.0]})
    chosen = skew_choice.choose([{}, {}, {}], batch, ["a", "b", "c"], ["k"], (), 10)
    for predictions, apart in (([1.0, 2.0, 3.0], 0), ([3.0, 2.0, 1.0], 2)):
        served = answered(log, predictions)
        kept = served_rows.of_requests(served, chosen, ["a", "b", "c"], ["k"], batch)
        assert (kept.missing, kept.strangers, kept.rows["k"].to_pylist()) == (0, 0, ["c", "a", "b"])
        said = served_rows.replies(kept.keys or (), served.answers, ["c", "a", "b"], kept.rows)
        assert said.mismatches == apart


def test_a_row_that_the_server_names_otherwise_is_a_stranger_and_a_lost_one_is_missing() -> None:
    batch = pa.table({"k": ["a", "b", "c"]})
    chosen = skew_choice.choose([{}, {}, {}], batch, ["a", "b", "c"], ["k"], (), 10)
    renamed = answered(pa.table({"k": ["a", "b", "z"], "prediction": [1.0, 2.0, 3.0]}), [1.0, 2.0, 3.0])
    lost = answered(pa.table({"k": ["a", "b"], "prediction": [1.0, 2.0]}), [1.0, 2.0, 3.0])
    for served, counts in ((renamed, (0, 1)), (lost, (1, 0))):
        kept = served_rows.of_requests(served, chosen, ["a", "b", "c"], ["k"], batch)
        assert (kept.missing, kept.strangers) == counts


def test_a_kind_of_row_that_is_never_offered_is_told_from_a_few_that_happen_not_to_be() -> None:
    rows = np.arange(1_000)
    gaps, one = Stratum("x is missing", rows < 20, 30), Stratum("x is at its end", rows == 500, 2)
    assert skew_strata.unmet([gaps, one], rows >= 20) == ("x is missing",)
    assert skew_strata.unmet([gaps, one], rows % 5 != 0) == ()


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
    assert skew_where.explain(rows < 20, strata) == "in 20 of the 20 where x is missing and nowhere else"
    assert skew_where.explain((rows < 120) & (rows % 3 == 0), strata) == "all among the 120 where it is night"
    assert skew_where.explain(rows % 7 == 0, strata) == "in rows that no known stratum sets apart"
    assert skew_where.explain(everything, strata) == "in every row"


def test_of_equal_explanations_the_one_about_the_feature_itself_is_given() -> None:
    rows = np.arange(50) < 5
    strata = [Stratum("x is missing", rows), Stratum("y is missing", rows)]
    assert "where y is missing" in skew_where.explain(rows, strata, "y")
