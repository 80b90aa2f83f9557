"""However a run ends before its time, it does not look like one that passed."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from tests.acceptance.conftest import PASSING, Foreign

EXITING = """
import sys
import time
from mltest import System


def exiting(ref):
    sys.exit(0)


def hanging(ref):
    with open("tries", "a") as tries:
        tries.write(".")
    time.sleep(60)


class Unreadable(dict):
    def items(self):
        raise OSError("the disk is gone")


unreadable = System(name="x", task="regression", digests=Unreadable())
"""
FAILING = PASSING.replace('"age", 3', '"age", 30')


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_a_system_that_ends_the_process_is_an_error_and_gates_hold(foreign: Foreign, workers):
    foreign.pytester.makepyfile(parts=EXITING)
    foreign.probes(FAILING)
    outcome = foreign.run("--ml-score-system", "parts:exiting", "--ml-score-min", "3", *workers)
    assert outcome.status == 1, outcome.text
    assert outcome.item("data.fresh")["verdict"] == "failed"
    assert "gate: readiness" in outcome.text


def test_a_module_that_ends_the_process_when_it_is_imported_is_an_error(foreign: Foreign):
    foreign.pytester.makepyfile(script="import sys\nsys.exit(0)\n")
    foreign.probes("import pytest\n\n@pytest.mark.ml_score('data.fresh')\ndef test_it(ml_data):\n    pass\n")
    outcome = foreign.run("--ml-score-system", "script:system")
    assert outcome.status == 1
    assert "cannot be built: SystemExit" in outcome.item("data.fresh")["reason"]


def test_a_package_that_breaks_when_it_is_imported_is_one_line(foreign: Foreign):
    foreign.pytester.mkpydir("shop").joinpath("__init__.py").write_text("raise RuntimeError('no licence')\n")
    foreign.probes(PASSING)
    outcome = foreign.run("--ml-score-system", "shop.ready:system")
    assert outcome.status == 4
    assert "RuntimeError: no licence" in outcome.text


def test_a_system_that_hangs_while_it_is_built_is_tried_once(foreign: Foreign):
    foreign.pytester.makepyfile(parts=EXITING)
    probe = '\n@pytest.mark.ml_score("data.whole")\ndef test_whole_{}(ml_data):\n    pass\n'
    foreign.probes(PASSING + "".join(probe.format(number) for number in range(8)))
    outcome = foreign.run("--ml-score-system", "parts:hanging", "--ml-score-timeout", "2")
    assert outcome.status == 1
    assert "did not finish within 2 s" in outcome.item("data.whole")["reason"]
    assert outcome.item("data.fresh")["verdict"] == "passed"
    assert (outcome.folder / "tries").read_text() == "."


def test_digests_that_cannot_be_read_cost_no_result(foreign: Foreign):
    foreign.pytester.makepyfile(parts=EXITING)
    foreign.probes(PASSING)
    outcome = foreign.run("--ml-score-system", "parts:unreadable")
    assert outcome.status == 0, outcome.text
    assert "the digests of the system cannot be read: OSError: the disk is gone" in outcome.text


def test_a_listener_that_breaks_is_said_and_the_reports_are_there(foreign: Foreign):
    foreign.conftest("\n\ndef pytest_mltest_scorecard(config, scorecard):\n    raise SystemExit(0)\n")
    foreign.probes(PASSING)
    outcome = foreign.run()
    assert outcome.status == 1
    assert "the hook pytest_mltest_scorecard broke: SystemExit" in outcome.text
    assert outcome.card["score"]["final"] == 0.5


def test_an_own_test_that_kills_its_worker_is_an_error_of_its_item(foreign: Foreign):
    foreign.probes(
        PASSING + '\n@pytest.mark.ml_score("data.fresh")\ndef test_dies(evidence):\n    import os\n    os._exit(0)\n'
    )
    outcome = foreign.run("-n", "2")
    assert outcome.item("data.fresh")["verdict"] == "error", outcome.text
    assert "the process that ran it died" in outcome.item("data.fresh")["reason"]
    assert outcome.status == 1


@pytest.mark.parametrize("looking", ["--fixtures", "--setup-plan", "--setup-only", "--cache-show"])
def test_a_run_that_only_looks_writes_over_no_report(foreign: Foreign, looking: str):
    foreign.probes(PASSING)
    before = foreign.run().card
    foreign.run(looking)
    assert json.loads((foreign.pytester.path / ".ml-score" / "report.json").read_text()) == before


def test_when_everything_is_deselected_an_attestation_alone_is_no_pass(foreign: Foreign):
    foreign.probes(PASSING)
    evidence = foreign.pytester.path / "done.md"
    evidence.write_text("counted by hand")
    today = datetime.now(UTC).date()
    foreign.pytester.path.joinpath("mltest.toml").write_text(
        'name = "x"\ntask = "regression"\n[[attestations]]\nitem = "data.whole"\nby = "ada"\n'
        f"on = {today}\n"
        f'expires = {today + timedelta(days=30)}\nevidence = "done.md"\n'
        f'sha256 = "{sha256(evidence.read_bytes()).hexdigest()}"\n'
    )
    outcome = foreign.run("-k", "nothing_of_that_name")
    assert outcome.status == 5, outcome.text
    assert "no probe ran" in outcome.text


class TestReportOnly:
    """`--ml-score-report-only` forgives findings and gates, and nothing else."""

    def test_a_failing_test_without_a_mark_is_not_forgiven(self, foreign: Foreign):
        foreign.probes(PASSING)
        foreign.probes("def test_plain():\n    assert False\n", "test_plain")
        assert foreign.run("--ml-score-report-only", "--ml-score-with-tests").status == 1

    def test_a_test_file_that_cannot_be_read_is_not_forgiven(self, foreign: Foreign):
        foreign.probes(PASSING)
        foreign.probes("def test_plain(:\n", "test_plain")
        assert foreign.run("--ml-score-report-only", "--continue-on-collection-errors").status == 1

    def test_a_report_that_cannot_be_written_is_not_forgiven(self, foreign: Foreign):
        foreign.probes(PASSING)
        foreign.pytester.path.joinpath("taken").write_text("a file where a folder is needed")
        assert foreign.run("--ml-score-report-only", "--ml-score-report", "html:taken/report.html").status == 1

    def test_failed_items_and_gates_are_forgiven(self, foreign: Foreign):
        foreign.probes(FAILING)
        assert foreign.run("--ml-score-report-only", "--ml-score-min", "7").status == 0
