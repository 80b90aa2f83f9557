"""Two trainings side by side: what counts as a difference, and in which unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import ReasonCode
from mltest.probes import retraining_comparison as comparison
from mltest.probes.outcomes import Outcome
from mltest.probes.retraining import EXTENTS, shortened
from mltest.probes.surroundings import ELSEWHERE, THREADED, USUAL, Surroundings
from mltest.probes.trainings import ProcessResult, Retraining, Trained

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(0, 1, 500)
ANSWERS = TRUTH + RANDOM.normal(0, 0.3, 500)
NOISE = RANDOM.normal(0, 0.05, 500)


def process(place: Surroundings, *trained: Trained, rows: np.ndarray | None = None, seen: float = 0.0) -> ProcessResult:
    digests = np.arange(1_000, dtype=np.uint64) if rows is None else rows
    return ProcessResult(place, digests, learned=1_000, labelled=1_000, seen=seen, trainings=trained)


def trained(answers: np.ndarray, seed: int = 0, digest: str = "a") -> Trained:
    return Trained(seed, answers, digest, {"mae": 0.3, "seconds": RANDOM.random()}, 0.1)


def retraining(
    elsewhere: np.ndarray = ANSWERS,
    threaded: np.ndarray = ANSWERS,
    other_seed: np.ndarray = ANSWERS + NOISE,
    rows: np.ndarray | None = None,
    digest: str = "b",
) -> Retraining:
    return Retraining(
        usual=process(USUAL, trained(ANSWERS), trained(other_seed, 1, digest)),
        elsewhere=process(ELSEWHERE, trained(elsewhere), rows=rows),
        threaded=process(THREADED, trained(threaded), trained(other_seed - 2 * NOISE, 2, digest)),
        seed=0,
        shortened={},
    )


def compared(given: Retraining) -> comparison.Comparison:
    return comparison.compare(given, TRUTH, Outcome())


def test_equal_models_differ_by_nothing_and_another_seed_by_its_noise() -> None:
    found = compared(retraining())
    assert (found.process_difference, found.thread_difference, found.order.moved) == (0, 0, 0)
    assert found.seed_difference > 0.01
    assert comparison.blindness(retraining(), found) is None


def test_one_changed_prediction_is_found_and_counted() -> None:
    changed = ANSWERS.copy()
    changed[7] += 0.1
    found = compared(retraining(elsewhere=changed))
    assert found.process_rows == 1
    assert found.process_difference == pytest.approx(0.1 / ANSWERS.std())


def test_a_prediction_that_only_one_model_gives_is_a_whole_spread() -> None:
    changed = ANSWERS.copy()
    changed[3] = np.nan
    assert compared(retraining(elsewhere=changed)).process_difference == 1.0


def test_the_same_rows_in_another_order_are_told_from_other_rows() -> None:
    rows = np.arange(1_000, dtype=np.uint64)
    turned = compared(retraining(rows=rows[::-1].copy())).order
    fewer = compared(retraining(rows=rows[:-5])).order
    assert turned.only_order
    assert turned.moved == 1_000
    assert not fewer.only_order
    assert fewer.moved == 5


def test_a_seed_without_effect_makes_the_comparison_blind() -> None:
    given = retraining(other_seed=ANSWERS)
    given = Retraining(given.usual, given.elsewhere, process(THREADED, trained(ANSWERS)), 0, {})
    blind = comparison.blindness(given, compared(given))
    assert blind is not None
    assert "another seed" in blind[0]


def test_one_digest_for_different_models_is_stale() -> None:
    given = retraining(digest="a")
    blind = comparison.blindness(given, compared(given))
    assert blind is not None
    assert blind[1] is ReasonCode.STALE


def test_threads_that_decide_a_little_are_left_open_and_not_passed() -> None:
    given = retraining(threaded=ANSWERS + 0.01)
    blind = comparison.blindness(given, compared(given))
    assert blind is not None
    assert "number of threads" in blind[0]


def test_threads_that_change_as_much_as_another_seed_are_told_from_rounding() -> None:
    rounded, reseeded = compared(retraining(threaded=ANSWERS + 1e-4)), compared(retraining(threaded=ANSWERS - NOISE))
    assert rounded.thread_share == 0
    assert reseeded.thread_share == pytest.approx(1)


def test_a_model_read_back_is_one_that_another_process_or_an_earlier_run_left() -> None:
    given = retraining()

    def told(older: bool, *written: str) -> tuple[str, ...]:
        back = Trained(0, ANSWERS, "a", {}, 0.1, given_back={"/kept/0": older})
        usual = ProcessResult(USUAL, np.zeros(0, np.uint64), 1_000, 1_000, 0.0, (), written=frozenset(written))
        return Retraining(usual, process(ELSEWHERE, back), given.threaded, 0, {}).read_back

    assert told(True) == told(False, "/kept/0", "/kept/1") == ("/kept/0",)
    assert told(False, "/kept/1") == ()


def test_too_few_rows_in_the_other_process_only_are_other_rows_and_no_obstacle() -> None:
    given = retraining()
    empty = ProcessResult(ELSEWHERE, np.zeros(0, dtype=np.uint64), learned=0, labelled=0, seen=0.0, trainings=())
    emptied = Retraining(given.usual, empty, given.threaded, 0, {})
    assert comparison.obstacle(emptied) is None
    found = compared(emptied)
    assert (found.order.moved, found.process_difference) == (1_000, 1)


def test_rows_that_were_learnt_from_are_no_holdout() -> None:
    given = retraining()
    seen = process(USUAL, *given.usual.trainings, seen=0.9)
    obstacle = comparison.obstacle(Retraining(seen, given.elsewhere, given.threaded, 0, {}))
    assert obstacle is not None
    assert obstacle[1] is ReasonCode.CIRCULAR


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
def test_differences_do_not_depend_on_which_model_comes_first(values: list[float]) -> None:
    one, two = np.array(values), np.array(values[::-1])
    assert comparison.gaps(one, two, 2.0) == pytest.approx(comparison.gaps(two, one, 2.0))
    assert not comparison.gaps(one, one, 2.0).any()


def test_labels_and_scores_are_compared_too() -> None:
    assert comparison.gaps(np.array(["a", "b"]), np.array(["a", "c"]), 1.0).tolist() == [0.0, 1.0]
    scores = np.array([[0.2, 0.8], [0.5, 0.5]])
    assert comparison.gaps(scores, scores[:, ::-1], 1.0).tolist() == pytest.approx([0.6, 0.0])


def test_metrics_of_time_are_left_out() -> None:
    assert comparison.metric_difference({"mae": 2.0, "train_seconds": 1.0}, {"mae": 2.0, "train_seconds": 9.0}) == 0
    assert comparison.metric_difference({"mae": 2.0}, {"mae": 1.0}) == 0.5


def test_only_a_quick_training_is_shortened_and_only_in_its_epochs() -> None:
    config = {"epochs": 50, "learning_rate": 0.1, "max_epochs": 5}
    assert shortened(config, EXTENTS["quick"]) == {"epochs": 10}
    assert shortened(config, EXTENTS["standard"]) == {}
