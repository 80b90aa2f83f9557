"""Data 1, from outside: a schema that knows its data passes, one that does not fails with the column's name."""

from __future__ import annotations

import pytest

from mltest import resources
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.schema"
ORCHARD = "tests.suites.orchard:system"
VARIANTS = "tests.suites.orchard_schemas"
BREAST_CANCER = "fixtures/systems/breast_cancer/mltest.toml"


def scored(pytester: pytest.Pytester, *faults: str, source: str = ORCHARD) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_schema_written_by_somebody_who_knows_the_data_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("input_coverage") == 1.0
    assert found.value("violations") == 0
    assert found.value("kill_ratio") >= 0.9


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("O-D1-a=7", "age"), ("O-D1-b=0.01", "age"), ("O-D1-c=0.1", "variety"), ("O-D1-d=0.5", "age")],
)
def test_what_a_schema_is_there_for_fails_and_the_message_names_the_column(
    pytester: pytest.Pytester, fault: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "fault",
    [*(f"O-D1-{letter}.twin=1" for letter in "abcd"), *(f"O-D1-{letter}=0" for letter in "abcd")],
)
def test_a_legal_extreme_or_a_better_description_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", [fault for fault in VACUITY if fault != "V6-direction"])
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def test_answers_with_the_wrong_sign_change_nothing_in_what_a_schema_says(pytester: pytest.Pytester) -> None:
    assert scored(pytester, "V6-direction=1").measured == scored(pytester).measured


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("without_a_schema", "part_missing"),
        ("with_a_schema_read_off_the_holdout", "circular"),
        ("with_training_rows_held_back", "circular"),
        ("with_an_input_that_went_silent", "too_little_data"),
    ],
)
def test_a_schema_that_cannot_be_judged_is_not_demonstrated(pytester: pytest.Pytester, source: str, code: str) -> None:
    found = scored(pytester, source=f"tests.suites.orchard:{source}")
    assert found.verdict == "not_demonstrated", found.message
    assert found.reason_code == code


def test_a_schema_that_only_asks_for_types_fails_by_the_damages_it_accepts(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.orchard:with_loose_expectations")
    assert found.verdict == "failed"
    assert found.value("kill_ratio") < 0.9
    assert "unit factor 1.609" in found.message


@pytest.mark.parametrize(
    ("variant", "cause"),
    [
        ("any_word", "of variety it refuses 0 of 3 damages of values"),
        ("any_text", "1 of 6 inputs (variety) have no expectation that could fail"),
        ("letters", "of variety it refuses 0 of 3 damages of values"),
        ("always_true", "of variety it refuses 0 of 3 damages of values"),
        ("two_of_twenty_unbounded", "of x0 it refuses 0 of 6 damages of values"),
        ("coercing", "it refuses 1 of 6 changes of type"),
    ],
)
def test_one_input_or_one_kind_that_nothing_protects_fails(pytester: pytest.Pytester, variant: str, cause: str) -> None:
    found = scored(pytester, source=f"{VARIANTS}:{variant}")
    assert found.verdict == "failed", found.message
    assert found.value("kill_ratio") >= 0.9
    assert cause in found.message


@pytest.mark.parametrize(
    ("variant", "cause"),
    [
        ("read_off_all_rows", "those of the held-back rows themselves"),
        ("read_off_with_slack", "those of the held-back rows themselves"),
        ("read_off_and_rounded", "those of the held-back rows themselves"),
        ("training_rows_under_other_keys", "100% of the holdout rows are training rows"),
        ("with_a_stuck_gauge", "rain is the same in every held-back row"),
    ],
)
def test_rows_that_cannot_contradict_the_schema_show_nothing(
    pytester: pytest.Pytester, variant: str, cause: str
) -> None:
    found = scored(pytester, source=f"{VARIANTS}:{variant}")
    assert found.verdict == "not_demonstrated", found.message
    assert cause in found.message


@pytest.mark.parametrize("variant", ["read_off_the_training_rows", "one_new_variety", "one_season"])
def test_an_honest_schema_and_honest_rows_pass(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"{VARIANTS}:{variant}")
    assert found.verdict == "passed", found.message


def test_the_breast_cancer_manifest_passes(pytester: pytest.Pytester) -> None:
    manifest = resources.path("rubric").parent / BREAST_CANCER
    found = scored(pytester, source=str(manifest))
    assert found.verdict == "passed", found.message
