"""Monitor 5, from outside: a model that minds its numbers passes, masked or lost ones fail, nothing passes unseen."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "monitoring.numerics"
GAUGES = "tests.suites.gauges:system"
VARIANTS = "tests.suites.gauge_variants"


def scored(pytester: pytest.Pytester, *faults: str, source: str = GAUGES) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_model_that_refuses_what_it_was_not_made_for_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("legal_inputs_without_a_number") == 0
    assert found.value("illegal_inputs_answered_in_silence") == 0
    assert found.value("dead_hidden_units") == 0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-MON5-a=1", "legal inputs without a number"),
        ("O-MON5-b=0.01", "legal inputs without a number: inflow at its largest"),
        ("O-MON5-c=1", "illegal inputs answered in silence: inflow = inf"),
        ("O-MON5-d=0.9", "dead_hidden_units"),
    ],
)
def test_arithmetic_that_broke_fails_and_the_message_names_the_input(
    pytester: pytest.Pytester, fault: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "fault", [*(f"O-MON5-{letter}=0" for letter in "abcd"), *(f"O-MON5-{x}.twin=1" for x in "abc")]
)
def test_guarded_arithmetic_and_half_precision_pass(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_some_sleeping_units_pass(pytester: pytest.Pytester) -> None:
    assert scored(pytester, "O-MON5-d.twin=0.2").verdict == "passed"


@pytest.mark.parametrize(
    ("variant", "cause"),
    [
        ("nan_replaced_by_a_mean", "illegal inputs answered in silence: inflow = NaN"),
        ("impossible_numbers_clipped", "impossible inputs answered in silence: inflow = 1e+38"),
        ("wraps_above_the_record", "answers that leap at the edge: inflow = "),
        ("divides_by_a_difference", "legal inputs without a number: inflow = outflow = "),
        ("freezes_in_a_corner", "ordinary_answers_that_differ_from_float64"),
        ("freezes_unseen", "most_frequent_answer"),
        ("last_layer_died", "dead_hidden_units is 0.875"),
        ("lost_at_one_port", "legal inputs without a number: port = skye"),
    ],
)
def test_a_fault_that_no_extreme_of_one_input_shows_fails(pytester: pytest.Pytester, variant: str, cause: str) -> None:
    found = scored(pytester, source=f"{VARIANTS}:{variant}")
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize("variant", ["wet_or_dry", "refuses_by_arithmetic", "mostly_nought", "boosted_ferries"])
def test_steps_zeros_and_loud_refusals_are_healthy(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"{VARIANTS}:{variant}")
    assert found.verdict == "passed", found.message


def test_a_black_box_is_only_told_what_impossible_inputs_it_answers(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source=f"{VARIANTS}:boosted_ferries")
    assert found.value("impossible_inputs_answered_in_silence") > 0
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", [operator for operator in VACUITY if operator != "V5-self"])
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def test_a_model_that_learnt_from_rows_which_nobody_offers_shows_nothing(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "V8-stale=1")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "stale")
    assert "offer the rows that it was trained on" in found.message


def test_equal_splits_change_nothing_in_what_one_split_says(pytester: pytest.Pytester) -> None:
    assert scored(pytester, "V5-self=1").measured == scored(pytester).measured
