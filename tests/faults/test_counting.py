"""Alarms on healthy systems and faults that were found are counted; a count that was stopped goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from mltest.faults import counting, trial
from mltest.faults.counting import Count, Run
from mltest.system import FaultRef, SystemRef

PLAN = """[[population]]
item = "model.baseline"
source = "a.module:system"
faults = ["O-M5-a"]
"""
HEALTHY = {3: "false_alarm", 4: "lost_evidence"}
FAULTED = {2: "fooled"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str | None]]:
    """What was run; on healthy systems seed 3 alarms and seed 4 cannot be judged, with the fault seed 2 is fooled."""
    runs: list[tuple[int, str | None]] = []

    def run(ref: SystemRef, item: str, fault: FaultRef | None, *, in_process: bool) -> trial.Trial:
        runs.append((ref.seed, None if fault is None else fault.fault))
        outcome = HEALTHY.get(ref.seed, "quiet") if fault is None else FAULTED.get(ref.seed, "caught")
        return trial.Trial(item, fault, "healthy", outcome, None, "because")  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "run", run)
    monkeypatch.setattr(counting, "pool_of", lambda processes: ThreadPool(1))
    return runs


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "plan.toml").write_text(PLAN)
    return str(tmp_path / "plan.toml"), str(tmp_path / "results.json")


def test_alarms_and_runs_without_a_verdict_are_counted_and_told_apart(
    files: tuple[str, str], asked: list[tuple[int, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    counting.main([*files, "--healthy", "5", "--faulty", "3", "--at-a-time", "1"])
    said = capsys.readouterr().out
    assert "a.module:system, healthy: 1 false alarms in 5 runs, 1 without a verdict, at most 65.7%" in said
    assert "a.module:system, O-M5-a: 2 times found in 3 runs, at least 13.5%" in said
    assert "model.baseline, healthy, seed 3: false_alarm: because" in said
    assert "model.baseline, O-M5-a, seed 2: fooled: because" in said
    assert asked == [*((seed, None) for seed in range(1, 6)), *((seed, "O-M5-a") for seed in range(1, 4))]


def test_a_stopped_count_goes_on_and_runs_nothing_twice(
    files: tuple[str, str], asked: list[tuple[int, str | None]]
) -> None:
    counting.main([*files, "--healthy", "2", "--faulty", "0"])
    counting.main([*files, "--healthy", "4", "--faulty", "1"])
    assert len(asked) == len(set(asked)) == 5
    healthy, faulted = counting.load(Path(files[1]))
    assert [run.seed for run in healthy.runs] == [1, 2, 3, 4]
    assert [run.seed for run in faulted.runs] == [1]


def test_what_was_counted_with_other_code_is_counted_anew(
    files: tuple[str, str], asked: list[tuple[int, str | None]]
) -> None:
    counting.main([*files, "--healthy", "1", "--faulty", "0"])
    counting.save([replace(count, code="another") for count in counting.load(Path(files[1]))], Path(files[1]))
    counting.main([*files, "--healthy", "1", "--faulty", "0"])
    assert asked == [(1, None), (1, None)]


@pytest.mark.parametrize(("alarms", "bound"), [(0, 0.0487), (3, 0.1242)])
def test_no_alarm_in_60_runs_proves_at_most_five_per_cent_and_three_prove_twelve(alarms: int, bound: float) -> None:
    runs = [Run(seed, "false_alarm" if seed < alarms else "quiet") for seed in range(60)]
    assert Count("i", "s", None, "c", tuple(runs)).bound == pytest.approx(bound, abs=1e-4)


def test_thirty_faults_found_in_thirty_prove_ninety_per_cent() -> None:
    assert Count("i", "s", "f", "c", tuple(Run(seed, "caught") for seed in range(30))).bound == pytest.approx(
        0.905, abs=1e-3
    )


def test_the_results_are_plain_json(files: tuple[str, str], asked: list[tuple[int, str | None]]) -> None:
    counting.main([*files, "--healthy", "1", "--faulty", "0"])
    healthy, _ = json.loads(Path(files[1]).read_text())["counts"]
    assert healthy["runs"] == [{"seed": 1, "outcome": "quiet", "message": ""}]
