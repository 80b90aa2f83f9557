"""Data 2, from outside: features that earn their keep pass, passengers are named, nothing passes unseen."""

from __future__ import annotations

import pytest

from mltest import resources
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.benefit"
ORCHARD = "tests.suites.orchard:system"
BREAST_CANCER = "fixtures/systems/breast_cancer/mltest.toml"


def scored(pytester: pytest.Pytester, *faults: str, source: str = ORCHARD) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_features_that_all_matter_pass_and_the_controls_are_on_the_card(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("beneficial_inputs") == 6
    assert found.value("screened_benefit_of_sunshine") > 10
    assert found.value("retrained_benefit_of_sunshine") > 10
    assert abs(found.value("retrained_benefit_of_noise")) < 0.5
    assert found.value("trainings") >= 6


@pytest.mark.parametrize(
    ("fault", "measured", "count", "cause"),
    [
        ("O-D2-a=1", "useless_inputs", 1, "injected_noise_0"),
        ("O-D2-a.category=1", "useless_inputs", 1, "injected_level_0"),
        ("O-D2-b=1", "redundant_inputs", 1, "age_converted says what age says"),
        ("O-D2-d=1", "dead_inputs", 1, "missing in every row"),
    ],
)
def test_a_passenger_fails_and_the_message_names_it(
    pytester: pytest.Pytester, fault: str, measured: str, count: int, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert found.value(measured) == count
    assert cause in found.message


@pytest.mark.parametrize(
    "fault",
    ["O-D2-a.twin=0.3", "O-D2-a.category.twin=1", "O-D2-b.twin=1", "O-D2-d.twin=1", "O-D2-a=0", "O-D2-b=0", "O-D2-d=0"],
)
def test_a_weak_feature_or_a_column_that_nobody_reads_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "measured", "cause"),
    [
        ("with_a_rounded_copy", "useless_inputs", "age_in_years saves less than 0.1 % of the loss beside age"),
        ("with_a_blurred_copy", "useless_inputs", "age_by_hearsay saves less than 0.1 % of the loss beside age"),
        ("with_a_sum_of_two", "useless_inputs", "age_plus_height saves less than 0.1 % of the loss beside age"),
        ("with_a_leak_into_training", "harmful_inputs", "ripeness does harm"),
        ("with_an_input_that_froze", "dead_inputs", "height is dead (4 in every row of the validation rows"),
        ("with_an_input_that_froze_of_late", "dead_inputs", "height is dead (4 in every row of the holdout rows"),
    ],
)
def test_a_passenger_that_hides_fails_alone_and_the_message_names_it(
    pytester: pytest.Pytester, variant: str, measured: str, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.orchard_features:{variant}")
    assert found.verdict == "failed", found.message
    assert found.value(measured) == 1
    assert cause in found.message


def test_a_bundle_is_judged_member_by_member_although_it_was_declared_as_one_group(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.orchard_features:with_a_bundle")
    assert found.verdict == "failed", found.message
    assert found.value("useless_inputs") >= 4
    assert "weather_0 saves less" in found.message
    assert "rain saves less" not in found.message


@pytest.mark.parametrize(
    "twin",
    [
        "with_a_sine_and_a_cosine",
        "with_indicators_of_a_category",
        "with_a_related_pair",
        "with_a_rare_frost",
        "with_snow_in_spring",
    ],
)
def test_a_feature_in_parts_or_with_rare_effects_passes(pytester: pytest.Pytester, twin: str) -> None:
    found = scored(pytester, source=f"tests.suites.orchard_features:{twin}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def test_a_training_that_does_not_heed_its_inputs_is_compared_with_itself(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.orchard:with_a_deaf_training")
    assert found.verdict == "not_demonstrated"
    assert found.reason_code == "circular"


def test_without_a_training_the_screens_are_shown_and_nothing_is_claimed(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.orchard:without_training")
    assert found.verdict == "not_demonstrated"
    assert found.reason_code == "part_missing"
    assert "training" in found.message


def test_the_few_rows_of_the_breast_cancer_manifest_are_said_to_be_too_few(pytester: pytest.Pytester) -> None:
    manifest = resources.path("rubric").parent / BREAST_CANCER
    found = scored(pytester, source=str(manifest))
    assert found.verdict == "not_demonstrated", found.message
