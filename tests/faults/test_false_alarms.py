"""Healthy runs are counted, alarms among them too, and a count that was stopped goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mltest.faults import false_alarms, trial
from mltest.faults.false_alarms import Count, HealthyRun
from mltest.system import SystemRef

PLAN = """[[population]]
item = "model.baseline"
source = "a.module:system"
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds that were run, where seed 3 alarms and seed 4 cannot be judged."""
    seeds: list[int] = []

    def run(ref: SystemRef, item: str) -> trial.Trial:
        seeds.append(ref.seed)
        outcome = {3: "false_alarm", 4: "lost_evidence"}.get(ref.seed, "quiet")
        return trial.Trial(item, None, "healthy", outcome, None, "because")  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "run", run)
    return seeds


def files(folder: Path) -> tuple[str, str]:
    (folder / "plan.toml").write_text(PLAN)
    return str(folder / "plan.toml"), str(folder / "results.json")


def test_alarms_and_runs_without_a_verdict_are_counted_and_told_apart(
    tmp_path: Path, asked: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    false_alarms.main([*files(tmp_path), "--runs", "5", "--at-a-time", "1"])
    said = capsys.readouterr().out
    assert "model.baseline on a.module:system: 1 alarm in 5 runs, 1 without a verdict, at most 65.7%" in said
    assert "model.baseline, seed 3: because" in said
    assert asked == [1, 2, 3, 4, 5]


def test_a_stopped_count_goes_on_and_runs_nothing_twice(tmp_path: Path, asked: list[int]) -> None:
    false_alarms.main([*files(tmp_path), "--runs", "2"])
    false_alarms.main([*files(tmp_path), "--runs", "4"])
    assert sorted(asked) == [1, 2, 3, 4]
    (count,) = false_alarms.load(tmp_path / "results.json")
    assert [run.seed for run in count.runs] == [1, 2, 3, 4]


def test_what_was_counted_with_other_code_is_counted_anew(tmp_path: Path, asked: list[int]) -> None:
    plan, results = files(tmp_path)
    false_alarms.main([plan, results, "--runs", "2"])
    (count,) = false_alarms.load(Path(results))
    false_alarms.save([replace(count, probe="another")], Path(results))
    false_alarms.main([plan, results, "--runs", "2"])
    assert sorted(asked) == [1, 1, 2, 2]


def test_no_alarm_in_60_runs_proves_at_most_five_per_cent_and_three_prove_twelve() -> None:
    quiet = [HealthyRun(seed, "quiet") for seed in range(57)]
    loud = [HealthyRun(seed, "false_alarm") for seed in range(57, 60)]
    whole = Count("i", "s", "p", (*quiet, *(replace(run, outcome="quiet") for run in loud)))
    assert whole.bound == pytest.approx(0.0487, abs=1e-4)
    assert Count("i", "s", "p", (*quiet, *loud)).bound == pytest.approx(0.124, abs=5e-4)


def test_the_results_are_plain_json(tmp_path: Path, asked: list[int]) -> None:
    plan, results = files(tmp_path)
    false_alarms.main([plan, results, "--runs", "1"])
    assert json.loads(Path(results).read_text())["counts"][0]["runs"] == [
        {"seed": 1, "outcome": "quiet", "message": ""}
    ]
