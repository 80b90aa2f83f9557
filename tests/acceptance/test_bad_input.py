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
        (("--ml-score-seed", "1.9"), "give a whole number"),
        (("--ml-score-timeout", "0"), "above 0"),
        (("--ml-score-require", ","), "names no item"),
        (("--ml-score-manifest", "setup.cfg"), "give an mltest.toml"),
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
        ('name = "x"\ntask = "regression"\n[data]\ntraining = "loop.parquet"\ntarget = "y"\n', "leads nowhere"),
    ],
)
def test_a_wrong_manifest_names_file_and_key(foreign: Foreign, text, expected):
    foreign.probes(PASSING)
    (foreign.pytester.path / "mltest.toml").write_text(text)
    (foreign.pytester.path / "loop.parquet").symlink_to("loop.parquet")
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


def test_a_slip_in_the_systems_own_code_is_an_error_and_no_missing_split(foreign: Foreign):
    foreign.pytester.makepyfile(parts=SYSTEM.replace('raise OSError("the disk is gone")', 'return {"a": 1}["price"]'))
    foreign.probes(PROBE)
    outcome = foreign.run("--ml-score-system", "parts:broken")
    assert outcome.item("data.fresh")["verdict"] == "error"
    assert "raised KeyError" in outcome.item("data.fresh")["reason"]
    assert outcome.status == 1


def test_a_table_in_place_of_the_manifest_in_pyproject_is_named(foreign: Foreign):
    (foreign.pytester.path / "pyproject.toml").write_text("[tool]\nmltest = 3\n")
    outcome = foreign.run()
    assert outcome.status == 4
    assert "tool.mltest" in outcome.text


def test_a_limit_that_nothing_was_compared_with_is_said(foreign: Foreign):
    (foreign.pytester.path / "mltest.toml").write_text(
        'name = "x"\ntask = "regression"\n[limits]\n"data.fresh.aeg" = 30\n'
    )
    foreign.probes(PASSING)
    assert "limits data.fresh.aeg, and nothing of that name was measured; did you mean 'age'?" in foreign.run().text


def test_control_characters_in_a_reason_do_not_reach_the_terminal(foreign: Foreign):
    foreign.probes(
        PASSING.replace(
            'evidence.measure("age", 3, limit=24, unit="h")', "evidence.withhold('ok\\n::error::fake\\x1b]0;t\\x07')"
        )
    )
    outcome = foreign.run("--ml-score-require", "data.fresh")
    assert "\x1b" not in outcome.text
    assert not any(line.startswith("::error") for line in outcome.text.splitlines())
