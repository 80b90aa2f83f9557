"""What is said of how often probes are wrong was counted with the probes as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest.faults import counting
from mltest.faults.counting import Count

PLAN, RESULTS = (Path(__file__).with_name(f"counted.{kind}") for kind in ("toml", "json"))
HEALTHY, FAULTED = 60, 30
PLANNED = {f"{count.item} on {count.source}, {count.fault or 'healthy'}": count for count in counting.planned(PLAN)}
COUNTED = {(count.item, count.source, count.fault): count for count in counting.load(RESULTS)}


def counted(planned: Count) -> Count:
    found = COUNTED.get((planned.item, planned.source, planned.fault))
    assert found is not None, "never counted: run make proof"
    return found


@pytest.mark.parametrize("name", PLANNED)
def test_the_count_speaks_of_the_code_as_it_is_and_of_enough_runs(name: str) -> None:
    found = counted(PLANNED[name])
    assert found.code == PLANNED[name].code, "the probe changed since it was counted: run make proof"
    assert len(found.runs) >= (HEALTHY if found.fault is None else FAULTED), found.line()


@pytest.mark.parametrize("name", [name for name, count in PLANNED.items() if count.fault is None])
def test_healthy_systems_are_left_in_peace(name: str) -> None:
    found = counted(PLANNED[name])
    assert found.of(counting.WRONG) == 0, found.line()


@pytest.mark.parametrize("name", [name for name, count in PLANNED.items() if count.fault is not None])
def test_nearly_all_faults_at_the_dose_to_be_caught_are_found(name: str) -> None:
    found = counted(PLANNED[name])
    assert found.bound >= 0.8, found.line()
