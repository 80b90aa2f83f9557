"""Data 6, from outside: a feature that comes and goes with one edit passes, whatever holds it up fails by name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "data.agility"
TREE = Path(__file__).parent / "tides_tree"


@pytest.fixture
def tides(pytester: pytest.Pytester) -> Path:
    """The small repository, at the root of a run."""
    shutil.copytree(TREE / "tides", pytester.path / "tides", ignore=shutil.ignore_patterns("__pycache__"))
    pytester.syspathinsert()
    return pytester.path / "tides"


def scored(pytester: pytest.Pytester, *faults: str) -> ItemResult:
    return run_item(pytester, "tides.system:system", ITEM, faults)


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_one_edit_brings_a_feature_to_the_served_answer_and_takes_it_away_again(
    pytester: pytest.Pytester, tides: Path
) -> None:
    before = {path.name: path.read_bytes() for path in tides.glob("*.py")}
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("places_edited") == 1
    assert found.value("effect_that_is_served") == pytest.approx(1.0)
    assert found.measured["older_predictions_changed"]["n"] > 1_000
    assert {path.name: path.read_bytes() for path in tides.glob("*.py")} == before


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-D6-a=1", r"adding drill_deep takes 2 edits \(tides/declarations.py\), allowed is 1"),
        ("O-D6-b=4", "features and training take .* times as long with drill_deep"),
        ("O-D6-c=1", "0% of the effect of drill_deep in the trained model shows in what is served"),
        ("O-D6-d=1", "predictions of the model from before changed when drill_deep was added"),
    ],
)
def test_what_holds_a_feature_up_fails_and_the_message_says_where(
    pytester: pytest.Pytester, tides: Path, fault: str, cause: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert re.search(cause, found.message), found.message


@pytest.mark.parametrize(
    "fault",
    [
        "O-D6-a.twin=1",
        "O-D6-b.twin=0.3",
        "O-D6-c.twin=1",
        "O-D6-d.twin=1",
        "O-D6-a=0",
        "O-D6-b=0",
        "O-D6-c=0",
        "O-D6-d=0",
    ],
)
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, tides: Path, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


def test_a_list_of_inputs_kept_by_hand_in_the_training_fails(pytester: pytest.Pytester, tides: Path) -> None:
    names = '["pressure", "wind", "gust", "moon"]'
    replaced(tides / "system.py", '"inputs": [feature.name for feature in FEATURES]', f'"inputs": {names}')
    found = scored(pytester)
    assert found.verdict == "failed", found.message
    assert "drill_deep is absent from the inputs of the new model" in found.message


def test_an_edit_that_breaks_the_system_fails_and_the_stage_is_named(pytester: pytest.Pytester, tides: Path) -> None:
    replaced(tides / "system.py", 'rows["pressure"] - 1000.0)', 'rows["depth"])')
    found = scored(pytester)
    assert found.verdict == "failed", found.message
    assert "with the feature the system broke in its stage build (KeyError: 'depth')" in found.message


def test_a_value_that_the_server_computes_otherwise_fails(pytester: pytest.Pytester, tides: Path) -> None:
    replaced(
        tides / "system.py",
        "        answers = self.model.predict(rows)\n",
        "        if 'drill_deep' in rows.column_names:\n"
        "            place = rows.column_names.index('drill_deep')\n"
        "            rows = rows.set_column(place, 'drill_deep', pc.add(rows['drill_deep'], 1.0))\n"
        "        answers = self.model.predict(rows)\n",
    )
    found = scored(pytester)
    assert found.verdict == "failed", found.message
    assert "200 of 200 values of drill_deep as served differ from those of the batch path" in found.message


def test_what_a_cache_without_a_key_leaves_behind_fails(pytester: pytest.Pytester, tides: Path) -> None:
    replaced(
        tides / "system.py",
        "    kept = rows.select(",
        "    stale = Path('kept.txt')\n"
        "    if len(FEATURES) > 4:\n"
        "        stale.write_text('kept')\n"
        "    kept = rows.select(",
    )
    found = scored(pytester)
    assert found.verdict == "failed", found.message
    assert "after its removal something is left of it (kept.txt)" in found.message


@pytest.mark.parametrize(
    ("old", "new", "reason", "cause"),
    [
        ("experiments=True", "experiments=False", "no_consent", "experiments = true"),
        ("def drill(self)", "def drilled(self)", "part_missing", "give the repository part drill"),
        ('after="FEATURES = (\\n"', 'after="INPUTS = (\\n"', "part_missing", "is there 0 times"),
        ('"drill_deep", (edit,)', '"wind", (edit,)', "circular", "is there before the drill adds it"),
        ('np.abs(rows["pressure"] - 1000.0)', 'rows["pressure"] * 0.0', "withheld", "no drill_deep that varies"),
    ],
)
def test_a_drill_that_cannot_show_anything_is_withheld(
    pytester: pytest.Pytester, tides: Path, old: str, new: str, reason: str, cause: str
) -> None:
    replaced(tides / "system.py", old, new)
    found = scored(pytester)
    assert (found.verdict, found.reason_code) == ("not_demonstrated", reason), found.message
    assert cause in found.message


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, tides: Path, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message
