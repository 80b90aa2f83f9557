"""Model 2, from outside: a metric that ranks as users would passes; wrong metric, rows or join fail by their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest.evidence import Verdict, Withheld
from mltest.faults import find
from mltest.probes import impact_replay, model_variants, offline_online
from mltest.probes.kept_trainings import KeptTrainings
from mltest.system import System, SystemRef
from tests.suites import kitchens
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "model.offline_online"
KITCHENS = "tests.suites.kitchens:system"
SEEDS = range(10)


def scored(pytester: pytest.Pytester, *faults: str, source: str = KITCHENS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_metric_that_ranks_the_variants_as_users_would_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("spearman") > 0.8
    assert found.value("variants") >= 8
    assert found.value("labels_an_answer") == 1
    assert found.value("loss_flattered") == 0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-M2-a=1", "the metric is the wrong proxy"),
        ("O-M2-b=0.2", "the offline evaluation leaves out 2"),
        ("O-M2-c=0.1", "not those of its key"),
        ("O-M2-c=1", "not those of its key"),
    ],
)
def test_a_fault_fails_and_the_message_names_its_kind(pytester: pytest.Pytester, fault: str, cause: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "fault",
    [
        "O-M2-a=0",
        "O-M2-a.twin=1",
        "O-M2-b=0",
        "O-M2-b.twin=0.2",
        "O-M2-c=0",
        "O-M2-c.twin=0.05",
        "O-M2-d=0",
        "O-M2-d.twin=1",
    ],
)
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_three_models_show_nothing_however_well_they_line_up(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "O-M2-d=1")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "too_little_data"), found.message
    assert "3 different ones came" in found.message
    assert "8 are needed" in found.message


@pytest.mark.parametrize(
    ("variant", "verdict", "cause"),
    [
        ("spread_of_answers", "failed", "the metric is the wrong proxy"),
        ("same_for_every_model", "failed", "cannot rank the variants"),
        ("not_a_number", "not_demonstrated", "no finite number"),
        ("declared_upside_down", "failed", "which direction of either metric"),
        ("blind_to_bias", "failed", "the metric is the wrong proxy"),
        ("not_declared_as_simulated", "failed", "declare it as simulated"),
        ("many_labels_an_answer", "failed", "up to 2 labels"),
        ("half_of_the_labels_found", "failed", "finds 50%"),
        ("labels_of_tomorrow", "failed", "before they had arrived"),
        ("two_outcomes_a_key", "failed", "two labels under one key"),
        ("hardly_any_label", "not_demonstrated", "have a label, 80% are needed"),
        ("the_data_set_lost_the_hard_orders", "failed", "the data set leaves out"),
        ("requests_of_easy_orders", "failed", "the replay of requests leaves out"),
        ("impact_that_is_the_metric", "not_demonstrated", "a comparison with itself"),
        ("evaluated_on_the_requests", "not_demonstrated", "the replayed requests themselves"),
        ("evaluated_elsewhere", "not_demonstrated", "not those of any split"),
        ("all_of_equal_quality", "not_demonstrated", "nearly equal quality"),
        ("refuses_to_be_worse", "not_demonstrated", "were refused"),
        ("another_model_is_served", "not_demonstrated", "contradict each other"),
    ],
)
def test_a_wrong_or_unknown_case_does_not_pass_and_the_message_says_why(
    pytester: pytest.Pytester, variant: str, verdict: str, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.kitchens_corners:{variant}")
    assert found.verdict == verdict, found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "variant",
    ["a_reward_in_place_of_a_cost", "squared_errors", "no_model_part", "asked_twice", "a_variant_falls_silent"],
)
def test_an_odd_but_honest_case_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"tests.suites.kitchens_corners:{variant}")
    assert found.verdict == "passed", found.message


def test_a_system_without_an_impact_is_told_how_to_offer_one(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.kitchens:without_impact")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "part_missing")
    assert "mltest.OnlineImpact" in found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def verdict_of(system: System, workdir: Path) -> Verdict:
    """The verdict by order alone, without pytest."""
    ref = SystemRef("tests.suites.kitchens:system", workdir, workdir)
    assert system.data is not None
    assert system.training is not None
    replay = impact_replay.read(system.labels, system.data, system.task, effort="quick")
    try:
        variants, _ = model_variants.train(
            KeptTrainings(ref, system.training),
            system.data.dataset("train"),
            system.training.config,
            replay.roles,
            replay.outcome,
            seed=0,
            effort="quick",
        )
        metric = system.training.offline_metric
        seen = offline_online.ranked(
            variants, replay, metric, system.labels.impact, metric.rows(), effort="quick", seed=0
        )
    except Withheld:
        return Verdict.NOT_DEMONSTRATED
    if offline_online.restricted(seen) is not None:
        return Verdict.NOT_DEMONSTRATED
    low = seen.spearman.interval.low
    if 0.0 < low <= offline_online.FLOOR:
        return Verdict.NOT_DEMONSTRATED
    return Verdict.PASSED if low > offline_online.FLOOR else Verdict.FAILED


def test_healthy_systems_of_other_seeds_pass(tmp_path: Path) -> None:
    verdicts = [verdict_of(kitchens.of_seed(seed), tmp_path / str(seed)) for seed in SEEDS]
    alarms, passed = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.PASSED)
    assert alarms == 0, f"{alarms} of {len(verdicts)} healthy systems failed"
    assert passed >= 9, f"{passed} of {len(verdicts)} healthy systems passed"


def test_a_wrong_proxy_is_caught_in_systems_of_other_seeds(tmp_path: Path) -> None:
    known = find("O-M2-a")
    verdicts = [verdict_of(known.apply(kitchens.of_seed(seed), 1.0, tmp_path), tmp_path / str(seed)) for seed in SEEDS]
    caught = verdicts.count(Verdict.FAILED)
    assert caught == len(verdicts), f"{caught} of {len(verdicts)} wrong proxies failed"
