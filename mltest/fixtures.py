"""Fixtures of every probe, ours and a user's alike: `evidence`, `ml_system` and one for each part.

A part that the system does not offer skips the test, with the sentence that tells how to offer it. Without
--ml-score a marked test is an ordinary test: the same fixtures work, and a measurement beyond its limit fails it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mltest.evidence import Evidence
    from mltest.system import System, SystemRef


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """The record of what this probe saw: `evidence.measure(...)`, `.withhold(...)`, `.attach(...)`."""
    from mltest.run import judging

    return judging.evidence_of(request.node)


@pytest.fixture
def ml_system(request: pytest.FixtureRequest) -> System:
    """The system under test, with every part watched."""
    from mltest.run import judging

    return judging.watched_system(request.node)


@pytest.fixture
def ml_ref(ml_system: System, request: pytest.FixtureRequest) -> SystemRef:
    """Plain data from which `mltest.construction.build` makes the same system in another process."""
    from mltest.run import judging

    return judging.reference(request.node)


def _part(name: str) -> Callable[..., Any]:
    def offered(ml_system: System, request: pytest.FixtureRequest) -> Any:
        from mltest.run import judging

        return judging.part(request.node, ml_system, name)

    offered.__doc__ = f"The part `{name}` of the system under test; the test is skipped when it is not offered."
    return pytest.fixture(name=f"ml_{name}")(offered)


ml_data = _part("data")
ml_features = _part("features")
ml_training = _part("training")
ml_model = _part("model")
ml_registry = _part("registry")
ml_gate = _part("gate")
ml_serving = _part("serving")
ml_deployment = _part("deployment")
ml_monitor = _part("monitor")
ml_labels = _part("labels")
ml_notifier = _part("notifier")
ml_repository = _part("repository")
ml_clock = _part("clock")
