"""Numbers and classes are brought into one shape, and their losses mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import PartFailure, Withheld
from mltest.probes.outcomes import Outcome, class_name, outcome_of

TEXTS = np.array(["no", "yes", "no", None], dtype=object)


def test_true_and_one_are_the_same_class_and_missing_is_none() -> None:
    assert class_name(True) == class_name(1) == class_name(1.0) == "1"
    assert class_name(None) is None
    assert class_name(float("nan")) is None


def test_the_kind_of_outcome_follows_the_task_and_else_the_targets() -> None:
    assert outcome_of("regression", np.array([0.0, 1.0]), None).is_number
    assert outcome_of("binary", np.array([0.0, 1.0]), None).classes == ("0", "1")
    assert outcome_of("something", TEXTS, None).classes == ("no", "yes")
    assert outcome_of("something", np.arange(10.0), None).is_number


def test_the_positive_class_decides_what_one_score_a_row_speaks_of() -> None:
    outcome = outcome_of("binary", TEXTS, "no")
    assert outcome.answers(np.array([0.9]), 1)[0].tolist() == pytest.approx([0.9, 0.1])


def test_an_unknown_positive_class_is_refused() -> None:
    with pytest.raises(Withheld, match="none of the classes"):
        outcome_of("binary", TEXTS, "maybe")


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(Withheld, match="no probabilities"):
        Outcome(("0", "1")).answers(np.array([3.2, -1.0]), 2)


def test_another_number_of_scores_than_classes_is_the_fault_of_the_model() -> None:
    with pytest.raises(PartFailure):
        Outcome(("a", "b", "c")).answers(np.full((2, 2), 0.5), 2)


def test_bare_decisions_of_many_classes_are_taken_as_they_are() -> None:
    outcome = Outcome(("a", "b", "c"))
    answers = outcome.answers(np.array(["b", "a"], dtype=object), 2)
    assert outcome.losses(np.array([1.0, 2.0]), answers).tolist() == [0.0, 1.0]


@given(st.floats(0, 1), st.sampled_from([0.0, 1.0]))
def test_the_loss_of_two_classes_is_the_squared_distance_of_the_score(score: float, happened: float) -> None:
    outcome = Outcome(("0", "1"))
    loss = outcome.losses(np.array([happened]), outcome.answers(np.array([score]), 1))
    assert loss[0] == pytest.approx((score - happened) ** 2, abs=1e-12)


def test_a_class_that_training_never_saw_costs_at_least_half() -> None:
    outcome = Outcome(("a", "b"))
    truth = outcome.truth(np.array(["c"], dtype=object))
    assert outcome.losses(truth, np.array([[0.5, 0.5]]))[0] == pytest.approx(0.75)
