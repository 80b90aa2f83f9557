"""Data 3, from outside: what stays in its budget passes, what costs too much fails by name, nothing passes unseen."""

from __future__ import annotations

import re

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.cost"
BUOYS = "tests.suites.buoys:system"


def scored(pytester: pytest.Pytester, *faults: str, source: str = BUOYS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_features_within_their_budgets_pass_and_the_ledger_is_on_the_card(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.measured["features_over_budget"]["n"] == 6
    assert 0 < found.value("worst_share_of_budget") < 1
    assert found.value("same_against_same") <= 5


@pytest.mark.parametrize(
    ("fault", "measured", "cause"),
    [
        ("O-D3-a=5", "features_over_budget", "waves_today takes .* µs .*allowed are 200"),
        ("O-D3-a.waiting=5", "features_over_budget", "waves_today takes .* µs .*allowed are 200"),
        ("O-D3-b=1", "features_opening_files_or_hosts", "waves_today opens .*reports.csv for every request"),
        ("O-D3-b.scan=0.1", "features_growing_with_the_batch", "a row of waves_today costs .* times as much"),
        ("O-D3-c=1", "features_holding_copies", "waves_today holds .* MiB of its own"),
        ("O-D3-d=1", "undeclared_sources", "waves_today reads .*ratings_of_another_team.csv, which its source"),
        ("O-D3-d.host=1", "undeclared_sources", r"waves_today reads 127\.0\.0\.1, which its source"),
    ],
)
def test_what_costs_too_much_fails_and_the_message_names_it(
    pytester: pytest.Pytester, fault: str, measured: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert found.value(measured) >= 1
    assert re.search(cause, found.message), found.message


@pytest.mark.parametrize(
    "fault",
    [
        "O-D3-a.twin=1",
        "O-D3-a.waiting.twin=1",
        "O-D3-b.twin=1",
        "O-D3-b.scan.twin=5",
        "O-D3-c.twin=1",
        "O-D3-d.twin=1",
        "O-D3-d.host.twin=1",
        "O-D3-a=0",
        "O-D3-c=0",
    ],
)
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "verdict", "cause"),
    [
        ("everything", "not_demonstrated", "let values.records, names. compute the named ones"),
        ("slow_shared", "failed", "a request for all features takes .* all budgets together"),
        ("made_up", "not_demonstrated", "0% of the looked-up values of wind occur"),
        ("slow_when_new", "failed", "depth takes .* µs .*allowed are 200"),
        ("slow_at_times", "failed", "depth takes .* µs .*allowed are 200"),
        ("raising", "error", "the store is gone"),
        ("more_than_asked", "not_demonstrated", "one row a record and no other column"),
        ("read_by_native_code", "failed", "depth reads through native code for every request"),
        ("no_budget", "not_demonstrated", "no budget says what wind may cost"),
        ("batch_only", "not_demonstrated", "give the features part online"),
    ],
)
def test_a_lookup_that_hides_what_it_costs_does_not_pass(
    pytester: pytest.Pytester, variant: str, verdict: str, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.buoys_costly:{variant}")
    assert found.verdict == verdict, found.message
    assert re.search(cause, found.message), found.message


@pytest.mark.parametrize("variant", ["arrow_table", "new_module"])
def test_an_odd_lookup_that_costs_little_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"tests.suites.buoys_costly:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
