"""A pytest plugin that keeps only the probes of one item: `-p mltest.faults.one_item --ml-score-only ITEM`.

Suites that the command line does not name are not even imported, so that a trial pays for its own item alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest import resources


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ml-score-only", metavar="ITEM", default=None, help="run the probes of this item and no others")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--ml-score-only") is None:
        return
    given = set(map(str, config.invocation_params.args))
    suites = resources.path("suites")
    config.args[:] = [a for a in config.args if a in given or not Path(a).resolve().is_relative_to(suites)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--ml-score-only")
    if wanted is None:
        return
    kept = [item for item in items if any(wanted in mark.args for mark in item.iter_markers("ml_score"))]
    dropped = [item for item in items if item not in kept]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    items[:] = kept
