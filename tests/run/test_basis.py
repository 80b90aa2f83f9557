"""When a run counts as repeated."""

import pytest

from mltest.run.basis import decide

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_SERVER_URL": "https://forge.example",
    "GITHUB_REPOSITORY": "team/eta",
    "GITHUB_EVENT_NAME": "schedule",
}
GITLAB = {"GITLAB_CI": "true", "CI_JOB_ID": "5", "CI_JOB_URL": "https://lab.example/5", "CI_PIPELINE_SOURCE": "push"}


def test_a_run_at_a_desk_is_manual():
    basis = decide("auto", {}, earlier_runs=9, recency_days=7)
    assert (basis.kind, basis.proof) == ("manual", None)


@pytest.mark.parametrize(
    ("environ", "url"), [(GITHUB, "https://forge.example/team/eta/actions/runs/77"), (GITLAB, "https://lab.example/5")]
)
def test_a_recognised_ci_run_is_automated_and_carries_its_proof(environ, url):
    basis = decide("auto", environ, earlier_runs=0, recency_days=7)
    assert basis.kind == "automated"
    assert basis.proof is not None
    assert basis.proof.url == url
    assert basis.proof.trigger in ("schedule", "push")


@pytest.mark.parametrize("missing", ["GITHUB_RUN_ID", "GITHUB_REPOSITORY", "GITHUB_EVENT_NAME"])
def test_ci_without_its_whole_proof_is_manual_and_says_what_is_missing(missing):
    basis = decide("auto", {k: v for k, v in GITHUB.items() if k != missing}, earlier_runs=0, recency_days=7)
    assert basis.kind == "manual"
    assert missing in basis.why


def test_a_ci_run_that_somebody_started_by_hand_is_manual():
    basis = decide("auto", {**GITHUB, "GITHUB_EVENT_NAME": "workflow_dispatch"}, earlier_runs=3, recency_days=7)
    assert basis.kind == "manual"
    assert "by hand" in basis.why


def test_a_cron_job_needs_an_earlier_run_in_the_ledger():
    assert decide("automated", {}, earlier_runs=0, recency_days=7).kind == "manual"
    scheduled = decide("automated", {}, earlier_runs=2, recency_days=7)
    assert scheduled.kind == "automated"
    assert scheduled.proof is not None
    assert "2 earlier runs" in scheduled.why


def test_manual_wins_even_in_ci():
    assert decide("manual", GITHUB, earlier_runs=5, recency_days=7).kind == "manual"


@pytest.mark.parametrize(
    "environ",
    [
        {**GITHUB, "GITHUB_EVENT_NAME": "workflow_dispatch"},
        {
            "BUILDKITE": "true",
            "BUILDKITE_BUILD_ID": "1",
            "BUILDKITE_BUILD_URL": "https://build.example/1",
            "BUILDKITE_SOURCE": "ui",
        },
    ],
)
def test_no_ledger_makes_a_run_automated_that_a_ci_service_says_was_started_by_hand(environ):
    assert decide("automated", environ, earlier_runs=3, recency_days=7).kind == "manual"
