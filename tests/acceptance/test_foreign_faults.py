"""The documented example: an item and a fault of somebody else come through the same doors as ours."""

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

SYSTEM = """
import pyarrow as pa
from mltest import Roles, System


class Stock:
    roles = Roles(target="count")
    schema = {}

    def __init__(self, days_old=0):
        self.days_old = days_old

    def dataset(self, split):
        return pa.table({"days_old": [self.days_old], "count": [5]})

    def raw(self, window=None):
        return {}


system = System(name="warehouse", task="regression", data=Stock())
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def warehouse(pytester: pytest.Pytester):
    rubric, (conftest, probe) = blocks("yaml")[0], blocks("python")
    pytester.path.joinpath("rubric.yaml").write_text(rubric)
    pytester.makepyfile(conftest=conftest, test_stock=probe, system=SYSTEM)

    def run(*options: str) -> Outcome:
        result = pytester.runpytest_subprocess(
            "-p", "no:randomly", "--ml-score", "--ml-score-system", "system:system", *options, timeout=120
        )
        return Outcome(int(result.ret), "\n".join([*result.outlines, *result.errlines]), pytester.path)

    return run


def test_item_and_fault_take_under_fifteen_lines_each():
    rubric, (conftest, _) = blocks("yaml")[0], blocks("python")
    assert len(rubric.strip().splitlines()) < 15
    assert len([line for line in conftest.splitlines() if line.strip()]) < 15


def test_the_healthy_system_passes_and_the_faulted_one_turns_red(warehouse):
    healthy = warehouse()
    assert healthy.status == 0, healthy.text
    assert healthy.item("data.fresh")["verdict"] == "passed"
    stale = warehouse("--ml-score-fault", "STALE=30")
    assert stale.status == 1
    assert stale.item("data.fresh")["reason"] in PAGE.read_text(encoding="utf-8")
    assert stale.card["run"]["faults"] == ["STALE=30"]


def test_a_faulted_run_is_never_kept_as_history(warehouse):
    from mltest.ledger import Ledger

    faulted = warehouse("--ml-score-fault", "STALE=30")
    assert Ledger(faulted.folder / ".ml-score" / "ledger.sqlite").scorecards("warehouse") == ()


def test_two_workers_rebuild_the_faulted_system(warehouse):
    assert warehouse("--ml-score-fault", "STALE=30", "-n", "2").item("data.fresh")["verdict"] == "failed"
