"""A team cannot talk its way to a better score from its conftest."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import Outcome

SYSTEM = """
import pyarrow as pa
from mltest import System, Roles


class Data:
    roles = Roles(target="y", inputs=("x",))
    schema = {}

    def dataset(self, split):
        return pa.table({"x": [1.0], "y": [2.0]})

    def raw(self, window=None):
        return {}


system = System(name="x", task="regression", data=Data())
"""


ROOT = Path(__file__).parents[2]


@pytest.fixture
def bundled(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Runs the bundled suites against a tiny system, with a conftest of the team's own.

    The package lies inside the team's folder, as in a repository that keeps its environment beside its code: there
    the team's conftest reaches our suites too.
    """
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    inside = pytester.path / "environment"
    for name in ("mltest", "rubric", "suites", "reports"):
        shutil.copytree(ROOT / name, inside / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(inside))
    pytester.makepyfile(parts=SYSTEM)

    def run(conftest: str, *options: str) -> Outcome:
        pytester.makeconftest(conftest)
        result = pytester.runpytest_subprocess(
            "-p", "no:randomly", "--ml-score", "--ml-score-system", "parts:system", *options, timeout=300
        )
        return Outcome(int(result.ret), "\n".join([*result.outlines, *result.errlines]), pytester.path)

    return run


def test_a_fixture_of_ours_cannot_be_replaced_inside_our_probes(bundled):
    outcome = bundled(
        """
import pytest

@pytest.fixture
def ml_data():
    return "mine"
"""
    )
    item = outcome.item("data.schema")
    assert item["verdict"] == "error"
    assert "the fixture 'ml_data' comes from conftest" in item["reason"]
    assert outcome.status == 1


def test_deselected_probes_make_the_run_partial_and_keep_it_red(bundled):
    outcome = bundled(
        """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "schema" not in item.nodeid]
"""
    )
    assert outcome.card["score"]["partial"] is True
    assert outcome.card["score"]["final"] is None
    assert outcome.status == 1
    assert "partial" in outcome.text


def test_selections_are_partial_and_no_gate_can_pass(bundled):
    outcome = bundled("", "-k", "schema", "--ml-score-min", "0")
    assert outcome.card["score"]["final"] is None
    assert outcome.card["score"]["band"] is None
    assert "no gate can pass on a partial run" in outcome.text
    assert outcome.status == 5


def test_failures_turned_into_expected_ones_are_failures(bundled):
    outcome = bundled(
        """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(strict=False))
""",
        "--ml-score-timeout",
        "60",
    )
    assert not any(item["points"] for item in outcome.card["items"])
    assert outcome.status != 0


def test_an_early_exit_with_zero_does_not_pass(bundled):
    outcome = bundled(
        """
import pytest

def pytest_runtest_setup(item):
    pytest.exit("enough", returncode=0)
"""
    )
    assert outcome.card["score"]["partial"] is True
    assert outcome.status == 1


def test_foreign_autouse_fixtures_are_listed(bundled):
    outcome = bundled(
        """
import pytest

@pytest.fixture(autouse=True)
def quietly():
    yield
"""
    )
    assert outcome.card["run"]["foreign_fixtures"] == ["quietly (conftest)"]


@pytest.mark.parametrize("option", ["-x", "--ff"])
def test_an_option_that_selects_nothing_does_not_excuse_probes_that_vanished(bundled, option):
    outcome = bundled(
        """
def pytest_collection_modifyitems(items):
    items.clear()
""",
        option,
    )
    assert outcome.status == 1
    assert "vanished" in outcome.text


def test_a_foreign_fixture_that_skips_our_probes_is_listed(bundled):
    outcome = bundled(
        """
import pytest

@pytest.fixture(autouse=True)
def gate():
    pytest.skip("slow here")
"""
    )
    assert outcome.card["run"]["foreign_fixtures"] == ["gate (conftest)"]


def test_a_property_that_a_test_records_is_no_finding(foreign):
    forged = (
        '{"item":"data.whole","probe":"test_forged","own":false,"verdict":"passed","message":"","reason_code":null,'
        '"measurements":[{"name":"x","value":1,"limit":2,"better":"lower","unit":"","ci":null,"n":null,'
        '"default_limit":2}],"attachments":[],"required":true,"seconds":0,"attempts":1}'
    )
    foreign.probes(
        f"def test_records(record_property):\n    record_property('ml_score', {forged!r})\n\n"
        "def test_measures(record_property):\n    record_property('ml_score', '0.93')\n"
    )
    outcome = foreign.run("--ml-score-with-tests")
    assert outcome.item("data.whole")["verdict"] == "not_demonstrated"
    assert outcome.status == 5
