"""A trial runs real probes in real pytest, and says what they made of a fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mltest.evidence import Verdict
from mltest.faults import FaultError, parse
from mltest.faults.trial import Trial, proof_of_life, run, suite_of
from mltest.system import FaultRef, SystemRef

PROBES = """
import numpy as np
import pytest


@pytest.mark.ml_score("data.schema")
def test_distances_are_below_a_thousand(ml_data, evidence):
    distance = ml_data.dataset("holdout").column("distance").to_numpy()
    if len(distance) < 10:
        evidence.withhold("needs 10 rows")
    evidence.measure("longest_distance", float(np.nanmax(distance)), limit=1000.0, n=len(distance))


@pytest.mark.ml_score("model.slices")
def test_another_item_altogether():
    assert False
"""

CONFTEST = '''
import mltest
from mltest.faults.operators_raw import in_a_share, written_over


@mltest.fault("USER-1", item="data.schema", seam="raw", doses=(0.1, 1), must_catch=1, parts=("data",))
def lost_distances(system, dose, workdir):
    """A share of the parcels went nowhere: their distance is below zero, which nobody looks at."""
    return written_over(system, "distance", in_a_share(dose, system.data.roles), -5.0)
'''


@pytest.fixture
def probes(reference: SystemRef, tmp_path: Path) -> tuple[SystemRef, str]:
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_team.py").write_text(PROBES, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return replace(reference, workdir=tmp_path / "work"), str(folder / "test_team.py")


def tried(probes: tuple[SystemRef, str], fault: FaultRef | None, *, in_process: bool = False) -> Trial:
    reference, tests = probes
    return run(reference, "data.schema", fault, tests=[tests], in_process=in_process, seconds=120)


def test_a_healthy_system_leaves_the_item_quiet(probes: tuple[SystemRef, str]) -> None:
    trial = tried(probes, None)
    assert (trial.outcome, trial.kind, trial.verdict) == ("quiet", "healthy", Verdict.PASSED), trial.message
    assert [finding.item for finding in trial.findings] == ["data.schema"]
    assert trial.right is True


def test_a_fault_is_caught_and_the_message_names_the_cause(probes: tuple[SystemRef, str]) -> None:
    trial = tried(probes, parse("O-D1-a=30"))
    assert (trial.outcome, trial.verdict) == ("caught", Verdict.FAILED), trial.message
    assert "longest_distance" in trial.message
    assert "distance changed" in trial.alive


def test_dose_0_and_a_twin_leave_the_item_quiet(probes: tuple[SystemRef, str]) -> None:
    outcomes = [tried(probes, parse(text), in_process=True).outcome for text in ("O-D1-a=0", "O-D1-a.twin")]
    assert outcomes == ["quiet", "quiet"]


def test_a_probe_that_cannot_see_the_fault_of_a_conftest_is_fooled(probes: tuple[SystemRef, str]) -> None:
    conftest = Path(probes[1]).with_name("conftest.py")
    trial = tried(probes, parse(f"USER-1=1@{conftest}"))
    assert trial.outcome == "fooled", trial.message
    assert trial.right is False


@pytest.mark.parametrize(("operator", "outcome"), [("V1-empty", "withheld"), ("V4-raise", "error")])
def test_an_operator_that_removes_the_evidence_is_rightly_withheld(
    operator: str, outcome: str, probes: tuple[SystemRef, str]
) -> None:
    trial = tried(probes, parse(operator), in_process=True)
    assert trial.outcome == outcome, trial.message
    assert trial.right is True


def test_a_trial_in_this_process_says_the_same(probes: tuple[SystemRef, str]) -> None:
    caught, quiet = (tried(probes, fault, in_process=True) for fault in (parse("O-D1-a=30"), None))
    assert (caught.outcome, quiet.outcome) == ("caught", "quiet"), caught.message


def test_a_fault_that_does_not_apply_or_changes_nothing_is_discarded(probes: tuple[SystemRef, str]) -> None:
    reference, tests = probes
    bare = replace(reference, source="tests.faults.synthetic_system:only_a_model")
    trial = run(bare, "data.schema", parse("O-D1-a"), tests=[tests])
    assert (trial.outcome, trial.right) == ("discarded", None)
    assert "needs the part 'data'" in trial.message


def test_a_run_without_a_report_is_an_error_that_quotes_pytest(probes: tuple[SystemRef, str]) -> None:
    reference, _ = probes
    trial = run(
        reference, "data.schema", parse("O-D1-a"), tests=["no_such_test.py"], prove_alive=False, in_process=True
    )
    assert trial.outcome == "error"
    assert "no_such_test.py" in trial.message


def test_a_probe_that_hangs_is_stopped(probes: tuple[SystemRef, str]) -> None:
    reference, tests = probes
    Path(tests).write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    trial = run(reference, "data.schema", tests=[tests], seconds=3)
    assert trial.outcome == "lost_evidence"
    assert "did not end within 3 s" in trial.message
    assert trial.seconds < 30


def test_proof_of_life_is_a_sentence_about_this_system(reference: SystemRef) -> None:
    assert "distance changed" in proof_of_life(reference, parse("O-D1-a=30"))
    assert proof_of_life(reference, parse("O-D1-a=0")) == ""


def test_an_item_without_a_suite_asks_for_tests() -> None:
    with pytest.raises(FaultError, match=r"there is no suite for 'parcels\.lost': name the tests that probe it"):
        suite_of("parcels.lost")
