"""Gates, the basis of a run, and the exit status."""

import json

import pytest

from tests.acceptance.conftest import PASSING, Foreign

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_SERVER_URL": "https://forge.example",
    "GITHUB_REPOSITORY": "team/eta",
    "GITHUB_EVENT_NAME": "schedule",
}


def test_a_minimum_turns_a_green_run_red_and_says_by_how_much(foreign: Foreign):
    foreign.probes(PASSING)
    outcome = foreign.run("--ml-score-min", "2")
    assert outcome.status == 1
    assert "gate: readiness 0.5 is below the minimum 2 by 1.5" in outcome.text
    assert foreign.run("--ml-score-min", "0.5").status == 0


def test_a_required_item_without_points_turns_the_run_red(foreign: Foreign):
    foreign.probes(PASSING)
    outcome = foreign.run("--ml-score-require", "data.fresh,data.whole")
    assert outcome.status == 1
    assert "gate: data.whole is required and has no points: not_demonstrated" in outcome.text


def test_no_item_may_lose_points_against_a_baseline(foreign: Foreign):
    foreign.probes(PASSING)
    foreign.run()
    report = foreign.pytester.path / ".ml-score" / "report.json"
    baseline = foreign.pytester.path / "baseline.json"
    baseline.write_bytes(report.read_bytes())
    assert foreign.run("--ml-score-baseline", "baseline.json").status == 0
    foreign.probes(PASSING.replace('ml_score("data.fresh")', 'ml_score("data.whole")'))
    outcome = foreign.run("--ml-score-baseline", "baseline.json")
    assert outcome.status == 1
    assert "data.fresh lost points against the baseline: 0.5 before, 0 now" in outcome.text


def test_a_baseline_of_another_rubric_is_never_compared_silently(foreign: Foreign):
    foreign.probes(PASSING)
    card = foreign.run().card
    card["rubric"]["sha256"] = "0" * 64
    (foreign.pytester.path / "baseline.json").write_text(json.dumps(card))
    outcome = foreign.run("--ml-score-baseline", "baseline.json")
    assert outcome.status == 1
    assert "scored by another rubric" in outcome.text


def test_report_only_keeps_zero_for_findings_and_gates(foreign: Foreign):
    foreign.probes(PASSING.replace('"age", 3', '"age", 30'))
    assert foreign.run("--ml-score-report-only", "--ml-score-min", "7").status == 0


def test_nothing_demonstrated_ends_with_five(foreign: Foreign):
    outcome = foreign.run()
    assert outcome.status == 5
    assert "nothing demonstrated" in outcome.text


def test_a_ci_environment_scores_whole_points_with_its_proof(foreign: Foreign, monkeypatch: pytest.MonkeyPatch):
    foreign.probes(PASSING)
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    card = foreign.run().card
    assert card["score"]["final"] == 1.0
    assert card["run"]["basis"] == "automated"
    assert card["run"]["proof"]["url"] == "https://forge.example/team/eta/actions/runs/77"


def test_a_cron_job_scores_whole_points_from_its_second_run_on(foreign: Foreign):
    foreign.pytester.makepyfile(ours="from mltest import System\nsystem = System(name='ours', task='regression')\n")
    foreign.probes(PASSING)
    options = ("--ml-score-system", "ours:system", "--ml-score-basis", "automated")
    assert foreign.run(*options).card["score"]["final"] == 0.5
    second = foreign.run(*options).card
    assert second["score"]["final"] == 1.0
    assert second["run"]["proof"]["kind"] == "schedule"


def test_options_can_stand_in_the_ini_file(foreign: Foreign):
    foreign.probes(PASSING)
    foreign.pytester.makeini("[pytest]\nml_score = true\nml_score_min = 2\nml_score_report = json\n")
    result = foreign.pytester.runpytest_subprocess("-p", "no:randomly")
    assert int(result.ret) == 1
    outcome = foreign.run()
    assert outcome.status == 1
    assert not (foreign.pytester.path / ".ml-score" / "report.html").exists()
    assert foreign.run("--ml-score-min", "0").status == 0


def test_the_list_of_items_runs_nothing(foreign: Foreign):
    foreign.probes(PASSING)
    outcome = foreign.run("--ml-score-list")
    assert outcome.status == 0
    assert "data.whole" in outcome.text
    assert "passed" not in outcome.text


def test_collect_only_lists_and_writes_nothing(foreign: Foreign):
    foreign.probes(PASSING)
    outcome = foreign.run("--collect-only", "-q")
    assert outcome.status == 0
    assert "test_fresh" in outcome.text
    assert not (foreign.pytester.path / ".ml-score").exists()


def test_a_baseline_that_proves_nothing_is_refused(foreign: Foreign):
    foreign.probes(PASSING)
    card = foreign.run().card
    baseline = foreign.pytester.path / "baseline.json"
    cut_short, changed, partial = (json.loads(json.dumps(card)) for _ in range(3))
    del cut_short["items"][0]
    changed["items"][0]["points"] = 0
    partial["score"]["partial"] = True
    for tally in (partial["score"], partial["score"]["in_place"], partial["score"]["if_automated"]):
        tally["final"] = None
    for document, expected in ((cut_short, "their number"), (changed, "not the sums"), (partial, "partial run")):
        baseline.write_text(json.dumps(document))
        outcome = foreign.run("--ml-score-baseline", "baseline.json")
        assert outcome.status == 4
        assert expected in outcome.text


def test_paths_in_the_ini_file_start_from_it(foreign: Foreign, monkeypatch: pytest.MonkeyPatch):
    foreign.probes(PASSING)
    (foreign.pytester.path / "system.toml").write_text('name = "by ini"\ntask = "regression"\n')
    foreign.pytester.makeini("[pytest]\nml_score_manifest = system.toml\n")
    below = foreign.pytester.mkdir("below")
    monkeypatch.chdir(below)
    result = foreign.pytester.runpytest_subprocess("-p", "no:randomly", "--ml-score", "..")
    assert int(result.ret) == 0, result.stdout.str()
    assert json.loads((below / ".ml-score" / "report.json").read_text())["system"]["name"] == "by ini"


def test_a_folder_that_cannot_be_written_keeps_a_green_run_green(foreign: Foreign):
    foreign.probes(PASSING)
    (foreign.pytester.path / ".ml-score").write_text("in the way")
    result = foreign.pytester.runpytest_subprocess("-p", "no:randomly", "--ml-score")
    assert int(result.ret) == 0
    assert "results of this run are in" in result.stdout.str()
