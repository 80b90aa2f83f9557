"""The plugin among others: xdist, reruns, random order, timeouts, coverage, selections and read-only folders."""

import os
import subprocess
import sys

import pytest

from tests.acceptance.conftest import PASSING, Foreign

NUMPY = """
import numpy as np
import pytest

@pytest.mark.ml_score("data.fresh")
def test_fresh(evidence):
    evidence.measure("age", np.float32(3), limit=24, ci=(np.float64(2), np.float64(4)), n=np.int64(8))

@pytest.mark.ml_score("model.fast")
def test_fast(evidence):
    evidence.measure("latency", np.float64("nan"), limit=20)
"""


def _comparable(card: dict) -> list[dict]:
    for item in card["items"]:
        item["seconds"] = 0
        for finding in item["findings"]:
            finding["seconds"] = 0
    return card["items"]


@pytest.mark.parametrize("source", [PASSING, NUMPY], ids=["plain", "numpy"])
def test_two_workers_give_the_same_card_as_one_process(foreign: Foreign, source: str):
    foreign.probes(source)
    alone = foreign.run()
    shared = foreign.run("-n", "2")
    assert alone.status == shared.status == 0, shared.text
    assert _comparable(alone.card) == _comparable(shared.card)
    assert alone.card["score"] == shared.card["score"]


@pytest.mark.parametrize("options", [("-k", "fresh"), ("-m", "not slow and ml_score", "-x")])
def test_selections_work_as_always(foreign: Foreign, options: tuple[str, ...]):
    foreign.probes(PASSING)
    assert foreign.run(*options).status == 0


def test_the_last_attempt_counts_and_attempts_are_counted(foreign: Foreign):
    foreign.probes(
        """
        import pathlib
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_flaky(evidence):
            log = pathlib.Path("attempts")
            log.write_text((log.read_text() if log.exists() else "") + ".")
            evidence.measure("age", 30 if len(log.read_text()) < 3 else 3, limit=24)
        """
    )
    finding = foreign.run("--reruns", "4").item("data.fresh")["findings"][0]
    assert (finding["verdict"], finding["attempts"]) == ("passed", 3)
    assert len(finding["measurements"]) == 1


def test_random_order_timeouts_and_coverage_change_nothing(foreign: Foreign):
    foreign.probes(PASSING)
    result = foreign.pytester.runpytest_subprocess(
        "-p", "randomly", "--ml-score", "--timeout", "60", "--cov", ".", "--cov-report", "term"
    )
    assert int(result.ret) == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["*readiness 0.5*"])


def test_a_hanging_probe_is_an_error_and_the_rest_runs(foreign: Foreign):
    foreign.probes(
        PASSING
        + """
@pytest.mark.ml_score("data.whole")
def test_hangs(evidence):
    import time
    time.sleep(60)
"""
    )
    outcome = foreign.run("--ml-score-timeout", "1")
    assert outcome.item("data.whole")["verdict"] == "error"
    assert "did not finish within 1 s" in outcome.item("data.whole")["reason"]
    assert outcome.item("model.fast")["verdict"] == "passed"
    assert outcome.status == 1


def test_last_failed_reruns_only_what_failed(foreign: Foreign):
    foreign.probes(PASSING.replace('"age", 3', '"age", 30'))
    foreign.run()
    assert "1 failed" in foreign.run("--lf").text


def test_it_runs_without_the_cache(foreign: Foreign):
    foreign.probes(PASSING)
    assert foreign.run("-p", "no:cacheprovider").status == 0


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs POSIX users")
def test_a_folder_that_cannot_be_written_is_said_in_one_line(foreign: Foreign):
    foreign.probes(PASSING)
    (foreign.pytester.path / ".ml-score").write_text("in the way")
    result = foreign.pytester.runpytest_subprocess("-p", "no:randomly", "--ml-score")
    text = result.stdout.str()
    assert "cannot be written" in text
    assert "results of this run are in" in text
    assert "readiness 0.5" in text


def test_a_large_figure_travels_beside_junit_xml_and_not_in_it(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_draws(evidence):
            evidence.measure("age", 3, limit=24)
            evidence.attach("ages", "<svg xmlns='http://www.w3.org/2000/svg'>" + "<g/>" * 50_000 + "</svg>")
        """
    )
    outcome = foreign.run("--junitxml", "junit.xml")
    assert outcome.status == 0, outcome.text
    assert (outcome.folder / "junit.xml").stat().st_size < 20_000
    assert outcome.item("data.fresh")["findings"][0]["attachments"][0]["name"] == "ages"


def test_importing_the_package_loads_nothing_heavy():
    code = "import mltest, mltest.plugin, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "torch", "ibis", "scipy", "numpy", "pyarrow", "jinja2", "pydantic", "yaml"} & set(loaded)


def test_what_a_killed_run_left_is_swept_and_what_a_running_one_uses_is_not(foreign: Foreign):
    foreign.probes(PASSING)
    work = foreign.pytester.path / ".ml-score" / "work"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (work / str(gone.pid)).mkdir(parents=True)
    (work / str(os.getpid())).mkdir()
    foreign.run()
    assert [path.name for path in work.iterdir()] == [str(os.getpid())]
