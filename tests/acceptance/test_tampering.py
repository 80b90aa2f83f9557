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
