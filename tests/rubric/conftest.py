from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mltest import lenses as lens_files
from mltest import resources
from mltest import rubric as rubric_files
from mltest.lenses import Lenses
from mltest.rubric import Rubric


@pytest.fixture(scope="session")
def rubric() -> Rubric:
    return rubric_files.load(resources.path(rubric_files.BUNDLED))


@pytest.fixture(scope="session")
def lenses(rubric: Rubric) -> Lenses:
    return lens_files.load(resources.path(lens_files.BUNDLED), rubric)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a rubric file and returns its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "own.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
