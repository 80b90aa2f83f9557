"""What a watched computation shows."""

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import Withheld
from mltest.probes import numeric_domain, numeric_sweeps, numeric_trace


def test_half_precision_agrees_and_an_overflow_does_not():
    exact = np.linspace(-50, 50, 101)[:, None]
    labels = [str(i) for i in range(101)]
    half = exact.astype(np.float16).astype(np.float64)
    assert numeric_trace.disagreements(half, [exact], 10.0, labels).count == 0
    clipped = np.clip(exact, -30, 30)
    assert numeric_trace.disagreements(clipped, [exact], 10.0, labels).count == 40


def test_a_trace_of_another_shape_withholds():
    with pytest.raises(Withheld, match="shape"):
        numeric_trace.disagreements(np.ones((3, 1)), [np.ones((3, 2))], 1.0, "abc")


class Stump:
    """Steps up by ten above the threshold; `predict` sees single precision, `trace` double."""

    threshold = 0.1

    def predict(self, rows):
        return self._answers(rows["x"].to_numpy().astype(np.float32).astype(np.float64))

    def trace(self, rows):
        return {"answer": self._answers(rows["x"].to_numpy())}

    def _answers(self, values):
        return np.where(values > self.threshold, 10.0, 0.0)


def test_a_tree_whose_threshold_lies_on_a_row_may_fall_to_the_other_side():
    table = pa.table({"x": np.r_[[0.1], np.linspace(0, 1, 150)]})
    domain = numeric_domain.observe(table, ("x",))
    sweep = numeric_sweeps.unchanged(table)
    given = Stump().predict(table)[:, None]
    assert given[0, 0] != Stump().trace(table)["answer"][0]
    assert numeric_trace.differences(Stump(), domain, sweep, given, 1.0).count == 0
    wrong = given.copy()
    wrong[5] += 3.0
    assert numeric_trace.differences(Stump(), domain, sweep, wrong, 1.0).examples == ("ordinary row 5",)


def test_refused_rows_are_not_compared():
    table = pa.table({"x": np.linspace(0, 1, 150)})
    domain = numeric_domain.observe(table, ("x",))
    refused = np.full((150, 1), np.nan)
    found = numeric_trace.differences(Stump(), domain, numeric_sweeps.unchanged(table), refused, 1.0)
    assert (found.count, found.tried, found.share) == (0, 0, 0.0)


def test_dead_units_are_those_that_never_move():
    layers = np.random.default_rng(0).normal(size=(100, 10))
    layers[:, :3] = 0.0
    share, units = numeric_trace.dead_units({"inputs": layers, "layer_1": layers, "answer": layers[:, 0]})
    assert (share, units) == (0.3, 10)
    assert numeric_trace.dead_units({"answer": layers[:, 0]}) is None


def test_one_dead_layer_is_not_thinned_by_the_live_ones():
    alive = np.random.default_rng(0).normal(size=(100, 90))
    dying = np.random.default_rng(1).normal(size=(100, 10))
    dying[:, :9] = 0.0
    assert numeric_trace.dead_units({"layer_1": alive, "layer_2": dying}) == (0.9, 10)
