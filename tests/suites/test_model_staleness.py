"""Model 4, from outside: a policy that agrees with the curve passes, one that contradicts it or its clock fails."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "model.staleness"
GLACIERS = "tests.suites.glaciers:system"


def scored(pytester: pytest.Pytester, *faults: str, source: str = GLACIERS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_policy_that_replaces_models_before_they_are_worse_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("refresh_age") == 10
    assert 0.1 < found.value("loss_increase_at_refresh_age") < 1.5
    assert found.measured["loss_increase_at_refresh_age"]["n"] >= 30


def test_a_flat_curve_with_a_tight_interval_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.glaciers:steady")
    assert found.verdict == "passed", found.message
    low, high = found.measured["loss_increase_at_refresh_age"]["ci"]
    assert -1 < low < high < 1


@pytest.mark.parametrize(
    ("fault", "cause", "source"),
    [
        ("O-M4-a=1", "split its backtest by time", "glaciers_elsewhere:published"),
        ("O-M4-b=90", "count from that row", "glaciers:system"),
        ("O-M4-c=365", "the policy replaces them after 365 days: refresh more often", "glaciers:system"),
        ("O-M4-c=120", "the policy replaces them after 120 days: refresh more often", "glaciers:system"),
        ("O-M4-e=10", "the policy replaces them after 60 days: refresh", "glaciers:steady"),
    ],
)
def test_a_fault_fails_and_is_named(pytester: pytest.Pytester, fault: str, cause: str, source: str) -> None:
    found = scored(pytester, fault, source=f"tests.suites.{source}")
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize(("dose", "missing"), [("0.9", "4 are needed"), ("0.98", "192 rows have a time")])
def test_a_lost_history_is_too_little_and_the_message_says_what_is_missing(
    pytester: pytest.Pytester, dose: str, missing: str
) -> None:
    found = scored(pytester, f"O-M4-d={dose}")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "too_little_data"), found.message
    assert missing in found.message
    assert "offer more history" in found.message


@pytest.mark.parametrize(
    ("fault", "source"),
    [
        ("O-M4-a=0", "glaciers_elsewhere:published"),
        ("O-M4-a.twin=1", "glaciers_elsewhere:published"),
        ("O-M4-b=0", "glaciers:system"),
        ("O-M4-b.twin=1", "glaciers:system"),
        ("O-M4-c=0", "glaciers:system"),
        ("O-M4-c.twin=1", "glaciers:system"),
        ("O-M4-d=0", "glaciers:system"),
        ("O-M4-d.twin=1", "glaciers:system"),
        ("O-M4-e=0", "glaciers:steady"),
        ("O-M4-e.twin=1", "glaciers:steady"),
    ],
)
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str, source: str) -> None:
    found = scored(pytester, fault, source=f"tests.suites.{source}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "verdict", "reason", "cause"),
    [
        ("without_policy", "not_demonstrated", "part_missing", "give the training part a `refresh`"),
        ("replaced_rarely", "failed", None, "refresh more often"),
        ("replaced_yearly", "not_demonstrated", "too_little_data", "loss_increase_at_refresh_age"),
        ("deaf", "not_demonstrated", "withheld", "learn from the rows that it is given"),
        ("stamped", "failed", None, "take the date from the rows, not from the training's clock"),
        ("seasonal", "not_demonstrated", "too_little_data", "the interval spans the limit"),
    ],
)
def test_what_only_looks_fresh_does_not_pass_and_the_message_says_why(
    pytester: pytest.Pytester, variant: str, verdict: str, reason: str | None, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.glaciers_elsewhere:{variant}")
    assert (found.verdict, found.reason_code) == (verdict, reason), found.message
    assert cause in found.message


@pytest.mark.parametrize("variant", ["published", "refitted", "dates_as_text"])
def test_an_odd_but_healthy_system_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"tests.suites.glaciers_elsewhere:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
