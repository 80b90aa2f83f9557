"""Data 4, from outside: honest features pass, leaks fail whatever they are called, nothing passes unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mltest.adapters import frames, onnx  # noqa: F401 - loaded once, so that a second inner run finds the same
from mltest.faults import apply_all, parse
from mltest.faults.operators_time import NEW
from mltest.probes import governed_rows, requirements_report
from mltest.probes.requirements_report import Travels
from mltest.system import System, SystemRef
from tests.suites import trams, trams_foreseen
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.requirements"
TRAMS = "tests.suites.trams:system"
FORESEEN = "tests.suites.trams_foreseen"
BREAST_CANCER = str(Path(__file__).parents[2] / "fixtures" / "systems" / "breast_cancer" / "mltest.toml")


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
        (
            "O-D4-e=0.1",
            "inputs_that_follow_a_forbidden_column",
            "rain follows weather.webcam, which the policy forbids",
        ),
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
        "O-D4-d=0",
        "O-D4-e=0",
        "O-D4-e.model=0",
    ],
)
def test_a_harmless_change_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "cause"),
    [
        ("weather_of_the_running_hour", "rain follows the future"),
        ("level_by_departure", "level follows the future"),
        ("vocabulary_of_the_year", "planned follows the future"),
        ("driver_in_the_schedule", "planned follows trips.driver_age, which the policy forbids"),
        ("webcam_where_it_is_missing", "rain follows weather.webcam, which the policy forbids"),
        ("reading_a_column_carried_along", "answers of the model follow stop"),
        ("with_an_input_nobody_listed", "planned has no entry in the catalogue"),
    ],
)
def test_what_no_name_shows_fails_and_is_named(pytester: pytest.Pytester, variant: str, cause: str) -> None:
    found = scored(pytester, source=f"{FORESEEN}:{variant}")
    assert found.verdict == "failed", found.message
    assert cause in found.message


def travelled(source: Callable[[SystemRef], System], seed: int, folder: Path, *faults: str) -> Travels:
    ref = SystemRef("tests.suites.trams:system", folder, folder, seed=seed)
    system = apply_all(source(ref), [parse(fault) for fault in faults], folder)
    return requirements_report.travels(system, ref, governed_rows.read(system))


def test_ten_seeds_tell_the_same_of_honest_features_and_of_leaks(tmp_path: Path) -> None:
    honest = [travelled(trams.system, seed, tmp_path) for seed in range(10)]
    alarms = sum(bool(seen.moved or seen.followed) for seen in honest)
    hourly = [travelled(trams_foreseen.weather_of_the_running_hour, seed, tmp_path) for seed in range(10)]
    leaks = [travelled(trams.system, seed, tmp_path, "O-D4-a=0.1") for seed in range(10)]
    caught = [sum(name in seen.moved for seen in each) for each, name in ((hourly, "rain"), (leaks, NEW))]
    assert (alarms, caught) == (0, [10, 10]), f"{alarms} of 10 false alarms, {caught} of 10 each caught"
    assert len({tuple(t.present.moment.at for t in seen.each) for seen in honest}) > 1


@pytest.mark.parametrize(
    ("variant", "cause"),
    [
        ("leaking_into_the_data_set", "level differ between the data set and what features.compute gives"),
        ("deaf_to_raw_tables", "compute it from the tables that are handed over"),
        ("level_from_a_store", "level follows none of the columns that the catalogue declares as its source"),
        ("leaking_into_one_split", "level differ between the data set and what features.compute gives"),
        ("remembering_everything", "leaves nothing out of the raw tables"),
        ("outcomes_known_at_once", "leave out outcomes that were not known"),
        ("a_copy_of_the_outcome_known_at_once", "keeps took_seconds, which say what the outcome says"),
        ("tables_lost_in_a_window", "has no table weather"),
        ("naming_no_inputs", "does not say which columns it reads"),
        ("without_a_policy", "no policy is declared"),
        ("without_features", "no policy is declared"),
        ("forbidding_nothing", "the policy forbids no column"),
        ("forbidding_what_is_not_there", "forbids trips.drivers_age, which no raw table has"),
        ("permitting_nothing", "permits no licences"),
    ],
)
def test_what_cannot_be_seen_is_not_demonstrated_and_says_what_to_do(
    pytester: pytest.Pytester, variant: str, cause: str
) -> None:
    found = scored(pytester, source=f"{FORESEEN}:{variant}")
    assert found.verdict == "not_demonstrated", found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "variant",
    [
        "summing_in_another_order",
        "refusing_empty_columns",
        "appending_events",
        "computing_finished_trips_alone",
        "in_local_days",
    ],
)
def test_an_odd_but_honest_batch_path_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"{FORESEEN}:{variant}")
    assert found.verdict == "passed", found.message


def test_a_system_of_files_is_judged_by_its_policy_and_its_model(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source=BREAST_CANCER)
    assert found.verdict == "passed", found.message
    assert found.value("moments_travelled_to") == 0
    assert found.measured["columns_read_beyond_inputs"]["n"] == 3
    assert found.measured["inputs_breaking_the_policy"]["n"] == 30


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("O-D4-d=1", "failed"),
        ("O-D4-d.twin=1", "passed"),
        ("O-D4-d.deprecated=1", "failed"),
        ("O-D4-d.deprecated.twin=30", "passed"),
        ("O-D4-e.model=0.01", "failed"),
        ("O-D4-e.model.twin=1", "passed"),
    ],
)
def test_faults_of_a_system_of_files(pytester: pytest.Pytester, fault: str, verdict: str) -> None:
    found = scored(pytester, fault, source=BREAST_CANCER)
    assert found.verdict == verdict, found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes_for_a_system_of_files(pytester: pytest.Pytester, fault: str) -> None:
    assert scored(pytester, f"{fault}=1", source=BREAST_CANCER).verdict in ("not_demonstrated", "error", "failed")


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
