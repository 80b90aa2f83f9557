"""Bad input gets one clear line that names the file, the key and the remedy."""

import pytest

from tests.acceptance.conftest import PASSING, Foreign


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_an_unknown_item_in_a_mark_is_a_usage_error_that_suggests_the_nearest(foreign: Foreign, workers):
    foreign.probes(PASSING.replace("data.fresh", "data.frehs"))
    outcome = foreign.run(*workers)
    assert outcome.status == 4
    assert "'data.frehs'" in outcome.text
    assert "data.fresh" in outcome.text.replace("data.frehs", "")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--ml-score-min", "high"), "--ml-score-min is 'high': give a number"),
        (("--ml-score-require", "data.frsh"), "--ml-score-require: 'data.frsh' is not an item"),
        (("--ml-score-report", "pdf"), "--ml-score-report pdf: choose one of"),
        (("--ml-score-baseline", "none.json"), "--ml-score-baseline none.json cannot be read"),
        (("--ml-score-system", "nowhere:system"), "there is no module nowhere"),
        (("--ml-score-system", "unregistered"), "give MODULE:NAME"),
        (("--ml-score-manifest", "absent.toml"), "absent.toml"),
        (("--ml-score-manifest", "a.toml", "--ml-score-system", "a:b"), "give one of them"),
        (("--ml-score-fault", "O-NONE"), "O-NONE"),
        (("--ml-score-effort", "heroic"), "heroic"),
    ],
)
def test_a_wrong_option_runs_nothing_and_exits_with_four(foreign: Foreign, options, expected):
    foreign.probes(PASSING)
    outcome = foreign.run(*options)
    assert outcome.status == 4
    assert expected in outcome.text
    assert "Traceback" not in outcome.text
    assert not (outcome.folder / ".ml-score").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name = "x"\ntask = "regression"\ntsak = 1\n', "tsak"),
        ('name = "x"\ntask = 3\n', "task"),
        ('name = "x"\ntask = "regression"\n[data]\ntraining = "gone.parquet"\ntarget = "y"\n', "gone.parquet"),
        ("name = ", "mltest.toml"),
    ],
)
def test_a_wrong_manifest_names_file_and_key(foreign: Foreign, text, expected):
    foreign.probes(PASSING)
    (foreign.pytester.path / "mltest.toml").write_text(text)
    outcome = foreign.run()
    assert outcome.status == 4
    assert "mltest.toml" in outcome.text
    assert expected in outcome.text


def test_a_manifest_that_is_not_utf8_is_named(foreign: Foreign):
    (foreign.pytester.path / "mltest.toml").write_bytes(b'name = "caf\xe9"\n')
    outcome = foreign.run()
    assert outcome.status == 4
    assert "UTF-8" in outcome.text


def test_a_broken_rubric_names_its_line(foreign: Foreign):
    (foreign.pytester.path / "rubric.yaml").write_text("id: ours\nsections: []\nitmes: []\n")
    outcome = foreign.run()
    assert outcome.status == 4
    assert "rubric.yaml:" in outcome.text


def test_a_mark_without_an_item_is_a_usage_error(foreign: Foreign):
    foreign.probes(PASSING.replace('("data.fresh")', "()"))
    outcome = foreign.run()
    assert outcome.status == 4
    assert "takes one item id" in outcome.text


SYSTEM = """
from mltest import System, Roles


class Broken:
    roles = Roles(target="y")

    def dataset(self, split):
        raise OSError("the disk is gone")


class Hanging:
    roles = Roles(target="y")

    def dataset(self, split):
        import time
        time.sleep(60)


broken = System(name="x", task="regression", data=Broken())
hanging = System(name="x", task="regression", data=Hanging())


def exploding(ref):
    raise ValueError("no weights here")
"""

PROBE = """
import pytest

@pytest.mark.ml_score("data.fresh")
def test_rows(evidence, ml_data):
    evidence.measure("rows", len(ml_data.dataset("train")), limit=1, better="higher")
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("broken", "the part `data` raised OSError in dataset: the disk is gone"),
        ("hanging", "did not finish within 1 s"),
        ("exploding", "cannot be built: ValueError: no weights here"),
        ("absent", "no 'absent'"),
    ],
)
def test_a_system_that_breaks_is_an_error_and_the_reports_are_still_written(foreign: Foreign, name, expected):
    foreign.pytester.makepyfile(parts=SYSTEM)
    foreign.probes(PROBE + PASSING.replace("data.fresh", "data.whole").replace("import pytest", ""))
    outcome = foreign.run("--ml-score-system", f"parts:{name}", "--ml-score-timeout", "1")
    assert outcome.status == 1
    assert outcome.item("data.fresh")["verdict"] == "error"
    assert expected in outcome.item("data.fresh")["reason"]
    assert outcome.item("data.whole")["verdict"] == "passed"
    assert (outcome.folder / ".ml-score" / "report.html").exists()


def test_a_part_that_is_not_offered_says_how_to_offer_it(foreign: Foreign):
    foreign.pytester.makepyfile(parts="from mltest import System\nempty = System(name='x', task='regression')\n")
    foreign.probes(PROBE)
    item = foreign.run("--ml-score-system", "parts:empty").item("data.fresh")
    assert (item["verdict"], item["reason_code"]) == ("not_demonstrated", "part_missing")
    assert "under [data] in the manifest" in item["reason"]
