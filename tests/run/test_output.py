"""Results are written whole or not at all."""

import os
from pathlib import Path

import pytest

from mltest.run import output


def test_a_file_is_replaced_whole(tmp_path):
    target = tmp_path / "deep" / "report.json"
    output.write(target, "one")
    output.write(target, b"two")
    assert target.read_text() == "two"
    assert [p.name for p in target.parent.iterdir()] == ["report.json"]


def test_a_write_that_breaks_leaves_the_earlier_file(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    output.write(target, "earlier")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        output.write(target, "later")
    assert target.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_folder_that_cannot_be_made_is_replaced_by_a_temporary_one_in_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    folder, note = output.writable_folder(blocked / ".ml-score")
    assert folder.is_dir()
    assert note is not None
    assert str(folder) in note
    assert "\n" not in note


def test_a_writable_folder_is_used_in_silence(tmp_path):
    assert output.writable_folder(tmp_path / "x") == (Path(tmp_path / "x"), None)
