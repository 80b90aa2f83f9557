from __future__ import annotations

from pathlib import Path

import pytest

from mltest.faults import registered, registry
from mltest.system import System, SystemRef
from tests.faults import synthetic_system


@pytest.fixture(autouse=True)
def a_registry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it; our own catalogue stays."""
    registered()
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.setattr(registry, "_origins", dict(registry._origins))


@pytest.fixture
def reference(tmp_path: Path) -> SystemRef:
    return SystemRef(
        source="tests.faults.synthetic_system:system", root=Path(synthetic_system.__file__).parents[2], workdir=tmp_path
    )


@pytest.fixture
def parcels(reference: SystemRef) -> System:
    return synthetic_system.system(reference)
