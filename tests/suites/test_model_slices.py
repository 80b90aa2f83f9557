"""Model 6, from outside: a slice that is served badly, or lost, fails by name; bad luck and hard cases do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "model.slices"
FERRIES = "tests.suites.ferries:system"
BREAST_CANCER = str(Path(__file__).parents[2] / "fixtures" / "systems" / "breast_cancer" / "mltest.toml")


def scored(pytester: pytest.Pytester, *faults: str, source: str = FERRIES) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_model_that_serves_every_slice_passes_although_long_crossings_err_more(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("slices_failed") == 0
    assert found.value("slices_unknown") > 0
    assert found.value("settled_rows_of_port") > 90


def test_a_slice_learned_from_wrong_labels_fails_by_name(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-M6-a=2")
    assert found.verdict == "failed", found.message
    assert "port = mull" in found.message


def test_wrong_labels_that_every_yardstick_learned_too_are_still_found(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:corrupt_labels")
    assert found.verdict == "failed", found.message
    assert "port = mull" in found.message
    assert "look at the training labels" in found.message


def test_rows_without_a_wave_are_a_slice_of_their_own(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:without_wave")
    assert found.verdict == "failed", found.message
    assert "wave is missing = yes" in found.message


def test_two_groups_that_are_fine_apart_and_wrong_together_fail(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-M6-d=2")
    assert found.verdict == "failed", found.message
    assert " and " in found.message


def test_a_slice_that_a_join_lost_everywhere_fails_by_the_raw_rows(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-M6-b=0.05")
    assert found.verdict == "failed", found.message
    assert "port = mull" in found.message
    assert "raw rows" in found.message


def test_a_slice_that_only_training_lost_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:port_lost")
    assert found.verdict == "failed", found.message
    assert "port = mull" in found.message


@pytest.mark.parametrize(
    "fault", ["O-M6-a=0", "O-M6-a.twin=2", "O-M6-b=0", "O-M6-b.twin=0.01", "O-M6-d=0", "O-M6-d.twin=0.01"]
)
def test_bad_luck_in_a_tiny_slice_and_an_absent_season_keep_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_without_declared_slices_nothing_is_demonstrated(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:no_slices")
    assert found.verdict == "not_demonstrated", found.message
    assert "no slice was declared" in found.message


def test_a_few_days_are_too_few_to_judge_slices(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:few_days")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "too_little_data")


def test_a_small_classifier_of_files_that_equals_the_linear_yardstick_everywhere_holds_beside_it(
    pytester: pytest.Pytester,
) -> None:
    found = scored(pytester, source=BREAST_CANCER)
    assert found.verdict == "passed", found.message
    assert found.value("yardsticks") == 1
    assert found.value("settled_rows_of_size_class") > 50


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes_for_a_classifier_of_files(pytester: pytest.Pytester, fault: str) -> None:
    assert scored(pytester, f"{fault}=1", source=BREAST_CANCER).verdict in ("not_demonstrated", "error", "failed")


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
