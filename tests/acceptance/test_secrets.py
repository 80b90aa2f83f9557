"""What a run may not give away."""

import pytest

from tests.acceptance.conftest import PASSING, Foreign

CANARY = "correct-horse-battery-staple-9f3a"


def test_a_secret_of_the_environment_is_in_no_output(foreign: Foreign, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REGISTRY_TOKEN", CANARY)
    foreign.probes(
        PASSING
        + """
@pytest.mark.ml_score("data.whole")
def test_leaks(evidence):
    import os
    raise RuntimeError("cannot reach https://user:" + os.environ["REGISTRY_TOKEN"] + "@registry")
"""
    )
    outcome = foreign.run()
    assert outcome.item("data.whole")["verdict"] == "error"
    for path in (outcome.folder / ".ml-score").rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
