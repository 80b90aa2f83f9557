from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import sem

from mltest.stats.clusters import cluster, ratio_error

totals = st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.1, 50)), min_size=2, max_size=30)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30))
def test_clusters_of_equal_size_have_the_error_of_the_mean_of_their_means(means: list[float]) -> None:
    sums, sizes = 7 * np.array(means), np.full(len(means), 7.0)
    ratio, error = ratio_error(sums, sizes)
    assert ratio == pytest.approx(np.mean(means), abs=1e-9)
    assert error == pytest.approx(sem(means), abs=1e-9)


@given(totals)
def test_the_error_is_that_of_leaving_out_one_cluster_after_another(rows: list[tuple[float, float]]) -> None:
    above, below = (np.array(column) for column in zip(*rows, strict=True))
    ratio, error = ratio_error(above, below)
    left_out = (above.sum() - above) / (below.sum() - below)
    count = len(rows)
    assert error == pytest.approx(math.sqrt((count - 1) / count * np.square(left_out - ratio).sum()), abs=1e-9)


def test_one_cluster_or_a_total_that_rests_on_one_has_no_error() -> None:
    assert math.isnan(ratio_error(np.array([1.0]), np.array([2.0]))[1])
    assert math.isnan(ratio_error(np.array([1.0, 1.0]), np.array([2.0, 0.0]))[1])
    assert math.isnan(ratio_error(np.array([]), np.array([]))[0])


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["2013-11-01", "2013-11-02", "2013-12-24"]), min_size=1, max_size=20))
def test_sums_per_cluster_follow_the_sorted_labels(days: list[str]) -> None:
    grouping = cluster(days)
    assert grouping.sizes().tolist() == [days.count(day) for day in sorted(set(days))]
    assert grouping.sums(np.full(len(days), 2.0)).tolist() == [2.0 * days.count(day) for day in sorted(set(days))]
