"""Model 3, from outside: a setting that was searched for passes, and a worse one or a log without a search does not."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "model.hyperparameters"
KILNS = "tests.suites.kilns:system"


def scored(pytester: pytest.Pytester, *faults: str, source: str = KILNS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_setting_that_a_sound_search_found_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("gain_of_another_setting") < 0.5
    assert found.value("gain_of_longer_training") < 0.5
    assert found.value("held_out_rows_that_chose") == 0
    assert found.measured["distinct_settings"]["n"] == 16


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-M3-a=100", "search again around it, and ship what is found"),
        ("O-M3-a=10", "search again around it, and ship what is found"),
        ("O-M3-b=1", "choose on validation rows"),
        ("O-M3-c=1", "the trials hardly differ, so nothing was searched"),
        ("O-M3-d=0.99", "the loss is still falling, so train longer"),
        ("O-M3-e=1", "so better ones may lie beyond: widen the range"),
    ],
)
def test_a_fault_fails_and_is_named(pytester: pytest.Pytester, fault: str, cause: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize("fault", ["O-M3-a", "O-M3-b", "O-M3-c", "O-M3-d", "O-M3-e"])
@pytest.mark.parametrize("kind", ["=0", ".twin"])
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str, kind: str) -> None:
    found = scored(pytester, f"{fault}{kind}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "verdict", "reason", "cause"),
    [
        ("without_log", "not_demonstrated", "part_missing", "give the training part a `search_log()`"),
        ("no_trials", "not_demonstrated", "part_missing", "0 trials"),
        ("four_trials", "not_demonstrated", "too_little_data", "4 finished trials, 10 are needed"),
        ("of_another_training", "not_demonstrated", "stale", "'momentum'"),
        ("of_other_rows", "not_demonstrated", "stale", "offer the log of a search on these data"),
        ("nothing_about_rows", "not_demonstrated", "part_missing", "a sketch of their keys"),
        ("from_the_future", "not_demonstrated", "stale", "in the future"),
        ("narrow_and_wrong", "failed", None, "search again around it"),
        ("rate_never_searched", "failed", None, "search again around it"),
        ("all_alike", "failed", None, "every setting has the same value"),
        ("not_what_was_found", "failed", None, "the best trial is not what is shipped (rate was"),
        ("deaf", "not_demonstrated", "circular", "use the configuration that it is given"),
        ("stubborn", "not_demonstrated", "withheld", "refused every setting but the shipped one"),
        ("lying", "not_demonstrated", "withheld", "'rate' was another than it was asked to be"),
    ],
)
def test_a_log_that_only_looks_like_a_search_does_not_pass_and_the_message_says_why(
    pytester: pytest.Pytester, variant: str, verdict: str, reason: str | None, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.kilns_elsewhere:{variant}")
    assert (found.verdict, found.reason_code) == (verdict, reason), found.message
    assert cause in found.message


@pytest.mark.parametrize("variant", ["picky", "folds_of_training", "maximised"])
def test_an_odd_but_sound_search_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"tests.suites.kilns_elsewhere:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
