"""Every format is found by its name, and is a pure function of the scorecard."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mltest.reporters import FORMATS, renderer
from tests.reporters import sample


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_scorecard_gives_the_same_report(name: str):
    assert renderer(name)(sample.scorecard()) == renderer(name)(sample.scorecard())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("make", [sample.scorecard, sample.healthy, sample.empty])
def test_a_failed_item_is_told_in_the_line_of_the_score_in_every_format_for_people(name: str, make):
    card = make()
    assert name == "json" or card.headline() in renderer(name)(card)


def test_an_unknown_format_is_no_format():
    with pytest.raises(KeyError):
        renderer("printable")


def test_naming_the_formats_imports_none_of_them():
    code = "import sys, mltest.reporters; print({'jinja2', 'rich'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
