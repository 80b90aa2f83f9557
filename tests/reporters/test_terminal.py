"""The scorecard in a terminal."""

from __future__ import annotations

import re

import pytest

from mltest.reporters.terminal import render
from tests.reporters import sample

POLYGLOT = "\"><svg onload=alert(1)>{{7*7}}${7*7}|=1+1@x\u202e\u001b]0;x\u0007'-- ../.."
BOXES = re.compile("[─█░]")


def test_what_failed_comes_before_the_score():
    text = render(sample.scorecard())
    assert (
        text.index("FAILED  Model 6")
        < text.index("worst_slice_ratio is 1.42")
        < text.index("Remedy")
        < text.index("readiness")
    )


def test_the_line_of_the_score_says_that_items_failed():
    assert "readiness 0.5, 2 items FAILED, 1 item in ERROR" in render(sample.scorecard()).splitlines()


def test_both_numbers_and_what_automation_would_give_are_said_in_words():
    text = " ".join(render(sample.scorecard()).split())
    assert "ML Test Score as in the paper: 1.0." in text
    assert "the same verdicts would score 1.0" in text


def test_every_item_has_one_line_with_number_verdict_and_points():
    lines = render(sample.scorecard()).splitlines()
    for item in sample.scorecard().items:
        rows = [
            line for line in lines if re.match(rf"{item.number}\s+(passed|FAILED|open|ERROR)\s+(0\.5|1\.0|-)  \S", line)
        ]
        assert len(rows) == 1


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int):
    assert max(map(len, render(sample.scorecard(), width).splitlines())) <= width


def test_wide_characters_do_not_break_the_table():
    from rich.cells import cell_len

    text = render(sample.renamed(sample.scorecard(), "航班延误" * 40), 80)
    assert max(map(cell_len, text.splitlines())) <= 80


def test_without_colour_only_ascii_and_boxes_are_written():
    assert BOXES.sub("", render(sample.scorecard())).isascii()


def test_colour_changes_no_word():
    coloured = render(sample.scorecard(), color=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert plain.split() == render(sample.scorecard()).split()


def test_what_qualifies_the_score_stands_beside_it():
    text = render(sample.scorecard())
    assert "Limit relaxed by configuration: data.schema, schema_kill_ratio: 0.8 instead of 0.9" in text
    assert "Foreign fixtures active: conftest.py::warm_cache (autouse)" in text
    assert "Attested by hand: Model 1, by Mira Okafor" in text
    assert "Attestation does not count: Data 6, by Jo Lind: it expired" in text
    assert "waived by flight-data team until 2027-01-31" in text


def test_a_partial_run_has_no_score_and_says_so():
    text = render(sample.scorecard(partial=True))
    assert "readiness not scored: this run is partial" in text
    assert "Partial run:" in text
    assert "Next step" not in text


def test_a_run_without_any_point_says_how_to_begin_in_three_lines():
    ending = render(sample.empty(), 80).split("To begin:\n")[1].splitlines()
    assert [line.split(".")[0].strip() for line in ending if line] == ["1", "2", "3"]
    assert "mltest.toml" in ending[0]
    assert "--ml-score-system" in ending[1]


def test_a_healthy_run_shows_no_trouble_and_no_next_step():
    text = render(sample.healthy())
    assert "readiness 7.0\n" in text
    assert "FAILED" not in text
    assert "ERROR" not in text
    assert "Next step" not in text


@pytest.mark.parametrize("color", [False, True])
def test_a_hostile_name_cannot_steer_the_terminal(color: bool):
    text = render(sample.renamed(sample.scorecard(), POLYGLOT), color=color)
    assert not re.search(r"\x1b(?!\[[\d;]*m)", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]", text)
    assert "{{7*7}}" in text


def test_markup_of_the_terminal_library_in_a_name_is_only_text():
    assert "[bold]x[/bold]" in render(sample.renamed(sample.scorecard(), "[bold]x[/bold]"))


def test_a_message_of_100_mb_is_cut_with_a_count():
    text = render(sample.renamed(sample.scorecard(), "x" * 100_000_000))
    assert len(text) < 200_000
    assert "more characters left out)" in text
