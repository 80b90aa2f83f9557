"""Hooks that a conftest or a plugin can implement.

Our own defaults come through the same door: `mltest.run.defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mltest.reporters import Reporter
    from mltest.scorecard import Scorecard


@pytest.hookspec(firstresult=True)
def pytest_mltest_system(config: pytest.Config) -> str | None:
    """Names the system under test: `module:name`, or the path of a manifest. First answer wins; options win over it.

    A conftest.py that scores the system of the branch under review:

        def pytest_mltest_system(config):
            return "shop.ranking.readiness:system"
    """


@pytest.hookspec(firstresult=True)
def pytest_mltest_rubric(config: pytest.Config) -> Path | str | None:
    """Names the YAML file of the rubric. First answer wins; without one the bundled rubric is used.

    A conftest.py that scores a rubric of one's own:

        from pathlib import Path

        def pytest_mltest_rubric(config):
            return Path(__file__).with_name("our-rubric.yaml")
    """


@pytest.hookspec
def pytest_mltest_reporters(config: pytest.Config) -> Mapping[str, Reporter] | None:
    """Adds report formats, each a pure function of the scorecard, by the name that --ml-score-report takes.

    A conftest.py that adds a one-line report, written by `pytest --ml-score --ml-score-report line`:

        from mltest.reporters import Reporter

        def pytest_mltest_reporters(config):
            return {"line": Reporter("line.txt", lambda scorecard: scorecard.headline())}
    """


@pytest.hookspec
def pytest_mltest_scorecard(config: pytest.Config, scorecard: Scorecard) -> None:
    """Called once, on the controller, when the scorecard is final. It cannot be changed any more.

    A conftest.py that prints the weakest section:

        def pytest_mltest_scorecard(config, scorecard):
            sections = scorecard.score.sections
            print("weakest:", min(sections, key=sections.get))
    """
