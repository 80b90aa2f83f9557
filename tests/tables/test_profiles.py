from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest import tables


def one(values: pa.Array) -> tables.ColumnProfile:
    (profile,) = tables.profile(pa.table({"x": values}))
    return profile


def test_numbers_have_their_extremes_mean_and_deviation() -> None:
    profile = one(pa.array([1.0, 2.0, 3.0, None]))
    assert (profile.rows, profile.n, profile.distinct) == (4, 3, 3)
    assert (profile.minimum, profile.maximum, profile.mean, profile.deviation) == (1, 3, 2, 1)
    assert profile.null_share == 0.25


def test_nan_is_no_value_and_infinity_no_number() -> None:
    profile = one(pa.array([1.0, math.nan, math.inf, -math.inf]))
    assert (profile.n, profile.infinite) == (3, 2)
    assert (profile.minimum, profile.maximum, profile.mean) == (1, 1, 1)


def test_a_column_of_nulls_has_no_numbers() -> None:
    profile = one(pa.nulls(3, pa.float64()))
    assert (profile.n, profile.null_share) == (0, 1)
    assert (profile.minimum, profile.mean, profile.deviation) == (None, None, None)


def test_a_table_without_rows_has_no_share_of_nulls() -> None:
    profile = one(pa.array([], pa.float64()))
    assert (profile.rows, profile.null_share, profile.mean) == (0, None, None)


def test_texts_times_and_truths_are_counted() -> None:
    table = pa.table({"t": ["a", "b", "a"], "d": pa.array([1, 2, 3], pa.timestamp("us")), "b": [True, None, False]})
    text, time, truth = tables.profile(table)
    assert [(p.n, p.distinct, p.mean) for p in (text, time, truth)] == [(3, 2, None), (3, 3, None), (2, 2, None)]


def test_names_of_columns_are_opaque() -> None:
    hostile = ['"; DROP TABLE x; --', "rows", "n_0", "a'b", "{{7*7}}"]
    assert [p.column for p in tables.profile(pa.table({name: [1] for name in hostile}))] == hostile


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_a_profile_agrees_with_numpy(values: list[float]) -> None:
    profile = one(pa.array(values, pa.float64()))
    assert profile.minimum == min(values)
    assert profile.maximum == max(values)
    assert profile.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert profile.deviation == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-4)
