"""The scorecard as a page: complete, in the order that a reviewer needs, safe whatever the names in it say."""

from __future__ import annotations

import base64
import itertools
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mltest.evidence import Attachment, Measurement
from mltest.reporters.html import LARGEST, render
from tests.reporters import sample

POLYGLOT = "\"><svg onload=alert(1)>{{7*7}}${7*7}|=1+1@x\u202e\u001b]0;x\u0007'-- ../.."
INLINE = {"a", "code", "em", "span", "strong", "wbr"}
VOID = {"meta", "br", "img", "link", "input", "hr", "wbr"}


class Page(HTMLParser):
    """Elements with their attributes, the text, and whether every element was closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.well_nested = True
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._separate(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._separate(tag)
        self.well_nested &= bool(self.open) and self.open.pop() == tag

    def _separate(self, tag: str) -> None:
        if tag not in INLINE:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(sample.scorecard()))


def test_what_failed_comes_first_then_score_then_step_then_items_then_the_run(page: Page):
    anchors = [name for name in page.attributes("id") if name in {"failed", "score", "next", "items", "run"}]
    assert anchors == ["failed", "score", "next", "items", "run"]


def test_the_title_says_the_score_and_that_items_failed(page: Page):
    assert page.text.startswith("readiness 0.5, 2 items FAILED, 1 item in ERROR · ML Test Score of eta")


def test_each_failure_shows_what_was_measured_against_which_limit_and_what_to_do(page: Page):
    failures = page.text.split("What failed")[2].split("The score is the lowest")[0]
    assert "worst_slice_ratio is 1.42 x [1.31, 1.55], allowed is at most 1.25 x" in failures
    assert "1.31 to 1.55 at most 1.25 x 812 beyond" in failures
    assert "share_of_skewed_answers 0.031 0.024 to 0.039 at most 0.001 2,000 beyond" in failures
    assert "address already in use" in failures
    assert failures.count("What to do") == 3


def test_all_items_are_there_with_title_verdict_points_and_remedy(page: Page):
    items = page.text.split("All 28 items")[-1]
    for item in sample.scorecard().items:
        assert f"{item.number} {item.title}" in items
        assert item.points or item.remedy in items
    assert items.count("Not demonstrated") >= 17


def test_both_scores_are_explained(page: Page):
    assert "0.5 Readiness Points count only while the tests hold" in page.text
    assert "1.0 ML Test Score as in the paper Points for tests that are in place" in page.text
    assert "the same verdicts would score 1.0" in page.text


def test_what_qualifies_the_score_stands_in_the_head(page: Page):
    head = page.text.split("What failed")[0]
    for words in ("schema_kill_ratio: 0.8 instead of 0.9", "warm_cache", "Mira Okafor", "it expired on 2025-07-01"):
        assert words in head


def test_the_run_is_documented_with_basis_proof_seed_commit_and_rubric():
    card = sample.scorecard("automated")
    text = Page(render(card)).text.split("How this run was made")[-1]
    for words in (
        "github-actions",
        "8123371",
        "schedule",
        "20170101",
        card.run.commit or "",
        card.rubric.sha256,
        "torch 2.13.0",
    ):
        assert words in text


def test_a_partial_run_shows_verdicts_but_no_score():
    text = Page(render(sample.scorecard(partial=True))).text
    assert "readiness not scored: this run is partial" in text
    assert "Run all built-in probes" in text
    assert "0.5 of 7 sets the score" not in text


def test_a_run_without_any_point_says_how_to_begin():
    text = Page(render(sample.empty())).text
    assert "How to begin" in text
    assert "--ml-score-system MODULE:NAME" in text


def test_a_healthy_run_says_that_nothing_failed():
    text = Page(render(sample.healthy())).text
    assert "Nothing failed" in text
    assert "7.0 of 7" in text
    assert "nothing left to gain" in text


def test_headings_are_in_order_and_ids_unique(page: Page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)


def test_every_link_within_the_page_has_its_target(page: Page):
    targets = {link[1:] for link in page.attributes("href") if link.startswith("#")}
    assert targets <= set(page.attributes("id"))


def test_nothing_is_fetched_and_nothing_runs(page: Page):
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.attributes("src"))
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_the_style_fetches_nothing():
    style = render(sample.scorecard()).split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_a_figure_is_an_image_with_its_own_description(page: Page):
    assert "Error by carrier. Two carriers, one beyond the limit of 1.25." in page.attributes("alt")
    image = page.attributes("src")[0].removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(image).decode() == sample.SVG


def test_a_figure_is_carried_once_however_often_its_item_is_shown(page: Page):
    assert len(page.attributes("src")) == 1


def test_a_table_is_shown_with_its_rows(page: Page):
    assert "Slices with the largest error slice rows ratio carrier=HA 812 1.42 carrier=OO 29" in page.text


def test_a_hostile_name_is_only_text_wherever_it_stands(page: Page):
    hostile = render(sample.renamed(sample.scorecard(), POLYGLOT))
    parsed = Page(hostile)
    assert {tag for tag, _ in parsed.elements} <= {tag for tag, _ in page.elements}
    assert not any(name.startswith("on") for _, attributes in parsed.elements for name in attributes)
    assert parsed.well_nested
    assert "{{7*7}}" in parsed.text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", hostile)


@pytest.mark.parametrize(
    "text", ["</style><script>alert(1)</script>", "</title>x", "--><b>", "javascript:alert(1)", "&lt;b&gt;"]
)
def test_no_text_leaves_its_place(text: str, page: Page):
    parsed = Page(render(sample.renamed(sample.scorecard(), text)))
    assert {tag for tag, _ in parsed.elements} <= {tag for tag, _ in page.elements}
    assert all(link.startswith("#") for link in parsed.attributes("href"))
    assert text in parsed.text


def test_a_script_in_a_figure_stays_in_an_image():
    parsed = Page(render(sample.renamed(sample.scorecard(), "x")))
    assert "script" not in {tag for tag, _ in parsed.elements}
    assert parsed.attributes("src")


def test_a_lone_surrogate_can_be_written_to_a_file():
    assert render(sample.renamed(sample.scorecard(), "a\ud800b")).encode("utf-8")


def test_messages_of_100_mb_are_cut_with_a_count_and_the_page_stays_small_and_quick():
    card = sample.renamed(sample.scorecard(), "x" * 100_000_000)
    began = time.process_time()
    report = render(card)
    assert time.process_time() - began < 5
    assert len(report.encode()) <= LARGEST
    assert re.search(r"\(99,99\d,\d{3} more characters left out\)", report)


def test_text_that_grows_when_escaped_does_not_make_the_page_large():
    report = render(sample.renamed(sample.scorecard(), "<&\"'" * 10_000))
    assert len(report.encode()) <= LARGEST


def test_a_hundred_thousand_slices_are_cut_with_a_count_and_the_failed_one_is_kept():
    card = sample.scorecard()
    measurements = tuple(Measurement(f"slice_{i}", 1.0, 1.25) for i in range(100_000))
    worst = Measurement("the_one_that_failed", 9.9, 1.25)
    found = replace(card.items[0].findings[0], measurements=(*measurements, worst))
    changed = replace(card.items[0], findings=(found, *card.items[0].findings * 20))
    report = render(replace(card, items=(changed, *card.items[1:])))
    assert len(report.encode()) <= LARGEST
    assert "the_<wbr>one_<wbr>that_<wbr>failed" in report
    assert "99,976 more measurements not shown here" in report
    assert "13 more findings not shown here" in report


def test_figures_that_are_too_large_are_left_out_and_that_is_said():
    card = sample.scorecard()
    drawing = "<svg>" + "<path d='M0,0'/>" * 20_000 + "</svg>"
    figures = {str(i): drawing + " " * i for i in range(28)}
    items = tuple(
        replace(
            item,
            findings=(
                replace(sample.scorecard().items[0].findings[0], attachments=(Attachment("drawn", "svg", str(i)),)),
            ),
        )
        for i, item in enumerate(card.items)
    )
    report = render(replace(card, items=items, figures=figures))
    assert len(report.encode()) <= LARGEST
    assert "left out: 320 kB, this report has room for 40 kB" in report


def test_a_report_of_a_usual_run_is_far_below_the_limit():
    assert len(render(sample.scorecard()).encode()) < LARGEST / 4
