"""Data 5, from outside: a guarded pipeline passes, a leak is found wherever it is, and whoever asks is forgotten."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.privacy"
RIDERS = "tests.suites.riders:system"
LEAKS = "tests.suites.rider_leaks"


def scored(pytester: pytest.Pytester, *faults: str, source: str = RIDERS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_guarded_pipeline_passes_and_everything_that_it_wrote_was_searched(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.measured["planted_columns_found"]["n"] == 9
    assert found.measured["erased_rows_learnt_from"]["n"] > 20
    assert found.measured["erased_requests_in_log"]["n"] == 24
    assert found.measured["files_open_to_anybody"]["n"] >= 3
    assert found.value("places_searched") > 50
    assert found.value("forms_that_would_be_missed") == 0
    assert found.value("planted_values_in_this_report") == 0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-D5-a=1", "rides.crew_email (a new column)"),
        ("O-D5-b=1", "payloads.jsonl"),
        ("O-D5-c=420", "model.json has mode 0644: anybody may read it"),
        ("O-D5-c=438", "model.json has mode 0666: anybody may change it"),
        ("O-D5-d=1", "apply the list when the training rows are made"),
    ],
)
def test_a_missing_control_fails_and_the_message_names_it(pytester: pytest.Pytester, fault: str, cause: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize("fault", ["a", "b", "c", "d"])
def test_a_harmless_twin_and_the_machinery_at_dose_0_are_not_noticed(pytester: pytest.Pytester, fault: str) -> None:
    for quiet in (f"O-D5-{fault}.twin=1", f"O-D5-{fault}=0"):
        found = scored(pytester, quiet)
        assert found.verdict == "passed", (quiet, found.message)


@pytest.mark.parametrize(
    ("variant", "cause"),
    [
        ("in_gzip", "rides.rider in plain text in file:note.bin!gz"),
        ("in_zip_and_base64", "rides.email in base64 in file:note.bin!riders.b64"),
        ("a_number_in_parquet", "rides.income as a number in 'income' in file:note.bin!rows"),
        ("in_sqlite", "file:note.bin"),
        ("in_utf16", "rides.rider in UTF-16 in file:note.bin"),
        ("in_a_message", "rides.rider in plain text in messages"),
        ("selects_everything", "in features"),
        ("logs_unkeyed_hashes", "as a sha256 hash without a key in 'who' in request log"),
        ("logs_the_caller", "the network address of whoever asked (column peer)"),
        ("answers_with_the_rider", "in answers"),
        ("rider_as_metric_label", "rides.rider in base64 in metrics"),
        ("forgets_nobody", "24 of 24 requests of a subject are still in the log"),
        ("forgets_everybody", "took 24 requests of others out of the log"),
        ("keeps_a_backup", "requests.jsonl.1 still names requests of a subject that was erased"),
        ("writes_down_what_it_refuses", "file:errors.log"),
        ("hides_its_log", "requests.jsonl still names requests of a subject that was erased"),
        ("applies_the_first_erasure", "training rows of subjects on the list of erasures are still learnt from"),
        ("erases_by_a_prefix", "match subjects exactly"),
        ("split_made_elsewhere", "do not come out of training_rows(raw())"),
        ("world_readable", "model.json has mode 0644"),
        ("artefact_elsewhere", "model.json has mode 0666"),
        ("shows_its_log_late", "requests of a subject are still in the log"),
        ("public_bucket", "upload.acl = public-read"),
        ("undeclared_addresses", "e-mail address in features, column 'email'"),
        ("forgotten_names_ride_along", "rides.passenger_name (a new column)"),
        ("leaking_without_consent", "rides.crew_email (a new column)"),
    ],
)
def test_whatever_leaks_fails_wherever_it_is_hidden(pytester: pytest.Pytester, variant: str, cause: str) -> None:
    found = scored(pytester, source=f"{LEAKS}:{variant}")
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "variant",
    [
        "permitted_in_training_rows",
        "refuses_new_columns",
        "published_model",
        "published_addresses",
        "look_alikes_ride_along",
        "pseudonymous_key",
        "without_serving",
        "only_data_and_features",
        "keeps_no_log",
        "everybody_rides_once",
    ],
)
def test_what_is_odd_and_harmless_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"{LEAKS}:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "reason", "cause"),
    [
        ("without_policy", "part_missing", "let the data part offer `privacy`"),
        ("nothing_sensitive", "part_missing", "names no sensitive column"),
        ("deaf_path", "too_little_data", "no training row with them"),
        ("deaf_features", "withheld", "without every other raw row"),
        ("cannot_erase", "part_missing", "offer erase(subject)"),
        ("without_consent", "no_consent", "experiments = true"),
    ],
)
def test_what_cannot_be_seen_is_not_demonstrated(
    pytester: pytest.Pytester, variant: str, reason: str, cause: str
) -> None:
    found = scored(pytester, source=f"{LEAKS}:{variant}")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", reason), found.message
    assert cause in found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def test_ten_runs_with_ten_other_sets_of_planted_values_all_pass(pytester: pytest.Pytester) -> None:
    quiet = sum(scored(pytester).verdict == "passed" for _ in range(10))
    assert quiet == 10, f"{quiet} of 10 healthy runs passed"
