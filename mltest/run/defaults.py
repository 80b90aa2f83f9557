"""Our own answers to our own hooks, given last, so that any other answer wins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from mltest import resources
from mltest.reporters import FORMATS, Reporter, renderer
from mltest.rubric import BUNDLED
from mltest.scorecard import Scorecard


@pytest.hookimpl(trylast=True)
def pytest_mltest_system(config: pytest.Config) -> str | None:
    from mltest import manifest

    try:
        found = manifest.find(Path(config.invocation_params.dir))
    except manifest.ManifestError as error:
        raise pytest.UsageError(str(error)) from error
    return None if found is None else str(found)


@pytest.hookimpl(trylast=True)
def pytest_mltest_rubric() -> Path:
    return resources.path(BUNDLED)


@pytest.hookimpl(trylast=True)
def pytest_mltest_reporters() -> Mapping[str, Reporter]:
    return {name: Reporter(filename, partial(_render, name)) for name, filename in FORMATS.items()}


def _render(name: str, scorecard: Scorecard) -> str:
    return renderer(name)(scorecard)
