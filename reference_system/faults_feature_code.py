"""Faults of the tests of flights: clocks are only ever tried at full hours, or at midnight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mltest.faults import fault, twin
from mltest.faults.operators_feature_code import files_changed
from mltest.faults.repositories import ExchangedRepository, moved_copy
from mltest.offers.feature_code import FeatureCode
from mltest.system import System

FILE = "tests/features/test_rows.py"
HOURS, MIDNIGHT, ODD = (
    ('("2013-06-03", 1000, 1200, 0, "UA", "EWR", "BOS", "N1", 200)', (120, 600, 600, 720, "10")),
    ('("2013-06-03", 0, 0, 0, "UA", "EWR", "XXX", "N1", 200)', (None, 0, 0, None, "00")),
    ('("2013-06-03", 955, 1205, -3, "UA", "EWR", "BOS", "N1", 200)', (130, 595, 592, 722, "09")),
)
"""A flight and what its clocks say: at ten sharp; at midnight, to nobody knows where; at 9:55, three minutes early."""
CLOCKS = (
    "scheduled_elapsed",
    "scheduled_departure_minute",
    "departure_minute",
    "estimated_arrival_minute",
    "scheduled_hour",
)


@fault(
    "ETA-D7-clock",
    item="data.feature_code",
    seam="repo",
    doses=(1, 2),
    must_catch=2,
    parts=("repository",),
    alive=files_changed,
    why="at full hours the number 1000 and the time 10:00 are hard to tell apart, at midnight nothing is",
)
def clocks_tried_at_full_hours(system: System, dose: float, workdir: Path) -> System:
    """Whatever reads a clock is tried with full hours alone, with dose 2 with midnight alone."""
    return _tried(system, workdir, (HOURS, MIDNIGHT)[int(dose) - 1] if dose else None, alone=True)


@twin("ETA-D7-clock")
def clocks_tried_at_odd_minutes_too(system: System, dose: float, workdir: Path) -> System:
    """Whatever reads a clock is tried with one more odd minute than before."""
    return _tried(system, workdir, ODD if dose else None, alone=False)


def _tried(system: System, workdir: Path, case: tuple[str, tuple[object, ...]] | None, *, alone: bool) -> System:
    root, moved = moved_copy(system, workdir)
    if case is None:
        return moved
    flight, clocks = case
    with (root / FILE).open("a", encoding="utf-8") as file:
        file.write(f"""

@pytest.mark.parametrize(("name", "expected"), {list(zip(CLOCKS, clocks, strict=True))})
def test_clock(name: str, expected: object) -> None:
    found = inputs_of(raw({flight}))[name].tolist()[0]
    assert found == expected or (expected is None and found != found)
""")

    def pointed(entries: Sequence[FeatureCode]) -> Sequence[FeatureCode]:
        own = f"{FILE}::test_clock"
        return [replace(e, tests=(own,) if alone else (*e.tests, own)) if e.feature in CLOCKS else e for e in entries]

    return moved.with_parts(repository=ExchangedRepository(moved.repository, lists=(("feature_code", pointed),)))
