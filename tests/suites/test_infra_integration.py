"""Infra 3, from outside: a whole pipeline passes, a broken hand-over fails with its cause, nothing passes unseen."""

from __future__ import annotations

import json

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "infra.integration"
COURIERS = "tests.suites.couriers"
PIPELINES = "tests.suites.courier_pipelines"
FAILURES = "tests.suites.courier_failures"


def scored(pytester: pytest.Pytester, *faults: str, variant: str = "system") -> ItemResult:
    return run_item(pytester, f"{COURIERS}:{variant}", ITEM, faults)


def test_a_value_planted_in_raw_rows_comes_out_of_the_server(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert 0.3 < found.value("nonce_effect_share") < 1.2
    assert abs(found.value("control_effect_share")) < 0.15
    assert found.value("planted_rows_in_features") > 50
    assert found.measured["golden_difference_share"]["n"] == 120
    assert found.measured["inputs_left_behind"]["n"] == 2
    assert found.measured["swallowed_failures"]["n"] == 10


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-I3-a=1", "no planted row reached the features"),
        ("O-I3-a.training=1", "training learnt from other rows"),
        ("O-I3-b=1", "no error came when"),
        ("O-I3-d=1", "list of features"),
    ],
)
def test_a_broken_hand_over_fails_and_the_message_names_the_stage(
    pytester: pytest.Pytester, fault: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize("fault", ["O-I3-a.twin=1", "O-I3-b.twin=1", "O-I3-d.twin=1", "O-I3-a=0", "O-I3-d=0"])
def test_a_harmless_change_between_stages_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_a_server_that_falls_back_to_the_old_model_without_a_word_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, variant="falling_back")
    assert found.verdict == "failed"
    assert "an unknown version was to be served and a server answered" in found.message


def test_another_configuration_than_the_shipped_one_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, variant="otherwise_configured")
    assert found.verdict == "failed"
    assert "learning_rate" in found.message


@pytest.mark.parametrize(
    ("variant", "measurement", "cause"),
    [
        ("answered_in_reverse", "answers_misplaced", "in a batch than alone"),
        ("without_load_at_serving", "golden_difference_share", "another load than the batch"),
        ("swapped_at_serving", "golden_difference_share", "another distance, load than the batch"),
        ("out_of_order", "golden_difference_share", "another distance than the batch"),
        ("one_old_column", "inputs_left_behind", "distance stayed as before"),
        ("secretive", "config_differences", "learning_rate"),
        ("refused_and_promoted", "served_against_the_gate", "champion was moved"),
    ],
)
def test_a_changed_hand_over_fails_by_the_measurement_that_speaks_of_it(
    pytester: pytest.Pytester, variant: str, measurement: str, cause: str
) -> None:
    found = run_item(pytester, f"{PIPELINES}:{variant}", ITEM)
    assert found.verdict == "failed", found.message
    assert f"{measurement} is" in found.message
    assert cause in found.message


@pytest.mark.parametrize("variant", ["asked_for_its_health", "rounded", "refused", "one_smoothed_column"])
def test_a_harmless_way_of_handing_over_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = run_item(pytester, f"{PIPELINES}:{variant}", ITEM)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "clause"),
    [
        ("filling_lost_columns", "the raw column distance was gone and training still gave an artifact"),
        ("taking_any_bytes", "other bytes than its digest says"),
        ("falling_back_when_unreadable", "was unreadable and a server answered"),
        ("guessing_in_silence", "a word in place of a number"),
    ],
)
def test_a_failure_that_nobody_hears_of_fails_and_is_named(
    pytester: pytest.Pytester, variant: str, clause: str
) -> None:
    found = run_item(pytester, f"{FAILURES}:{variant}", ITEM)
    assert found.verdict == "failed", found.message
    assert clause in found.message


@pytest.mark.parametrize("variant", ["declaring_lost_columns", "checking_bytes_late", "guessing_aloud"])
def test_a_failure_that_surfaces_in_another_way_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = run_item(pytester, f"{FAILURES}:{variant}", ITEM)
    assert found.verdict == "passed", found.message


def test_the_champion_is_put_back_where_registering_had_replaced_it(pytester: pytest.Pytester) -> None:
    found = scored(pytester, variant="promoting")
    assert found.verdict == "passed", found.message
    index = json.loads((pytester.path / "couriers" / "registry" / "index.json").read_text())
    assert len(index["versions"]) == 2
    assert index["aliases"]["champion"] == next(iter(index["versions"]))


def test_nothing_is_deployed_without_consent(pytester: pytest.Pytester) -> None:
    found = scored(pytester, variant="without_experiments")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "no_consent")


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
