"""Data 4, from outside: honest features pass, leaks fail whatever they are called, nothing passes unseen."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.requirements"
TRAMS = "tests.suites.trams:system"


def scored(pytester: pytest.Pytester, *faults: str, source: str = TRAMS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_features_that_know_their_place_pass(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("moments_travelled_to") >= 4
    assert found.value("rows_compared") > 400
    assert found.value("rows_with_an_open_outcome") >= 29
    assert found.value("future_cells_replaced") > 1_000
    assert found.measured["inputs_that_follow_a_forbidden_column"]["n"] == 6


@pytest.mark.parametrize(
    ("fault", "measured", "cause"),
    [
        ("O-D4-a=0.1", "inputs_that_follow_the_future", "schedule_adjustment follows the future"),
        (
            "O-D4-a=1",
            "inputs_repeating_a_barred_column",
            "schedule_adjustment says what the barred column lateness says",
        ),
        ("O-D4-b=1", "inputs_that_follow_the_future", "schedule_adjustment follows the future"),
        ("O-D4-c=1", "inputs_that_follow_the_future", "schedule_adjustment follows the future"),
        ("O-D4-d=1", "inputs_breaking_the_policy", "planned has no owner"),
        ("O-D4-d.deprecated=1", "inputs_breaking_the_policy", "planned is deprecated since"),
        ("O-D4-e=0.1", "inputs_that_follow_a_forbidden_column", "follows trips.driver_age, which the policy forbids"),
        ("O-D4-e.model=0.01", "columns_read_beyond_inputs", "answers of the model follow lateness"),
    ],
)
def test_a_feature_that_must_not_be_fails_and_the_message_names_it(
    pytester: pytest.Pytester, fault: str, measured: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert found.value(measured) >= 1
    assert cause in found.message


@pytest.mark.parametrize(
    "fault",
    [
        "O-D4-a.twin=1",
        "O-D4-b.twin=1",
        "O-D4-c.twin=1",
        "O-D4-d.twin=1",
        "O-D4-d.deprecated.twin=1",
        "O-D4-e.twin=1",
        "O-D4-e.model.twin=1",
        "O-D4-a=0",
        "O-D4-b=0",
        "O-D4-c=0",
        "O-D4-d=0",
        "O-D4-e=0",
        "O-D4-e.model=0",
    ],
)
def test_a_harmless_change_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
