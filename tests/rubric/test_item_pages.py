from __future__ import annotations

import re
from pathlib import Path

import pytest

from mltest import item_pages, resources
from mltest.lenses import Lenses
from mltest.rubric import Rubric

DOCS = resources.path("rubric").parent / "docs" / "items"


def test_the_pages_in_the_documentation_are_those_of_the_rubric(rubric: Rubric, lenses: Lenses):
    assert item_pages.stale(item_pages.pages(rubric, lenses), DOCS) == []


def test_there_is_a_page_an_item_and_an_index(rubric: Rubric, lenses: Lenses):
    assert set(item_pages.pages(rubric, lenses)) == {"README.md", *(f"{item.id}.md" for item in rubric.items)}


def test_a_page_shows_all_that_the_rubric_says_of_its_item(rubric: Rubric, lenses: Lenses):
    pages = item_pages.pages(rubric, lenses)
    for item in rubric.items:
        page = " ".join(pages[f"{item.id}.md"].split())
        for text in (item.title, item.asks, item.why, item.how, item.remedy.text, *item.how_to_offer):
            assert " ".join(text.split()) in page
        for meaning in (item.verdicts.passed, item.verdicts.failed, item.verdicts.not_demonstrated):
            assert " ".join(meaning.split()) in page


def test_an_item_without_a_built_in_probe_says_how_to_earn_its_points(rubric: Rubric, lenses: Lenses):
    pages = item_pages.pages(rubric, lenses)
    for item in rubric.items:
        assert ("No built-in probe" in pages[f"{item.id}.md"]) is not item.probed


def test_every_link_leads_to_a_page(rubric: Rubric, lenses: Lenses):
    pages = item_pages.pages(rubric, lenses)
    targets = {target for page in pages.values() for target in re.findall(r"\]\(([^)]+)\)", page)}
    assert targets == set(pages)


def test_writing_twice_changes_nothing(tmp_path: Path):
    assert item_pages.main([str(tmp_path)]) == 0
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert item_pages.main([str(tmp_path)]) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert len(first) == 29


def test_the_page_of_an_item_that_is_gone_is_removed_and_a_page_by_hand_is_not(tmp_path: Path):
    item_pages.main([str(tmp_path)])
    generated = (tmp_path / "data.schema.md").read_text()
    (tmp_path / "data.gone.md").write_text(generated)
    (tmp_path / "notes.md").write_text("By hand.")
    assert item_pages.main([str(tmp_path), "--check"]) == 1
    assert item_pages.main([str(tmp_path)]) == 0
    assert not (tmp_path / "data.gone.md").exists()
    assert (tmp_path / "notes.md").read_text() == "By hand."


def test_a_check_names_the_pages_that_differ_and_leaves_them_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    item_pages.main([str(tmp_path)])
    assert item_pages.main([str(tmp_path), "--check"]) == 0
    (tmp_path / "data.schema.md").write_text("edited by hand")
    (tmp_path / "model.slices.md").unlink()
    assert item_pages.main([str(tmp_path), "--check"]) == 1
    named = capsys.readouterr().err
    assert "data.schema.md differs" in named
    assert "model.slices.md differs" in named
    assert (tmp_path / "data.schema.md").read_text() == "edited by hand"
