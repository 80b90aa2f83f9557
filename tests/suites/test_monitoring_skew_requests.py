"""Monitor 3, from outside: what is asked and how it is logged; hard requests fail, other storage stays quiet."""

from __future__ import annotations

import pytest

from mltest.probes import skew
from tests.suites.running import ItemResult, run_item

ASKED, STORED = "tests.suites.parcels_asked", "tests.suites.parcels_stored"


def scored(pytester: pytest.Pytester, source: str) -> ItemResult:
    return run_item(pytester, source, "monitoring.skew")


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("answers_reversed", ("answer differs", "where the request is for several records", "logged", "answered")),
        ("two_answers_swapped", ("answer differs in 2 of",)),
        ("wrong_in_long_requests", ("depot differs", "where the request is for more than 14 records")),
        (
            "gap_refused",
            (
                "the server refuses",
                "where weight is missing and nowhere else (KeyError: 'weight'",
            ),
        ),
    ],
)
def test_a_server_that_treats_some_requests_otherwise_fails(
    pytester: pytest.Pytester, variant: str, said: tuple[str, ...]
) -> None:
    found = scored(pytester, f"{ASKED}:{variant}")
    assert found.verdict == "failed", found.message
    for words in said:
        assert words in found.message


@pytest.mark.parametrize(
    ("variant", "said"),
    [("gaps_unasked", "where weight is missing"), ("newcomers_unasked", "where depot was never seen in training")],
)
def test_kinds_of_rows_that_nobody_asks_for_are_not_taken_for_equal(
    pytester: pytest.Pytester, variant: str, said: str
) -> None:
    found = scored(pytester, f"{ASKED}:{variant}")
    assert found.verdict == "not_demonstrated", found.message
    assert said in found.message
    assert found.value("batch_rows_without_a_request") > 0


@pytest.mark.parametrize("variant", ["some_unasked", "long_requests_refused", "hiccups", "answers_rounded"])
def test_clients_that_ask_less_and_servers_that_take_or_say_less_pass(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, f"{ASKED}:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("variant", ["dies", "never_answers"])
def test_a_server_that_is_gone_is_an_error_and_no_failure(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, f"{ASKED}:{variant}")
    assert found.verdict == "error", found.message
    assert "ConnectionError" in found.message


@pytest.mark.parametrize(
    ("variant", "feature"), [("truth_turned", "night differs"), ("tiny_feature_lost", "share differs")]
)
def test_another_value_fails_however_it_is_stored_and_however_small(
    pytester: pytest.Pytester, variant: str, feature: str
) -> None:
    found = scored(pytester, f"{STORED}:{variant}")
    assert found.verdict == "failed", found.message
    assert feature in found.message


@pytest.mark.parametrize(
    "variant",
    [
        "moment_as_number",
        "moment_renamed",
        "weight_as_decimal",
        "health_row",
        "time_in_key",
        "number_of_time_in_key",
        "truth_as_number",
        "tiny_feature",
    ],
)
def test_the_same_values_kept_in_another_way_pass(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, f"{STORED}:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "code"), [("without_moment", "part_missing"), ("recomputed_beside_health", "circular")]
)
def test_a_log_that_hides_what_was_served_is_not_taken_for_agreement(
    pytester: pytest.Pytester, variant: str, code: str
) -> None:
    found = scored(pytester, f"{STORED}:{variant}")
    assert found.verdict == "not_demonstrated", found.message
    assert found.reason_code == code


@pytest.mark.parametrize(("seconds", "verdict", "stretches"), [(600.0, "failed", 2), (0.0, "passed", 1)])
def test_a_quick_run_looks_at_more_stretches_while_its_time_lasts(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, seconds: float, verdict: str, stretches: int
) -> None:
    monkeypatch.setattr(skew, "QUICK_S", seconds)
    found = scored(pytester, f"{ASKED}:wrong_in_september")
    assert found.verdict == verdict, found.message
    assert found.value("stretches_of_time") >= stretches
