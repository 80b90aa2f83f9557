"""Monitor 3, from outside: equal paths pass, a path of its own fails with feature and rows named."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "monitoring.skew"
COURIERS = "tests.suites.couriers:system"
PARCELS = "tests.suites.parcels"


def scored(pytester: pytest.Pytester, *faults: str, source: str = COURIERS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_two_equal_paths_pass_with_a_bound_on_what_was_not_asked(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("mismatched_values") == 0
    assert found.measured["mismatch_rate"]["ci"][1] < 0.01
    assert found.value("altered_records_noticed") > 0


@pytest.mark.parametrize("dose", [0.01, 0.1, 1.0])
def test_a_feature_with_another_meaning_is_named(pytester: pytest.Pytester, dose: float) -> None:
    found = scored(pytester, f"O-MON3-a={dose}")
    assert found.verdict == "failed", found.message
    assert "distance differs in" in found.message


def test_categories_coded_afresh_in_every_request_are_named(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-MON3-d=1.0")
    assert found.verdict == "failed", found.message
    assert "courier differs in" in found.message


@pytest.mark.parametrize("fault", ["O-MON3-a.twin=1", "O-MON3-d.twin=1", "O-MON3-a=0", "O-MON3-d=0"])
def test_values_that_are_only_stored_otherwise_pass(pytester: pytest.Pytester, fault: str) -> None:
    assert scored(pytester, fault).verdict == "passed"


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("coded_per_request", ("depot differs", "where the request is for one record alone")),
        ("summer_for_ever", ("local_hour differs", "where the clocks in America/New_York have been changed")),
        ("nought_for_a_gap", ("weight differs", "where weight is missing and nowhere else", "served 0")),
        ("newcomer_is_other", ("depot differs", "where depot was never seen in training", "served other")),
        ("clipped", ("weight differs", "served 9")),
        ("a_second_late", ("sent_at differs", "in every row")),
        ("feature_unlogged", ("depot, which the request log does not have",)),
        ("batch_drops_gaps", ("served rows are unknown to the batch path",)),
    ],
)
def test_a_live_path_of_its_own_fails_and_the_rows_are_named(
    pytester: pytest.Pytester, variant: str, said: tuple[str, ...]
) -> None:
    found = scored(pytester, source=f"{PARCELS}:{variant}")
    assert found.verdict == "failed", found.message
    for words in said:
        assert words in found.message


@pytest.mark.parametrize("variant", ["system", "another_zone_and_width"])
def test_gaps_newcomers_and_clock_changes_pass_where_both_paths_treat_them_alike(
    pytester: pytest.Pytester, variant: str
) -> None:
    found = scored(pytester, source=f"{PARCELS}:{variant}")
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize(
    ("variant", "code"),
    [
        ("nothing_logged", "too_little_data"),
        ("half_logged", "too_little_data"),
        ("other_version", "stale"),
        ("recomputed_log", "circular"),
    ],
)
def test_a_log_that_proves_nothing_is_not_taken_for_agreement(
    pytester: pytest.Pytester, variant: str, code: str
) -> None:
    found = scored(pytester, source=f"{PARCELS}:{variant}")
    assert found.verdict == "not_demonstrated", found.message
    assert found.reason_code == code


@pytest.mark.parametrize(("fault", "verdict"), [("O-MON3-c=1.0", "failed"), ("O-MON3-c.twin=1", "passed")])
def test_gaps_filled_otherwise_fail_and_gaps_written_otherwise_pass(
    pytester: pytest.Pytester, fault: str, verdict: str
) -> None:
    found = scored(pytester, fault, source=f"{PARCELS}:system")
    assert found.verdict == verdict, found.message
