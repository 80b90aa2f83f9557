"""What a search log shows by itself: equals, edges, distances, and the expected best of k trials."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest import Choices, PartFailure, Range, SearchLog, SearchTrial, Withheld
from mltest.probes import search_log, tuning_candidates

RATE = Range(1e-4, 1e-1, log=True)
SPACE = {"rate": RATE, "dropout": Range(0.0, 0.5), "width": Choices((32, 64))}


def log_of(*trials: tuple[float, float, float], space: Any = None) -> SearchLog:
    """Trials as (rate, dropout, value)."""
    made = [SearchTrial({"rate": rate, "dropout": dropout, "width": 32}, value) for rate, dropout, value in trials]
    return SearchLog(space or SPACE, made)


def config(rate: float = 1e-2, dropout: float = 0.2, width: int = 32) -> dict[str, Any]:
    return {"rate": rate, "dropout": dropout, "width": width, "epochs": 5}


def test_the_best_trial_as_shipped_is_neither_at_an_edge_nor_another() -> None:
    read = search_log.read(log_of((1e-2, 0.2, 1.0), (1e-3, 0.1, 1.5)), config())
    assert (read.finished, read.settings, read.values, read.asked) == (2, 2, 2, 10)
    assert (read.at_edge, read.not_shipped) == ((), ())


@pytest.mark.parametrize(("rate", "differs"), [(1.5e-2, ()), (1e-2, ()), (3e-2, ("rate",)), (1e-1, ("rate",))])
def test_a_number_may_be_rounded_and_no_more(rate: float, differs: tuple[str, ...]) -> None:
    assert search_log.read(log_of((1e-2, 0.2, 1.0), (1e-3, 0.1, 1.5)), config(rate)).not_shipped == differs


def test_an_equally_good_trial_may_be_shipped_instead_of_the_best() -> None:
    log = log_of((1e-2, 0.2, 1.0), (1e-3, 0.2, 1.005), (1e-4, 0.2, 1.5))
    assert search_log.read(log, config(1e-3)).not_shipped == ()
    assert search_log.read(log, config(2e-4)).not_shipped == ("rate",)


@pytest.mark.parametrize(
    ("rate", "dropout", "edges"),
    [
        (1e-1, 0.2, ("rate",)),
        (1e-4, 0.2, ("rate",)),
        (1e-2, 0.0, ()),
        (1e-2, 0.5, ("dropout",)),
        (9.5e-2, 0.2, ("rate",)),
    ],
)
def test_an_edge_counts_unless_it_is_natural(rate: float, dropout: float, edges: tuple[str, ...]) -> None:
    read = search_log.read(log_of((rate, dropout, 1.0), (1e-2, 0.3, 2.0)), config(rate, dropout))
    assert read.at_edge == edges


def test_a_best_trial_at_an_edge_with_an_equal_inside_is_no_edge() -> None:
    assert search_log.read(log_of((1e-1, 0.2, 1.0), (1e-2, 0.2, 1.002)), config(1e-1)).at_edge == ()


def test_a_larger_value_is_better_where_the_log_says_so() -> None:
    log = SearchLog(SPACE, log_of((1e-2, 0.2, 0.9), (1e-3, 0.1, 0.5)).trials, direction="maximize")
    assert search_log.read(log, config()).best.value == 0.9


def test_trials_that_were_given_up_or_miss_a_key_do_not_count() -> None:
    log = log_of((1e-2, 0.2, 1.0))
    more = [SearchTrial({"rate": 1e-2}, 0.1), SearchTrial(log.trials[0].params, None)]
    nan = SearchTrial(log.trials[0].params, float("nan"))
    assert len(search_log.finished(SearchLog(SPACE, [*log.trials, *more, nan]))) == 1


def test_the_whole_of_a_small_space_is_enough() -> None:
    assert search_log.size({"depth": Range(1, 3, whole=True), "kind": Choices(("a", "b"))}) == 6
    assert search_log.size(SPACE) == 1_000_000


def test_a_log_without_trials_or_of_another_training_is_no_evidence() -> None:
    with pytest.raises(Withheld, match="0 trials"):
        search_log.require(SearchLog(SPACE, []), config())
    with pytest.raises(Withheld, match="does not have"):
        search_log.require(log_of((1e-2, 0.2, 1.0)), {"rate": 1.0})
    with pytest.raises(Withheld, match="search_log"):
        search_log.require(None, config())
    with pytest.raises(PartFailure, match="of type dict"):
        search_log.require({}, config())  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_expected_best_of_k_is_the_mean_over_all_draws(k: int) -> None:
    values = (1.0, 2.0, 4.0, 7.0)
    log = log_of(*((1e-2, 0.2, value) for value in values))
    everything = float(np.mean([min(drawn) for drawn in product(values, repeat=k)]))
    assert dict(search_log.expected_best(log))[k] == pytest.approx(everything)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), number=st.integers(1, 20), rate=st.floats(1e-4, 1e-1))
def test_candidates_are_wider_than_the_space_and_stop_at_natural_ends(seed: int, number: int, rate: float) -> None:
    found = tuning_candidates.around(SPACE, config(rate), number, seed)
    assert len(found) == number
    assert all(set(each) == set(SPACE) for each in found)
    assert found == tuning_candidates.around(SPACE, config(rate), number, seed)
    assert all(each["dropout"] >= 0.0 and each["rate"] > 0.0 and each["width"] in (32, 64) for each in found)
    assert all(1e-4 / 40 < each["rate"] < 1e-1 * 40 for each in found)


def test_a_narrow_range_and_a_key_that_was_never_searched_are_left_far_behind() -> None:
    narrow = {"rate": Range(0.1, 0.4, log=True), "width": Choices((32, 64))}
    found = tuning_candidates.around(narrow, {"rate": 0.2, "width": 32, "decay": 0.5}, 12, 0)
    assert min(each["rate"] for each in found) <= 0.2 / 24
    assert {each["decay"] for each in found if "decay" in each} == {0.1, 2.5}
    assert tuning_candidates.never_searched(narrow, {**config(), "floor": 0.0}) == ("dropout",)


def test_training_is_lengthened_by_what_the_configuration_calls_its_length() -> None:
    assert tuning_candidates.longer({"epochs": 5, "rate": 0.1}) == {"epochs": 10}
    assert tuning_candidates.longer({"rate": 0.1, "max_iter": True}) == {}
