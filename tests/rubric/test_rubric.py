from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest import resources
from mltest.rubric import BUNDLED, Effort, Rubric, RubricError, UnknownItem, load

MINIMAL = """\
id: ours
sections:
  - {id: feed, title: Feed}
  - {id: people, title: People}
items:
  - {id: feed.fresh, title: The feed is from today, remedy: Alert when it is older than a day.}
  - {id: people.owner, title: The model has an owner, remedy: Name one.}
  - {id: feed.whole, title: No partner is missing, remedy: Count the partners.}
"""
Write = Callable[[str | bytes], Path]


@cache
def rubric_of_the_paper() -> Rubric:
    return load(resources.path(BUNDLED))


@pytest.fixture
def paper() -> Rubric:
    return rubric_of_the_paper()


def refused(path: Path) -> RubricError:
    with pytest.raises(RubricError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))
    return caught.value


def test_a_rubric_of_ones_own_needs_under_fifteen_lines(written: Write):
    rubric = load(written(MINIMAL))
    assert len(MINIMAL.splitlines()) < 15
    assert [item.id for item in rubric.items] == ["feed.fresh", "feed.whole", "people.owner"]


def test_what_a_short_rubric_leaves_out_has_a_default(written: Write):
    rubric = load(written(MINIMAL))
    item = rubric.item("feed.whole")
    assert (item.section, item.number, item.short_title) == ("feed", "Feed 2", "No partner is missing")
    assert (item.remedy.text, item.remedy.effort) == ("Count the partners.", None)
    assert (item.asks, item.parts, item.probed, item.lenses.maturity) == ("", (), False, None)
    assert rubric.title == "ours"


def test_a_short_rubric_is_read_on_the_scale_of_the_paper(written: Write, paper: Rubric):
    assert load(written(MINIMAL)).bands == paper.bands


def test_an_item_may_stand_in_another_section_than_its_id_says(written: Write):
    rubric = load(written(MINIMAL.replace("id: feed.whole,", "id: feed.whole, section: people,")))
    assert rubric.section_of("feed.whole").title == "People"
    assert rubric.item("feed.whole").number == "People 2"


def test_the_digest_is_that_of_the_bytes_so_that_a_comment_counts(written: Write):
    changed = MINIMAL + "# reworded\n"
    assert load(written(MINIMAL)).sha256 == hashlib.sha256(MINIMAL.encode()).hexdigest()
    assert load(written(changed)).sha256 == hashlib.sha256(changed.encode()).hexdigest()


def test_an_unknown_item_is_refused_with_the_nearest_one(paper: Rubric):
    with pytest.raises(UnknownItem, match=r"'data\.shema' is not an item .* did you mean 'data\.schema'\?"):
        paper.item("data.shema")
    with pytest.raises(UnknownItem):
        paper.section_of("nothing.like_it")


def test_an_item_says_how_to_offer_the_parts_that_it_needs(paper: Rubric):
    item = paper.item("monitoring.skew")
    assert len(item.how_to_offer) == len(item.parts) == 3
    assert any("serving" in sentence for sentence in item.how_to_offer)


def test_an_effort_can_be_given_with_the_remedy(written: Write):
    text = MINIMAL.replace("remedy: Name one.", "remedy: {text: Name one., effort: low}")
    assert load(written(text)).item("people.owner").remedy.effort is Effort.LOW


@pytest.mark.parametrize(
    ("old", "new", "line", "parts"),
    [
        ("title: The feed is", "tilte: The feed is", 6, ["feed.fresh.tilte", "did you mean 'title'?", "allowed are"]),
        (", remedy: Name one.", "", 7, ["people.owner", "'remedy' is missing"]),
        ("people.owner", "poeple.owner", 7, ["no section 'poeple'", "did you mean 'people'?", "feed, people"]),
        ("feed.whole", "feed.fresh", 8, ["feed.fresh.id", "two items"]),
        ("feed.whole", "Feed/../whole", 8, ["not an item's id"]),
        ("{id: people, title: People}", "{id: feed, title: People}", 4, ["two sections are called 'feed'"]),
        ("remedy: Name one.", "remedy: Name one., section: feeed", 7, ["did you mean 'feed'?"]),
        ("remedy: Name one.", "remedy: {text: Name one., effort: huge}", 7, ["'huge'", "low, medium, high"]),
        ("remedy: Name one.", "remedy: Name one., parts: [modle]", 7, ["'modle'", "did you mean 'model'?"]),
        ("remedy: Name one.", "remedy: Name one., probed: maybe", 7, ["neither true nor false"]),
        ("remedy: Name one.", "remedy: Name one., lenses: {maturity: 1.5}", 7, ["1.5 is not a whole number"]),
        ("remedy: Name one.", "remedy: Name one., verdicts: {pased: x}", 7, ["did you mean 'passed'?"]),
        ("title: The model has an owner", "title: 3", 7, ["'3' is not a text", "put it in quotes"]),
        ("title: The model has an owner", "title: ''", 7, ["is empty"]),
        ("id: ours", "id: our rubric", 1, ["'our rubric' is not an id"]),
        ("  - {id: people.owner, title: The model has an owner, remedy: Name one.}\n", "", 3, ["'people' has no item"]),
    ],
)
def test_a_mistake_is_answered_with_its_line_its_key_and_the_remedy(
    written: Write, old: str, new: str, line: int, parts: list[str]
):
    error = refused(written(MINIMAL.replace(old, new)))
    assert error.line == line
    assert f":{line}: " in str(error)
    assert all(part in str(error) for part in parts), str(error)


@pytest.mark.parametrize(
    ("bands", "part"),
    [
        ("[{meaning: a}, {meaning: b}]", "after a band without end"),
        ("[{up_to: 1, meaning: a}, {up_to: 1, meaning: b}, {meaning: c}]", "not above the band before it"),
        ("[{up_to: -1, meaning: a}, {meaning: c}]", "not above the band before it"),
        ("[{up_to: 0, meaning: a}, {up_to: 1, meaning: b}]", "the last band must have no end"),
        ("[{up_to: .inf, meaning: a}, {meaning: b}]", "not a finite decimal number"),
        ("[]", "at least one entry"),
    ],
)
def test_bands_must_cover_every_score_exactly_once(written: Write, bands: str, part: str):
    assert part in str(refused(written(f"{MINIMAL}bands: {bands}\n")))


@given(st.floats(min_value=0, max_value=100))
def test_every_score_lies_in_the_one_band_whose_limits_hold_it(final: float):
    paper = rubric_of_the_paper()
    holding = [
        other
        for other in paper.bands
        if (other.above is None or final > other.above) and (other.up_to is None or final <= other.up_to)
    ]
    assert holding == [paper.band(final)]


def test_the_limits_of_the_paper_belong_to_the_band_below(paper: Rubric):
    labels = {final: paper.band(final).label for final in (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 5, 5.5, 7)}
    assert labels == {
        0: "0",
        0.5: "(0,1]",
        1: "(0,1]",
        1.5: "(1,2]",
        2: "(1,2]",
        2.5: "(2,3]",
        3: "(2,3]",
        3.5: "(3,5]",
        5: "(3,5]",
        5.5: "above 5",
        7: "above 5",
    }


@pytest.mark.parametrize("final", [float("nan"), -0.5])
def test_what_is_no_score_has_no_band(paper: Rubric, final: float):
    with pytest.raises(ValueError, match="0 or more"):
        paper.band(final)
