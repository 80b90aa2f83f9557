"""What holds for every item of the bundled rubric."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from mltest import resources
from mltest.rubric import Effort, Item, Rubric
from mltest.system import PARTS

IDS = {
    "data": ("schema", "benefit", "cost", "requirements", "privacy", "agility", "feature_code"),
    "model": ("review", "offline_online", "hyperparameters", "staleness", "baseline", "slices", "inclusion"),
    "infra": ("reproducibility", "spec_tests", "integration", "quality_gate", "debugging", "canary", "rollback"),
    "monitoring": ("dependencies", "invariants", "skew", "staleness", "numerics", "performance", "quality"),
}
ALL = [f"{section}.{name}" for section, names in IDS.items() for name in names]


def own_texts(item: Item) -> Iterator[str]:
    """The texts that are not the paper's."""
    yield from (item.asks, item.why, item.how, item.remedy.text)
    yield from (item.verdicts.passed, item.verdicts.failed, item.verdicts.not_demonstrated)


def sentences(item: Item) -> set[str]:
    return {sentence for text in own_texts(item) for sentence in re.split(r"(?<=[.?;:])\s+", " ".join(text.split()))}


def test_the_items_are_the_papers_in_its_order(rubric: Rubric):
    assert [item.id for item in rubric.items] == ALL
    assert [section.id for section in rubric.sections] == list(IDS)
    assert [len(rubric.items_of(section.id)) for section in rubric.sections] == [7, 7, 7, 7]


def test_the_numbers_are_the_papers(rubric: Rubric):
    words = {"data": "Data", "model": "Model", "infra": "Infra", "monitoring": "Monitor"}
    expected = [f"{words[section]} {count}" for section in IDS for count in range(1, 8)]
    assert [item.number for item in rubric.items] == expected


def test_exactly_the_items_with_a_built_in_probe_say_so(rubric: Rubric):
    suites = {suite.stem for suite in resources.path("suites").glob("*/test_mlscore_*.py")}
    assert {f"test_mlscore_{item.id.replace('.', '_')}" for item in rubric.items if item.probed} == suites
    assert {item.id for item in rubric.items if item.probed} == {
        "data.schema",
        "data.benefit",
        "data.cost",
        "data.requirements",
        "data.privacy",
        "data.agility",
        "data.feature_code",
        "model.review",
        "model.offline_online",
        "model.staleness",
        "model.baseline",
        "model.slices",
        "model.inclusion",
        "model.hyperparameters",
        "infra.reproducibility",
        "infra.integration",
        "monitoring.skew",
        "monitoring.numerics",
    }


def test_titles_are_unique_in_both_lengths(rubric: Rubric):
    assert len({item.title for item in rubric.items}) == 28
    assert len({item.short_title for item in rubric.items}) == 28


def test_the_bands_are_the_papers(rubric: Rubric):
    assert [band.label for band in rubric.bands] == ["0", "(0,1]", "(1,2]", "(2,3]", "(3,5]", "above 5"]
    assert len({band.meaning for band in rubric.bands}) == 6


@pytest.mark.parametrize("identity", ALL)
def test_every_field_is_filled(rubric: Rubric, identity: str):
    item = rubric.item(identity)
    assert all(own_texts(item))
    assert item.short_title
    assert item.paper_section.endswith(item.number)
    assert isinstance(item.remedy.effort, Effort)
    assert item.parts
    assert set(item.parts) <= set(PARTS)
    assert item.lenses.pillars
    assert item.lenses.questions
    assert item.lenses.environments
    assert item.lenses.maturity in (0, 1, 2)


@pytest.mark.parametrize("identity", ALL)
def test_texts_are_whole_sentences_of_a_readable_length(rubric: Rubric, identity: str):
    item = rubric.item(identity)
    assert item.asks.endswith("?")
    assert all(text.endswith(".") for text in own_texts(item) if text != item.asks)
    assert all(text[0].isupper() for text in own_texts(item))
    assert all(60 <= len(text) <= 600 for text in (item.why, item.how, item.remedy.text))
    assert all(len(text) <= 200 for text in (item.verdicts.passed, item.verdicts.failed))
    assert not item.title.endswith(".")


def test_no_sentence_is_copied_from_one_item_to_another(rubric: Rubric):
    uses = Counter(sentence for item in rubric.items for sentence in sentences(item))
    assert [sentence for sentence, count in uses.items() if count > 1] == []


def test_no_two_items_say_nearly_the_same(rubric: Rubric):
    """Six words in a row in common would be a stock phrase."""
    seen: dict[tuple[str, ...], str] = {}
    shared = []
    for item in rubric.items:
        for text in own_texts(item):
            words = re.findall(r"\w+", text.lower())
            for run in zip(*(words[start:] for start in range(6)), strict=False):
                if seen.setdefault(run, item.id) != item.id:
                    shared.append((" ".join(run), seen[run], item.id))
    assert shared == []


def test_monitoring_can_be_shown_outside_development(rubric: Rubric):
    assert all(set(item.lenses.environments) & {"staging", "production"} for item in rubric.items_of("monitoring"))
