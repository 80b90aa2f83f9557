"""Secrets do not reach a report, by whatever way they came into the evidence."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import pytest

from mltest.reporters import FORMATS, renderer
from mltest.reporters.redaction import REDACTED, redact, redacted, secrets_of
from tests.reporters import sample

CANARY = "canary7Q9zX1wV"


@pytest.mark.parametrize(
    "text",
    [
        f"could not connect to postgres://eta:{CANARY}@db.example/flights",
        f"DSN=postgres://{CANARY}",
        f'{{"api_key": "{CANARY}"}}',
        f"password={CANARY}&user=eta",
        f"MLFLOW_TRACKING_PASSWORD: {CANARY}",
        f"Authorization: Basic {CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"sent Bearer {CANARY}abcdef",
        f"ghp_{CANARY}{CANARY}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
        f"the token was aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0{CANARY}",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str):
    assert CANARY not in redact(text)
    assert REDACTED in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "worst_slice_ratio is 1.42 x [1.31, 1.55], allowed is at most 1.25 x",
        "f3d1c971a6c17387e8b569cadf262077a3b947d8a1ce903856bc9e44aba9a2f7",
        "suites/test_mlscore_model_slices.py::TestTheWorstSliceOfCarriers2013::test_it",
        "https://forge.example/acme/eta/actions/runs/8123371",
        "2026-11-24T03:14:07+00:00",
    ],
)
def test_what_is_no_secret_stays(text: str):
    assert redact(text) == text


def test_the_rubric_itself_loses_nothing_to_redaction():
    for item in sample.rubric().items:
        assert redact(item.remedy.text) == item.remedy.text


def test_a_home_folder_does_not_tell_who_ran_it():
    assert redact("no such file: /home/mira/eta/model.onnx") == "no such file: ~/eta/model.onnx"


def test_values_of_secret_variables_are_known_by_their_value():
    secrets = secrets_of({"MY_API_TOKEN": "plain-words", "PATH": "/usr/bin", "PIN_TOKEN": "1"})
    assert secrets == {"plain-words"}
    assert redact("login with plain-words failed", secrets) == f"login with {REDACTED} failed"


def test_the_longer_of_two_nested_secrets_leaves_no_rest():
    assert redact("abcdefgh-tail", frozenset({"abcdef", "abcdefgh-tail"})) == REDACTED


def test_an_entry_with_a_secret_name_is_redacted_whatever_it_holds():
    card = sample.scorecard()
    card = replace(card, run=replace(card.run, environment={"DB_PASSWORD": "hunter2 is it", "python": "3.11"}))
    assert redacted(card).run.environment == {"DB_PASSWORD": REDACTED, "python": "3.11"}


def test_a_secret_across_the_cut_is_not_halved():
    text = "x" * 990 + f" password={CANARY}" + "y" * 20_000
    card = sample.renamed(sample.scorecard(), text)
    shown = redacted(card, longest=1_005).items[0].reason
    assert "canary" not in shown


def test_verdicts_dates_and_numbers_survive_redaction():
    card = sample.scorecard()
    clean = redacted(card)
    assert clean.score == card.score
    assert [i.verdict for i in clean.items] == [i.verdict for i in card.items]
    assert clean.run.started == card.run.started
    assert set(clean.figures) == set(card.figures)
    assert clean.figures[sample.digest(sample.SVG)] == sample.SVG


def readable(report: str) -> str:
    """The report together with what its images hold."""
    images = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", report)
    return report + "".join(base64.b64decode(image).decode() for image in images)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "leak",
    [f"OperationalError: password={CANARY}", f"https://eta:{CANARY}@db.example/x", f"TOKEN={CANARY}"],
)
def test_a_canary_in_any_field_is_in_no_report(name: str, leak: str):
    assert CANARY not in readable(renderer(name)(sample.renamed(sample.scorecard(), leak)))


@pytest.mark.parametrize("name", FORMATS)
def test_a_canary_known_by_value_is_in_no_report(name: str):
    card = sample.renamed(sample.scorecard(), f"could not log in with {CANARY}")
    assert CANARY not in readable(renderer(name)(redacted(card, secrets_of({"ETA_SECRET": CANARY}))))


def test_a_redacted_figure_is_still_a_figure_and_a_table_still_a_table():
    svg = f'<svg aria-label="password={CANARY}"><desc>token={CANARY}</desc><path d="M1,1"/></svg>'
    table = json.dumps([{"api_key": CANARY, "note": f"secret={CANARY}", "rows": 3}])
    clean = redacted(replace(sample.scorecard(), figures={"s": svg, "t": table})).figures
    assert clean["s"] == f'<svg aria-label="password={REDACTED}"><desc>token={REDACTED}</desc><path d="M1,1"/></svg>'
    assert json.loads(clean["t"]) == [{"api_key": REDACTED, "note": f"secret={REDACTED}", "rows": 3}]


@pytest.mark.parametrize("name", ["DB_PASS", "STRIPE_KEY", "SLACK_WEBHOOK_URL", "PGPASSWORD", "REGISTRY_AUTH"])
def test_variables_are_secret_by_the_usual_names(name: str):
    assert secrets_of({name: CANARY}) == {CANARY}


@pytest.mark.parametrize("name", ["MONKEY", "COMPASS", "KEYBOARD", "AUTHOR", "PASSENGERS"])
def test_a_word_that_only_contains_such_a_name_is_none(name: str):
    assert secrets_of({name: CANARY}) == frozenset()


def test_a_secret_is_known_in_every_form_in_which_an_exception_quotes_it():
    secrets = secrets_of({"TLS_KEY": "first-line-of-it\n second  line-of-it"})
    for quoted in (
        r"first-line-of-it\n second  line-of-it",
        "first-line-of-it second line-of-it",
        "second  line-of-it",
    ):
        assert "line-of-it" not in redact(quoted, secrets)


def test_half_a_secret_at_the_end_of_a_text_that_was_cut_is_taken_out():
    assert (
        redact("cannot log in with 0123456789ab", frozenset({"0123456789abcdef0123"}))
        == f"cannot log in with {REDACTED}"
    )


def test_a_secret_that_is_a_word_of_the_rubric_leaves_the_document_readable():
    card = redacted(sample.scorecard(), frozenset({"monitoring", "manual", "automated"}))
    assert set(card.score.sections) == set(sample.scorecard().score.sections)
    assert card.run.basis == sample.scorecard().run.basis
