"""Data 7, from outside: tests that notice pass, tests that do not fail, nothing passes unseen."""

from __future__ import annotations

import pytest

from mltest.probes import feature_mutation, feature_mutation_report
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.feature_code"
BAKERY = "tests.suites.bakery:system"
UNTOUCHED = ("V3-nan", "V5-self", "V6-direction", "V8-stale")
"""Nothing that this probe looks at is a number in a table, another table, an answer, or a log."""


@pytest.fixture(autouse=True)
def fewer_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few mutants as can decide, except where the whole is shown."""
    monkeypatch.setattr(feature_mutation, "FEWEST_POOLED", 12)
    monkeypatch.setattr(feature_mutation_report, "FEWEST_AT_ALL", 12)


def scored(pytester: pytest.Pytester, *faults: str, source: str = BAKERY) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def corner(pytester: pytest.Pytester, name: str) -> ItemResult:
    return scored(pytester, source=f"tests.suites.bakery_corners:{name}")


def test_in_full_values_worked_out_by_hand_notice_enough(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_mutation, "FEWEST_POOLED", 40)
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.measured["mutants_noticed"]["n"] >= 40
    assert found.value("inputs_without_tests") == 0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-D7-a=1", "of minutes_open no test ran (always skipped), at least one must"),
        ("O-D7-b=1000", "write tests with values worked out by hand that notice shop/"),
        ("O-D7-e=1", "the model reads trend, for which no test is named"),
    ],
)
def test_tests_that_do_not_test_fail_and_the_message_says_which(
    pytester: pytest.Pytester, fault: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize("fault", ["O-D7-a=0", "O-D7-a.twin=1", "O-D7-b.twin=1000", "O-D7-e.twin=1"])
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", [each for each in VACUITY if each not in UNTOUCHED])
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def test_what_happens_to_rows_and_answers_changes_nothing_in_what_tests_notice(pytester: pytest.Pytester) -> None:
    healthy = scored(pytester).measured
    changed = scored(pytester, *[f"{fault}=1" for fault in UNTOUCHED]).measured
    assert {name: m["value"] for name, m in changed.items()} == {name: m["value"] for name, m in healthy.items()}


@pytest.mark.parametrize(
    ("name", "verdict", "cause"),
    [
        ("full_hours_only", "failed", "mutants of minutes_open its tests notice"),
        ("smoke_test_only", "failed", "mutants of minutes_open its tests notice"),
        ("no_op_after_an_upgrade", "failed", "mutants of minutes_open its tests notice 0"),
        ("tests_of_something_else", "not_demonstrated", "name the tests that look at this code"),
        ("never_collected", "failed", "of minutes_open no test ran (none was collected)"),
        ("deselected_by_the_command", "failed", "tests of features are muted, none may be"),
        ("may_fail", "failed", "may fail (xfail, not strict)"),
        ("swallowing", "failed", "makes a failure look like success: take it out"),
        ("nothing_to_mutate", "failed", "nothing can be mutated where minutes_open is said to be computed"),
        ("all_called_equivalent", "failed", "are called equivalent"),
        ("unsteady", "not_demonstrated", "test_every_other_time passed and failed"),
        ("text_compared", "not_demonstrated", "fail when a comment is added"),
        ("other_runner", "not_demonstrated", "does not name pytest"),
        ("code_within_the_tests", "not_demonstrated", "name the code that computes the feature in production"),
        ("failing", "error", "fail on its own code, before anything is mutated"),
        ("place_of_yesterday", "error", "defines no open_for"),
        ("imported_from_elsewhere", "error", "from where it is installed"),
    ],
)
def test_tests_that_look_good_and_are_not_do_not_pass(
    pytester: pytest.Pytester, name: str, verdict: str, cause: str
) -> None:
    found = corner(pytester, name)
    assert found.verdict == verdict, found.message
    assert cause in found.message


def test_properties_a_class_a_src_folder_and_strict_warnings_are_as_good_as_any(pytester: pytest.Pytester) -> None:
    found = corner(pytester, "laid_out_otherwise")
    assert found.verdict == "passed", found.message


def test_a_mutant_that_nobody_could_notice_may_be_called_so_and_is_counted(pytester: pytest.Pytester) -> None:
    found = corner(pytester, "one_called_equivalent")
    assert found.verdict == "passed", found.message
    assert found.value("mutants_called_equivalent") <= 0.1


def test_a_repository_without_feature_code_says_how_to_offer_it(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.bakery:without_feature_code")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "part_missing")
    assert "feature_code()" in found.message
