"""What a model answers to a sweep."""

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import PartFailure, Withheld
from mltest.probes import numeric_answers
from mltest.probes.numeric_sweeps import Edges, Sweep
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


def test_a_leap_just_outside_is_seen_and_a_steep_slope_is_none():
    class Wrapped(Line):
        """Overflows above 100."""

        def predict(self, rows):
            answers = super().predict(rows)
            return np.where(answers > 200, answers - 256, answers)

    edges = Edges(rows(95), rows(100), rows(105), ("x = 105",))
    for model, expected in ((Line(), 0), (Wrapped(), 1), (Strict(), 0)):
        assert numeric_answers.breaks(model, edges, 1.0).count == expected


def test_a_refused_edge_is_no_leap():
    edges = Edges(rows(95), rows(100), rows(np.inf), ("x = inf",))
    assert numeric_answers.breaks(Watched(Strict(), "model", set()), edges, 1.0).count == 0


def test_a_row_on_a_threshold_moves_one_way_only_and_is_no_jump():
    given = np.zeros((4, 1))
    away = np.array([[0.0], [5.0], [0.0], [5.0]])
    assert numeric_answers.jumps(given, given, away, 1.0) == 0.0
    assert numeric_answers.jumps(given, -away, away, 1.0) == 0.5


@pytest.mark.parametrize("error", [ValueError, FloatingPointError, ZeroDivisionError, KeyError])
def test_a_refusal_may_be_of_the_value_or_of_the_computation(error):
    class Refusing(Line):
        def predict(self, rows):
            raise error("no")

    answers = numeric_answers.answer_or_refuse(Watched(Refusing(), "model", set()), rows(1, 2))
    assert np.isnan(answers).all()


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
