"""Foreign text can neither steer a terminal nor rewrite a line, and what is cut is counted."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.reporters.printable import printable, shorten


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07name", "name"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("abc\u202edef", "abcdef"),
        ("zero\u200bwidth", "zerowidth"),
        ("two\nlines\tand tabs", "two lines and tabs"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("größer als ∞ 航班", "größer als ∞ 航班"),
    ],
)
def test_only_what_can_be_seen_is_shown(foreign: str, shown: str):
    assert printable(foreign) == shown


@given(st.text())
def test_no_text_yields_a_control_character(text: str):
    assert not {unicodedata.category(character) for character in printable(text)} & {"Cc", "Cf", "Cs"}


@given(st.text())
def test_what_is_printable_stays_as_it_is(text: str):
    once = printable(text)
    assert printable(once) == once


def test_a_text_that_fits_is_not_touched():
    assert shorten("short", 5) == "short"


def test_what_is_left_out_is_counted():
    assert shorten("a" * 1_500, 1_000) == "a" * 1_000 + " ... (500 more characters left out)"


def test_a_second_cut_still_counts_what_the_first_left_out():
    assert shorten(shorten("a" * 10_000, 5_000), 1_000).endswith("(9,000 more characters left out)")
