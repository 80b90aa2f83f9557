"""Moments lie just after a row, at the awkward times first, and leave a past and a future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import travel_moments
from mltest.probes.thinned_tables import LARGE, ThinnedTables

START = datetime(2024, 5, 1, tzinfo=UTC)
HOUR = 3_600_000_000


def instants() -> np.ndarray:
    """A row every hour for 60 days, ten more within one hour, and nothing for two days."""
    start = int(START.timestamp() * 1e6)
    hourly = start + HOUR * np.arange(60 * 24)
    busy = start + HOUR * 500 + np.arange(1, 11) * 60_000_000
    gone = (hourly >= start + HOUR * 900) & (hourly < start + HOUR * 948)
    return np.concatenate([hourly[~gone], busy])


def test_the_telling_moments_come_first_and_lie_a_second_after_a_row() -> None:
    learned = int((START + timedelta(days=40)).timestamp() * 1e6)
    moments = travel_moments.choose(instants(), learned, "quick", 0)
    assert len(moments) == travel_moments.MOST * travel_moments.MOMENTS["quick"]
    busiest, midnight, learned_until, gap = (moment.at for moment in moments[:4])
    assert busiest == START + timedelta(hours=500, minutes=10, seconds=1)
    assert (midnight.hour, midnight.minute, midnight.second) == (23, 0, 1)
    assert learned_until == START + timedelta(days=40, seconds=1)
    assert START + timedelta(hours=948) < gap < START + timedelta(hours=960)
    assert all(first.at != second.at for first, second in pairwise(moments))


def test_the_first_moments_are_the_same_at_every_effort() -> None:
    quick, thorough = (travel_moments.choose(instants(), None, effort, 3) for effort in ("quick", "thorough"))
    assert thorough[: len(quick)] == quick


def test_a_past_and_a_future_are_left_and_few_rows_are_judged() -> None:
    rows = np.sort(instants())
    for moment in travel_moments.choose(instants(), None, "standard", 1):
        begin, end = (round(edge.timestamp() * 1e6) for edge in moment.window)
        assert np.mean(rows < end) > 0.05
        assert np.mean(rows >= end) > 0.04
        assert 0 < np.sum((rows >= begin) & (rows < end)) <= travel_moments.ROWS


@pytest.mark.parametrize("rows", [np.arange(50) * HOUR, np.zeros(500, dtype=np.int64), np.zeros(0, dtype=np.int64)])
def test_too_few_rows_or_one_instant_are_no_time_to_travel_in(rows: np.ndarray) -> None:
    with pytest.raises(Withheld) as caught:
        travel_moments.choose(rows, None, "quick", 0)
    assert caught.value.code is ReasonCode.TOO_LITTLE_DATA


def test_days_and_instants_without_a_zone_are_taken_for_utc() -> None:
    day = pa.chunked_array([pa.array([START.date(), None])])
    naive = pa.chunked_array([pa.array([START.replace(tzinfo=None)], pa.timestamp("ms"))])
    expected = int(START.timestamp() * 1e6)
    assert travel_moments.microseconds(day).tolist() == [expected]
    assert travel_moments.microseconds(naive).tolist() == [expected]
    with pytest.raises(Withheld, match="which is no time"):
        travel_moments.microseconds(pa.chunked_array([pa.array(["2024-05-01"])]))


def hourly(rows: int) -> pa.Table:
    at = pa.array(int(START.timestamp() * 1e6) + HOUR * np.arange(rows), pa.timestamp("us", "UTC"))
    return pa.table({"number": np.arange(rows), "at": at})


def test_large_tables_keep_the_days_around_a_moment_and_some_of_all_others() -> None:
    table = hourly(LARGE)
    moment = START + timedelta(days=100, hours=5)
    thinned = ThinnedTables.around(moment, {"t": table, "small": hourly(30)}, {"t": table, "small": hourly(30)})
    kept = thinned.of({"t": table, "small": hourly(30)})
    days = {at.date() for at in kept["t"]["at"].to_pylist()}
    assert kept["small"].num_rows == 30
    assert {moment.date() + timedelta(days=shift) for shift in (-2, -1, 0, 1)} <= days
    assert min(days) == START.date()
    assert max(days) > (START + timedelta(days=800)).date()
    assert kept["t"].num_rows < 0.05 * LARGE


def test_an_instant_that_is_blank_at_the_moment_thins_nothing() -> None:
    table = hourly(LARGE)
    blank = table.set_column(1, "at", pa.nulls(LARGE, pa.timestamp("us", "UTC")))
    assert not ThinnedTables.around(START, {"t": table}, {"t": blank}).cuts
