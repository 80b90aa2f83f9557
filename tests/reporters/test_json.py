"""The document for programs: it follows its schema, and it is not believed when it contradicts itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from mltest import resources
from mltest.reporters import schema
from mltest.reporters.json import read, render
from mltest.scorecard import ScorecardError
from tests.reporters import sample


@pytest.fixture
def document() -> dict[str, Any]:
    return json.loads(render(sample.scorecard()))


@pytest.mark.parametrize(
    "make", [sample.scorecard, sample.healthy, sample.empty, lambda: sample.scorecard(partial=True)]
)
def test_the_document_follows_the_schema_in_the_file(make: Callable[[], Any]):
    described = json.loads((resources.path("reports") / schema.FILE_NAME).read_text())
    jsonschema.Draft202012Validator.check_schema(described)
    jsonschema.Draft202012Validator(described).validate(json.loads(render(make())))


def test_the_schema_refuses_a_verdict_that_does_not_exist(document: dict[str, Any]):
    document["items"][0]["verdict"] = "not_applicable"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(schema.text()))


def test_the_schema_in_the_file_is_the_one_that_the_code_describes():
    assert schema.main(["--check"]) == 0


def test_a_schema_that_differs_is_reported_with_its_remedy(tmp_path, monkeypatch, capsys):
    (tmp_path / schema.FILE_NAME).write_text("{}")
    monkeypatch.setattr(resources, "path", lambda name: tmp_path)
    assert schema.main(["--check"]) == 1
    assert "run python -m mltest.reporters.schema" in capsys.readouterr().err
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0


def test_it_holds_28_items_and_its_final_score_is_the_lowest_sum(document: dict[str, Any]):
    sums: dict[str, float] = {}
    for item in document["items"]:
        sums[item["section"]] = sums.get(item["section"], 0.0) + item["points"]
    assert len(document["items"]) == 28
    assert document["score"]["final"] == min(sums.values())


def test_what_was_written_is_read_again():
    text = render(sample.scorecard())
    assert render(read(text)) == text


def test_figures_travel_beside_the_document(document: dict[str, Any]):
    assert "figures" not in document


def test_a_lone_surrogate_can_be_written_to_a_file():
    assert render(sample.renamed(sample.scorecard(), "a\ud800b")).encode("utf-8")


def _repeat_an_item(document: dict[str, Any]) -> None:
    document["items"][1]["id"] = document["items"][0]["id"]


def _drop_an_item(document: dict[str, Any]) -> None:
    document["items"].pop(3)


def _raise_the_final_score(document: dict[str, Any]) -> None:
    document["score"]["final"] = 7.0


def _raise_a_sum(document: dict[str, Any]) -> None:
    document["score"]["sections"]["data"] = 7.0


def _raise_the_paper_score(document: dict[str, Any]) -> None:
    document["score"]["in_place"]["final"] = 7.0


def _pass_without_evidence(document: dict[str, Any]) -> None:
    document["items"][0]["findings"] = []


def _invent_points(document: dict[str, Any]) -> None:
    document["items"][0]["points"] = 3.0


def _call_it_partial(document: dict[str, Any]) -> None:
    document["score"]["partial"] = True


@pytest.mark.parametrize(
    ("forge", "key"),
    [
        (_repeat_an_item, "items"),
        (_drop_an_item, "items"),
        (_raise_the_final_score, "score.final"),
        (_raise_a_sum, "score.sections"),
        (_raise_the_paper_score, "score.in_place.final"),
        (_pass_without_evidence, "items.data.schema"),
        (_invent_points, "items.data.schema"),
        (_call_it_partial, "score.final"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(forge: Callable[..., None], key: str, document: dict[str, Any]):
    forge(document)
    with pytest.raises(ScorecardError, match="run pytest --ml-score again") as refusal:
        read(json.dumps(document), "report.json")
    assert f"report.json: {key}:" in str(refusal.value)
    assert "\n" not in str(refusal.value)
