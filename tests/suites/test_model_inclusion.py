"""Model 7, from outside: groups served alike pass, a group to one side or left out fails, no group passes unseen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mltest.evidence import Verdict, Withheld
from mltest.faults import find
from mltest.probes import group_errors, group_representation, group_rows, group_service
from mltest.system import System, SystemRef
from tests.suites import clinics, clinics_corners
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "model.inclusion"
CLINICS = "tests.suites.clinics:system"
SEEDS = range(12)


def scored(pytester: pytest.Pytester, *faults: str, source: str = CLINICS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_groups_that_are_served_alike_pass_each_for_itself(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("groups_holds") == 5
    assert found.value("signed_error_gap") < 12.5
    assert found.value("service_ratio") == 1.0
    assert found.value("representation") == pytest.approx(1.0)
    assert found.measured["exchange_of_place"]["limit"] is None
    assert found.value("exchange_of_place") == 0.0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-M7-a=0.5", "place = island .* is predicted too low"),
        ("O-M7-a=0.8", "place = island .* is predicted too low"),
        ("O-M7-b=0.5", "place = island has .* training rows"),
        ("O-M7-b=0.9", "place = island has .* training rows"),
        ("O-M7-d=0.3", "place = island .* times as often as everybody else.* the fallback of the serving part"),
    ],
)
def test_a_group_that_is_treated_otherwise_fails_and_is_named(
    pytester: pytest.Pytester, fault: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert re.search(cause, found.message), found.message
    assert "allowed is" in found.message


@pytest.mark.parametrize(
    "fault",
    ["O-M7-a=0", "O-M7-a.twin=0.5", "O-M7-b=0", "O-M7-b.twin=0.5", "O-M7-c=0", "O-M7-c.twin=1", "O-M7-d=0"],
)
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_an_outage_that_hits_everybody_keeps_the_verdict(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-M7-d.twin=7")
    assert found.verdict == "passed", found.message
    assert found.value("service_ratio") > 0.95


def test_groups_that_match_no_row_are_missing_and_never_fair(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-M7-c=1")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "part_missing"), found.message
    assert "keys of the table of groups still match" in found.message


@pytest.mark.parametrize(
    ("variant", "verdict", "cause"),
    [
        ("no_groups", "not_demonstrated", "no groups are declared"),
        ("everybody_alike", "not_demonstrated", "is in the same one"),
        ("nine_days", "not_demonstrated", "9 days, 30 are needed"),
        ("a_tiny_group", "not_demonstrated", "language = third has"),
        ("two_biases_that_cancel", "failed", "place = island"),
        ("refuses_the_island", "failed", "no finite answer"),
        ("a_ward_that_training_never_had", "failed", "a category of ward that training never had"),
        ("lost_in_a_join", "not_demonstrated", "that no row of the data set has"),
        ("acts_on_the_ward", "failed", "exchanging ward"),
        ("unfair_chances", "failed", "place = island"),
    ],
)
def test_an_unfair_or_unknown_case_does_not_pass_and_the_message_says_why(
    pytester: pytest.Pytester, variant: str, verdict: str, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.clinics_corners:{variant}")
    assert found.verdict == verdict, found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "variant",
    ["may_not_act_and_does_not", "some_without_a_group", "no_history", "fair_chances", "a_majority_thinned_out"],
)
def test_an_odd_but_fair_case_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"tests.suites.clinics_corners:{variant}")
    assert found.verdict == "passed", found.message


def test_rows_that_the_model_learned_from_are_not_judged(tmp_path: Path) -> None:
    found = clinics_corners.learned_from_validation_too(SystemRef("", tmp_path, tmp_path))
    assert found.data is not None
    assert found.model is not None
    assert group_rows.read(found.data, found.model, found.task).held_out.all()


def test_rows_from_before_the_training_began_are_no_traffic_of_its_time(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.clinics_corners:recent")
    assert found.verdict == "passed", found.message
    assert found.value("representation") == pytest.approx(1.0)


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def verdict_of(system: System) -> Verdict:
    """The verdict of all three looks together, without pytest."""
    assert system.data is not None
    assert system.model is not None
    try:
        rows = group_rows.read(system.data, system.model, system.task)
        errors = group_errors.judge(rows)
        service = group_service.judge(rows, system.serving, seed=0, effort="quick")
        least = group_representation.judge(system.data)[0]
    except Withheld:
        return Verdict.NOT_DEMONSTRATED
    if errors[0].status == "failed" or service.groups[0].failed or least.interval.high < least.limit:
        return Verdict.FAILED
    undecided = group_errors.unsettled(errors, group_errors.LARGEST_GAP)
    return Verdict.PASSED if undecided is None else Verdict.NOT_DEMONSTRATED


def test_healthy_systems_of_other_seeds_raise_no_alarm_and_mostly_pass() -> None:
    verdicts = [verdict_of(clinics.of_seed(seed)) for seed in SEEDS]
    alarms, passed = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.PASSED)
    assert alarms == 0, f"{alarms} of {len(verdicts)} healthy systems failed"
    assert passed >= 10, f"{passed} of {len(verdicts)} healthy systems passed"


def test_a_bias_of_half_the_mean_error_is_caught_in_systems_of_other_seeds() -> None:
    known = find("O-M7-a")
    verdicts = [verdict_of(known.apply(clinics.of_seed(seed), 0.5, Path())) for seed in SEEDS]
    caught = verdicts.count(Verdict.FAILED)
    assert caught == len(verdicts), f"{caught} of {len(verdicts)} biased systems failed"
