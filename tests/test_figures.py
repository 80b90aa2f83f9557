"""Figures that probes attach: they say in words what they draw, follow the reader's colours and fetch nothing."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import pytest

from mltest import figures
from mltest.figures import BandPoint, Bar, Interval, Point

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

NAMESPACE = "{http://www.w3.org/2000/svg}"
ROWS = [Interval("HA", 1.42, 1.31, 1.55, 1.25, "failed"), Interval("UA <&>", 1.0, None, None, 1.25)]


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    made = {
        "intervals": figures.intervals("Error by carrier", ROWS, "x"),
        "bars": figures.bars("Gain", [Bar("route", 0.4), Bar("noise", -0.02, "failed")], 0.01, "min"),
        "line": figures.line_with_band(
            "Loss", [BandPoint(i, 0.1 * i, 0.1 * i - 1, 0.1 * i + 1) for i in range(5)], 0.5
        ),
        "scatter": figures.scatter(
            "Cost and benefit", [Point("route", 3.0, 0.4), Point("noise", 20.0, -0.02, "failed")], "µs", "%"
        ),
    }
    return {name: text for name, text in made.items() if text is not None}


@pytest.mark.parametrize("kind", ["intervals", "bars", "line", "scatter"])
def test_a_figure_is_well_formed_with_title_and_description(drawn: dict[str, str], kind: str):
    root = ElementTree.fromstring(drawn[kind])
    assert root.tag == f"{NAMESPACE}svg"
    assert root.find(f"{NAMESPACE}title") is not None
    assert root.findtext(f"{NAMESPACE}desc")


@pytest.mark.parametrize("kind", ["intervals", "bars", "line", "scatter"])
def test_text_takes_the_readers_colour_and_the_ground_stays_clear(drawn: dict[str, str], kind: str):
    assert 'fill="currentColor"' in drawn[kind]
    assert "prefers-color-scheme:dark" in drawn[kind]
    assert 'fill="white"' not in drawn[kind]


@pytest.mark.parametrize("kind", ["intervals", "bars", "line", "scatter"])
def test_a_figure_fetches_nothing_and_runs_nothing(drawn: dict[str, str], kind: str):
    addresses = set(re.findall(r"https?://[^\"\s]*", drawn[kind]))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in drawn[kind]


def test_the_description_tells_values_limits_and_status(drawn: dict[str, str]):
    said = ElementTree.fromstring(drawn["intervals"]).findtext(f"{NAMESPACE}desc")
    assert said == "HA 1.42 [1.31, 1.55] x, limit 1.25, failed; UA <&> 1 x, limit 1.25, passed"


def test_a_control_character_in_a_name_does_not_break_the_figure():
    svg = figures.bars("t\x00itle", [Bar("a\x1bb", 1.0)])
    assert svg is not None
    assert ElementTree.fromstring(svg).findtext(f"{NAMESPACE}title") == "title"


def test_what_is_not_drawn_is_counted():
    svg = figures.bars("Many", [Bar(f"feature {i}", float(i)) for i in range(75)])
    assert svg is not None
    assert "15 more are not drawn" in svg
    assert len(svg) < 120_000


def test_values_that_are_no_numbers_are_left_out():
    assert figures.intervals("None", [Interval("a", float("nan"))]) is None
    assert figures.bars("Nothing", []) is None


def test_without_the_extra_there_is_no_figure_and_no_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    assert figures.intervals("Error", ROWS) is None
    assert figures.bars("Gain", [Bar("a", 1.0)]) is None
    assert figures.line_with_band("Loss", [BandPoint(0, 1.0)]) is None
