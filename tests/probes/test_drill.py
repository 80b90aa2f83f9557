"""The pieces of a drill: edits that can be made in one place only, what changed in a tree, and outcomes that follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.evidence import Withheld
from mltest.offers.drill import Insertion, edited_files
from mltest.probes import drill_planting, drill_tree
from mltest.system import Roles


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "features.py").write_text("FEATURES = (\n    1,\n)\n", encoding="utf-8")
    (tmp_path / "code" / "other.py").write_text("X = 1\n", encoding="utf-8")
    return tmp_path


def test_an_insertion_stands_right_behind_its_place_and_nothing_is_written(tree: Path) -> None:
    before = drill_tree.digests(tree)
    texts = drill_tree.edited(tree, [Insertion("code/features.py", "FEATURES = (\n", "    0,\n")])
    assert texts == {"code/features.py": "FEATURES = (\n    0,\n    1,\n)\n"}
    assert drill_tree.digests(tree) == before


def test_two_insertions_in_one_file_are_both_made(tree: Path) -> None:
    edits = [
        Insertion("code/features.py", "FEATURES = (\n", "    0,\n"),
        Insertion("code/features.py", "1,\n", "    2,\n"),
    ]
    assert drill_tree.edited(tree, edits)["code/features.py"] == "FEATURES = (\n    0,\n    1,\n    2,\n)\n"
    assert edited_files(edits) == ("code/features.py",)


@pytest.mark.parametrize(
    ("path", "after", "cause"),
    [
        ("code/features.py", "nowhere", "is there 0 times"),
        ("code/features.py", "\n", "is there 3 times"),
        ("code/missing.py", "X", "there is no such file"),
        ("../outside.py", "X", "there is no such file"),
    ],
)
def test_a_place_that_is_not_there_exactly_once_is_refused(tree: Path, path: str, after: str, cause: str) -> None:
    (tree.parent / "outside.py").write_text("X = 1\n", encoding="utf-8")
    with pytest.raises(Withheld, match=cause):
        drill_tree.edited(tree, [Insertion(path, after, "text")])


def test_new_gone_and_changed_files_are_told_and_caches_of_tools_are_not(tree: Path) -> None:
    before = drill_tree.digests(tree)
    (tree / "code" / "new.py").write_text("", encoding="utf-8")
    (tree / "code" / "features.py").write_text("", encoding="utf-8")
    (tree / "code" / "other.py").unlink()
    (tree / "code" / "__pycache__").mkdir()
    (tree / "code" / "__pycache__" / "features.pyc").write_text("", encoding="utf-8")
    changed = drill_tree.changed(before, drill_tree.digests(tree))
    assert changed == ("code/features.py", "code/new.py", "code/other.py")


@settings(deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=40, unique=True))
def test_a_planted_number_follows_the_toy_feature(values: list[int]) -> None:
    rows = pa.table({"toy": values, "y": [float(number % 7) for number in range(len(values))]})
    planted = drill_planting.planted(rows, "toy", Roles(target="y"), "regression")
    added = np.asarray(planted["y"]) - np.asarray(rows["y"])
    order = np.argsort(values)
    assert (np.diff(added[order]) >= -1e-9).all()
    assert planted.drop_columns(["y"]).equals(rows.drop_columns(["y"]))


def test_a_planted_class_follows_the_toy_feature_in_its_outer_thirds() -> None:
    rows = pa.table({"toy": list(range(9)), "y": ["b", "a", "b", "a", "b", "a", "b", "a", "b"]})
    planted = drill_planting.planted(rows, "toy", Roles(target="y", positive="b"), "binary")
    assert planted["y"].to_pylist() == ["a", "a", "a", "a", "b", "a", "b", "b", "b"]


def test_a_feature_that_is_held_still_keeps_its_type_and_takes_its_middle_value() -> None:
    rows = pa.table(
        {"toy": pa.array([1.0, None, 3.0, 9.0]), "count": pa.array([1, 2, 9], pa.int64()).take([0, 1, 2, 2])}
    )
    assert drill_planting.held_still(rows, "toy")["toy"].to_pylist() == [3.0] * 4
    assert drill_planting.held_still(rows, "count")["count"].type == pa.int64()


def test_a_toy_feature_that_is_the_same_everywhere_moves_nothing() -> None:
    rows = pa.table({"toy": [2.0] * 5, "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    assert drill_planting.planted(rows, "toy", Roles(target="y"), "regression")["y"].to_pylist() == [1, 2, 3, 4, 5]
