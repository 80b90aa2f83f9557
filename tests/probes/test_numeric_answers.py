"""What a model answers to a sweep."""

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import PartFailure, Withheld
from mltest.probes import numeric_answers
from mltest.probes.numeric_domain import Sweep
from mltest.run.watching import Watched


class Line:
    """Answers twice the input."""

    def predict(self, rows):
        return 2.0 * rows["x"].to_numpy(zero_copy_only=False)


class Strict(Line):
    """Refuses infinities, the whole batch at once."""

    def predict(self, rows):
        answers = super().predict(rows)
        if np.isinf(answers).any():
            raise ValueError("x must be finite")
        return answers


class Broken(Line):
    def predict(self, rows):
        raise RuntimeError("the runtime is gone")


class ByBatch(Line):
    """Subtracts the mean of the batch."""

    def predict(self, rows):
        answers = super().predict(rows)
        return answers - answers.mean()


def rows(*values):
    return pa.table({"x": pa.array(values, pa.float64())})


def test_a_refused_row_is_found_in_a_refused_batch():
    answers = numeric_answers.answer_or_refuse(Watched(Strict(), "model", set()), rows(1, 2, np.inf, 4))
    np.testing.assert_array_equal(answers, [[2], [4], [np.nan], [8]])


def test_a_model_that_breaks_is_not_one_that_refuses():
    with pytest.raises(PartFailure, match="the runtime is gone"):
        numeric_answers.answer_or_refuse(Watched(Broken(), "model", set()), rows(1, 2))


def test_silence_and_missing_numbers_are_counted_with_their_labels():
    sweep = Sweep(rows(1, 2, 3), ("a", "b", "c"))
    given = np.array([[1.0], [np.nan], [np.inf]])
    assert numeric_answers.without_number(given, sweep).examples == ("b", "c")
    assert numeric_answers.silent(given, sweep).examples == ("a",)


def test_an_answer_that_depends_on_its_batch_is_seen():
    table = rows(*range(40))
    for model, expected in ((Line(), False), (ByBatch(), True)):
        together = numeric_answers.answer(model, table)
        found = numeric_answers.batch_dependence(model, table, together, float(together.std()))
        assert (found.count > 0) is expected


def test_half_precision_agrees_and_an_overflow_does_not():
    exact = np.linspace(-50, 50, 101)[:, None]
    labels = [str(i) for i in range(101)]
    half = exact.astype(np.float16).astype(np.float64)
    assert numeric_answers.disagreements(half, exact, 10.0, labels).count == 0
    clipped = np.clip(exact, -30, 30)
    assert numeric_answers.disagreements(clipped, exact, 10.0, labels).count == 40


def test_a_trace_of_another_shape_withholds():
    with pytest.raises(Withheld, match="shape"):
        numeric_answers.disagreements(np.ones((3, 1)), np.ones((3, 2)), 1.0, "abc")


def test_dead_units_are_those_that_never_move():
    layers = np.random.default_rng(0).normal(size=(100, 10))
    layers[:, :3] = 0.0
    share, units = numeric_answers.dead_units({"inputs": layers, "layer_1": layers, "answer": layers[:, 0]})
    assert (share, units) == (0.3, 10)
    assert numeric_answers.dead_units({"answer": layers[:, 0]}) is None


def test_the_most_frequent_answer_of_a_constant_model_is_every_one():
    assert numeric_answers.modal_share(np.zeros((50, 1))) == 1.0
    assert numeric_answers.modal_share(np.arange(50.0)[:, None]) == 0.02


def test_answers_of_another_length_withhold():
    class Short:
        def predict(self, rows):
            return np.zeros(1)

    with pytest.raises(Withheld, match="one answer a row"):
        numeric_answers.answer(Short(), rows(1, 2))


def test_the_spread_is_that_of_the_answers_that_are_numbers():
    given = np.array([[1.0], [3.0], [np.nan], [np.inf]])
    assert numeric_answers.spread_of(given) == 1.0
    assert numeric_answers.spread_of(np.full((10, 1), np.nan)) == 0.0


def test_a_number_alone_and_none_in_a_batch_depend_on_the_batch():
    class Crowded(Line):
        def predict(self, rows):
            answers = super().predict(rows)
            return np.full(rows.num_rows, np.nan) if rows.num_rows > 30 else answers

    table = rows(*range(40))
    found = numeric_answers.batch_dependence(Crowded(), table, np.full((40, 1), np.nan), 1.0)
    assert found.count == numeric_answers.SINGLE_ROWS
