"""Damage to artifacts: other bytes of the same form, every copy out of reach for a while, and nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mltest.probes import artifact_damage
from mltest.system import Artifact


def artifact_of(path: Path) -> Artifact:
    return Artifact(path, "v1", "0" * 64, {}, {})


def test_text_stays_readable_and_holds_other_numbers() -> None:
    state = {"mean": [10.5, 0.25], "weights": [1.25, -30.0, 0.5e-05, 907.0]}
    altered = json.loads(artifact_damage.altered(json.dumps(state).encode()))
    assert altered["weights"] != state["weights"]


def test_binary_content_keeps_its_length_and_its_head() -> None:
    content = np.random.default_rng(0).normal(size=500).astype(np.float32).tobytes()
    altered = artifact_damage.altered(content)
    assert len(altered) == len(content)
    assert altered != content
    assert altered[:900] == content[:900]


@pytest.mark.parametrize("content", [b"", b"a", b"no figures in here at all"])
def test_content_without_a_number_is_altered_too_where_there_is_any(content: bytes) -> None:
    assert (artifact_damage.altered(content) != content) is bool(content)


def test_the_copy_of_a_folder_is_altered_in_its_largest_file_only(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"version": 1}')
    (folder / "weights.json").write_text(json.dumps(list(range(100))))
    copied = artifact_damage.altered_copy(artifact_of(folder), tmp_path / "altered", "v2")
    assert (copied.version, copied.digest) == ("v2", "0" * 64)
    assert (copied.path / "manifest.json").read_text() == '{"version": 1}'
    assert json.loads((copied.path / "weights.json").read_text()) != list(range(100))
    assert json.loads((folder / "weights.json").read_text()) == list(range(100))


def test_every_copy_is_unreadable_for_a_while_and_then_the_very_file_again(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    original, copy, link = tmp_path / "model.json", tmp_path / "registry" / "v1.json", tmp_path / "link.json"
    original.write_text("[1, 2]")
    copy.write_text("[1, 2]")
    (tmp_path / "other.json").write_text("[1, 3]")
    link.symlink_to(original)
    files = artifact_damage.copies(original, tmp_path)
    assert set(files) == {original, copy}
    inodes = [file.stat().st_ino for file in files]
    with artifact_damage.unreadable(files):
        assert {file.read_bytes() for file in files} == {artifact_damage.UNREADABLE}
    assert [file.stat().st_ino for file in files] == inodes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "model.json", "other.json", "registry"]
