"""Model 5, from outside: complexity that pays passes, complexity that does not fails, nothing passes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "model.baseline"
FERRIES = "tests.suites.ferries:system"
BREAST_CANCER = str(Path(__file__).parents[2] / "fixtures" / "systems" / "breast_cancer" / "mltest.toml")


def scored(pytester: pytest.Pytester, *faults: str, source: str = FERRIES) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_model_that_beats_every_simple_one_passes_and_boosting_is_only_shown(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("gain_over_linear") > 10
    assert found.measured["gain_over_linear"]["n"] == 60
    assert found.measured["gain_over_boosting"]["limit"] is None
    assert found.value("holdout_rows_seen_in_training") == 0


def test_a_linear_model_as_champion_is_a_tie_with_the_linear_baseline_and_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:linear")
    assert found.verdict == "failed", found.message
    assert "no evidence that the complexity pays" in found.message or "a simpler model is better" in found.message


def test_a_champion_that_never_looks_at_its_inputs_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:constant")
    assert found.verdict == "failed", found.message
    assert found.value("gain_over_constant") == 0


@pytest.mark.parametrize("fault", ["O-M5-a=0.6", "O-M5-b=0.9"])
def test_a_ruined_training_fails_and_the_message_names_the_simpler_model(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert "the model saves" in found.message
    assert "allowed is at least 1 %" in found.message


@pytest.mark.parametrize("fault", ["O-M5-a=0", "O-M5-a.twin=0.01", "O-M5-b=0", "O-M5-b.twin=0.01"])
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_the_same_rows_in_another_order_give_the_same_gain(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:shuffled")
    assert found.verdict == "passed", found.message


def test_answers_of_the_wrong_sign_fail_and_the_message_says_so(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "V6-direction=1")
    assert found.verdict == "failed", found.message
    assert "check their sign" in found.message


@pytest.mark.parametrize(
    ("variant", "verdict", "reason", "cause"),
    [
        ("named_too_few_inputs", "failed", None, "the model saves"),
        ("looked_up_by_key", "failed", None, "the model saves"),
        ("looked_up_by_an_input", "not_demonstrated", "circular", "as if it had seen the holdout"),
        ("fitted_to_the_holdout_too", "not_demonstrated", "circular", "as if it had seen the holdout"),
        ("rekeyed", "not_demonstrated", "circular", "under other keys or dates"),
        ("undeclared_columns", "not_demonstrated", "circular", "name everything that it reads"),
        ("told_in_words", "not_demonstrated", "too_little_data", "no simple model can read any of the inputs (note)"),
        ("hardest_outcomes_lost", "not_demonstrated", "too_little_data", "30% of the holdout's rows have no outcome"),
    ],
)
def test_a_gain_for_a_wrong_reason_does_not_pass_and_the_message_says_why(
    pytester: pytest.Pytester, variant: str, verdict: str, reason: str | None, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.ferries_foreseen:{variant}")
    assert (found.verdict, found.reason_code) == (verdict, reason), found.message
    assert cause in found.message


@pytest.mark.parametrize("twin", ["forest", "columns_carried_along", "a_few_outcomes_lost"])
def test_a_gain_on_unseen_rows_passes_whatever_else_the_rows_carry(pytester: pytest.Pytester, twin: str) -> None:
    found = scored(pytester, source=f"tests.suites.ferries_foreseen:{twin}")
    assert found.verdict == "passed", found.message


def test_nine_days_are_too_few_and_the_message_says_how_many_would_do(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.ferries:few_days")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "too_little_data")
    assert "9 days, 30 are needed" in found.message


def test_a_classifier_that_is_itself_linear_is_a_tie_and_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source=BREAST_CANCER)
    assert found.verdict == "failed", found.message
    assert "no evidence that the complexity pays" in found.message
    assert found.measured["gain_over_linear"]["n"] == 228


def test_a_yardstick_that_knows_few_training_rows_by_heart_raises_no_suspicion(pytester: pytest.Pytester) -> None:
    assert "loss_beside_boosting_on_training" not in scored(pytester, source=BREAST_CANCER).measured


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes_for_a_classifier_of_files(pytester: pytest.Pytester, fault: str) -> None:
    assert scored(pytester, f"{fault}=1", source=BREAST_CANCER).verdict in ("not_demonstrated", "error", "failed")
