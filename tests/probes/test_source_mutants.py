"""Mutants of source code: which there are, where, and that each differs in exactly what it says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.probes import source_mutants, source_places
from mltest.probes.source_places import NoSuchPlace, SourceFile

CODE = '''"""A docstring with 1 + 1 and a > b."""

from __future__ import annotations

import logging

WINDOWS = (
    Window("level", "landings", ("dest",), Last(5, within=2 * HOURS), "median"),
    Window("recent", "departures", ("origin", "dest"), Last(3), "mean", description="of the last three"),
    *(Window(f"age_{what}", "landings", ("dest",), Last(1), "mean", value=what) for what in ("taxi", "air")),
)
QUERY = f"""
    SELECT avg(value) FROM events e ASOF LEFT JOIN moments m ON m.moment > e.time
    WHERE value IS NOT NULL ORDER BY time DESC"""


def cleaned(frame: Frame, limit: int = 3) -> Frame:
    """Leaves out 5 of them."""
    logging.info("cleaned %s", 3)
    if limit >= 2 and not frame.empty:
        return frame["hours"].fillna(0).clip(0, 24)
    raise ValueError("more than 7")


class Clock:
    def minutes(self, hhmm):
        return np.floor(hhmm / 100) * 60 + np.sin(0)


def places(found):
    return {"latitude": [place.latitude for place in found], "longitude": [place.longitude for place in found]}
'''
FILE = SourceFile("clean.py", CODE)


def changes(place: str) -> set[tuple[str, str]]:
    made = (each.mutant() for each in source_mutants.candidates(FILE, place))
    return {(mutant.before, mutant.after) for mutant in made if mutant is not None}


def after(place: str) -> set[str]:
    return {changed for _, changed in changes(place)}


def test_cleaning_is_left_out() -> None:
    found = after("clean.py:cleaned")
    assert 'return frame["hours"].clip(0, 24)' in found
    assert 'return frame["hours"].fillna(0)' in found
    assert 'return frame["hours"].fillna( 1).clip(0, 24)' in found


def test_comparisons_and_conditions_change_by_one_step() -> None:
    found = after("clean.py:cleaned")
    assert "if limit > 2 and not frame.empty:" in found
    assert "if limit >= 2 or not frame.empty:" in found
    assert "if limit >= 2 and  frame.empty:" in found
    assert "def cleaned(frame: Frame, limit: int = 4) -> Frame:" in found


def test_texts_for_people_logs_and_errors_are_left_alone() -> None:
    lines = {before for before, _ in changes("clean.py")}
    assert not any(
        "docstring" in line or "logging" in line or "raise" in line or "Leaves out" in line for line in lines
    )
    assert not any(
        'description="of' in line and 'description="of' not in line_after for line, line_after in changes("clean.py")
    )


def test_windows_move_and_arguments_are_exchanged() -> None:
    found = after('clean.py:WINDOWS["level"]')
    line = 'Window("level", "landings", ("dest",), Last(5, within=2 * HOURS), "median"),'
    assert line.replace("5", " 6") in found
    assert line.replace("landings", "departures") in found
    assert line.replace("median", "mean") in found
    assert line.replace('("dest",)', '("origin", "dest")') in found
    assert line.replace(", within=2 * HOURS", "") in found
    assert all('"level"' in changed for changed in found)


def test_only_the_entry_that_is_named_changes() -> None:
    assert {before for before, _ in changes("clean.py:WINDOWS[age_{what}]")} == {
        '*(Window(f"age_{what}", "landings", ("dest",), Last(1), "mean", value=what) for what in ("taxi", "air")),'
    }


def test_sql_in_texts_changes_too() -> None:
    found = {changed.strip() for changed in after("clean.py:QUERY")}
    assert "SELECT median(value) FROM events e ASOF LEFT JOIN moments m ON m.moment > e.time" in found
    assert "SELECT avg(value) FROM events e ASOF LEFT JOIN moments m ON m.moment >= e.time" in found
    assert "SELECT avg(value) FROM events e ASOF JOIN moments m ON m.moment > e.time" in found
    assert 'WHERE value IS NULL ORDER BY time DESC"""' in found
    assert 'WHERE value IS NOT NULL ORDER BY time"""' in found


def test_neighbours_and_siblings_are_exchanged() -> None:
    assert "return np.ceil(hhmm / 100) * 60 + np.sin(0)" in after("clean.py:Clock.minutes")
    assert "return (hhmm / 100) * 60 + np.sin(0)" in after("clean.py:Clock.minutes")
    assert "return np.floor(hhmm / 100) * 60 + np.cos(0)" in after("clean.py:Clock.minutes")
    assert any(
        changed.startswith('return {"latitude": [place.longitude for')
        for changed in after('clean.py:places["latitude"]')
    )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("clean.py:dirty", "defines no dirty"),
        ("clean.py:Clock.hours", "defines no Clock.hours"),
        ("clean.py:WINDOWS[never]", "no entry of WINDOWS in clean.py contains never"),
    ],
)
def test_a_place_that_is_not_there_is_named(place: str, message: str) -> None:
    with pytest.raises(NoSuchPlace, match=message.replace("[", r"\[")):
        source_mutants.candidates(FILE, place)


def test_a_file_outside_of_the_tree_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "other.py").write_text("x = 1")
    with pytest.raises(NoSuchPlace, match="no file"):
        source_places.read(tmp_path / "tree", "../other.py")


def test_every_mutant_compiles_means_something_else_and_changes_one_place() -> None:
    everything = source_mutants.candidates(FILE, "clean.py")
    assert len({each.key for each in everything}) == len(everything)
    for candidate in everything:
        mutant = candidate.mutant()
        if mutant is not None:
            assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(CODE))
            differing = [
                n for n, (a, b) in enumerate(zip(CODE.splitlines(), mutant.text.splitlines(), strict=False)) if a != b
            ]
            assert differing[:1] == [mutant.line - 1]


@given(st.integers(0, 99), st.sampled_from(["+", "-", "*", "<", ">=", "=="]), st.text("ab", min_size=1, max_size=3))
def test_a_mutant_of_any_expression_is_another_expression(number: int, sign: str, name: str) -> None:
    file = SourceFile("x.py", f"def f({name}):\n    return {name} {sign} {number}\n")
    made = [each.mutant() for each in source_mutants.candidates(file, "x.py:f")]
    assert any(made)
    assert all(mutant is None or mutant.text != file.text for mutant in made)
