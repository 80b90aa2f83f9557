"""Small foreign repositories to run the plugin in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

RUBRIC = """
id: ours
sections:
  - {id: data, title: Data}
  - {id: model, title: Model}
items:
  - {id: data.fresh, title: The feed is from today, remedy: Alert when the feed is older than a day.}
  - {id: data.whole, title: No rows are lost, remedy: Count rows at both ends.}
  - {id: model.fast, title: Answers are quick, remedy: Profile the slowest tenth.}
"""

CONFTEST = """
from pathlib import Path


def pytest_mltest_rubric(config):
    return Path(__file__).with_name("rubric.yaml")
"""

PASSING = """
import pytest

@pytest.mark.ml_score("data.fresh")
def test_fresh(evidence):
    evidence.measure("age", 3, limit=24, unit="h")

@pytest.mark.ml_score("model.fast")
def test_fast(evidence):
    evidence.measure("latency", 9.5, limit=20, ci=(8, 11), n=500, unit="ms")
"""


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    status: int
    text: str
    folder: Path

    @property
    def card(self) -> dict:
        return json.loads((self.folder / ".ml-score" / "report.json").read_text())

    def item(self, name: str) -> dict:
        return next(item for item in self.card["items"] if item["id"] == name)


class Foreign:
    """A repository with a rubric of its own, so that only its own tests run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makeconftest(CONFTEST)
        pytester.path.joinpath("rubric.yaml").write_text(RUBRIC)

    def probes(self, source: str, name: str = "test_probes") -> None:
        self.pytester.makepyfile(**{name: source})

    def conftest(self, more: str) -> None:
        self.pytester.makeconftest(CONFTEST + more)

    def run(self, *options: str) -> Outcome:
        result = self.pytester.runpytest_subprocess("-p", "no:randomly", "--ml-score", *options, timeout=120)
        return Outcome(int(result.ret), "\n".join([*result.outlines, *result.errlines]), self.pytester.path)


@pytest.fixture
def foreign(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Foreign:
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "TF_BUILD", "JENKINS_URL", "CIRCLECI"):
        monkeypatch.delenv(name, raising=False)
    return Foreign(pytester)
