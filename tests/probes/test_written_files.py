"""Who may read and change what a run wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest.probes import written_files
from mltest.probes.written_files import Roots


def seen(root: Path, *public: str) -> list[str]:
    files = written_files.written(Roots((root,)), {})
    return [each.sentence() for each in written_files.exposed(files, public)]


def file(path: Path, mode: int, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o600, []),
        (0o640, []),
        (0o660, []),
        (0o644, ["a/model has mode 0644: anybody may read it"]),
        (0o666, ["a/model has mode 0666: anybody may change it"]),
        (0o602, ["a/model has mode 0602: anybody may change it"]),
    ],
)
def test_modes_that_open_a_file_to_others_are_named(tmp_path: Path, mode: int, expected: list[str]) -> None:
    file(tmp_path / "a" / "model", mode).parent.chmod(0o755)
    assert seen(tmp_path) == expected


def test_a_closed_folder_closes_what_is_in_it_and_an_open_one_opens_it(tmp_path: Path) -> None:
    folder = file(tmp_path / "a" / "b" / "model", 0o644).parent
    folder.chmod(0o700)
    assert seen(tmp_path) == []
    folder.chmod(0o777)
    assert seen(tmp_path) == ["a/b/ has mode 0777: anybody may change it"]


def test_an_empty_file_tells_nothing_and_a_public_one_may_be_read_and_not_changed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file(tmp_path / "lock", 0o644, "")
    public = file(tmp_path / "calendar.csv", 0o644)
    assert seen(tmp_path, "*.csv") == []
    public.chmod(0o646)
    assert seen(tmp_path, "*.csv") == ["calendar.csv has mode 0646: anybody may change it"]


def test_only_what_is_new_or_changed_is_looked_at(tmp_path: Path) -> None:
    old, own = file(tmp_path / "old", 0o644), file(tmp_path / "own" / "x", 0o644)
    roots = Roots((tmp_path,), (own.parent,))
    before = written_files.snapshot(roots)
    assert written_files.written(roots, before) == ()
    new = file(tmp_path / "new", 0o600)
    old.write_text("changed")
    assert [path for _, path in written_files.written(roots, before)] == [new, old]


def test_grants_to_anybody_are_found_at_any_depth() -> None:
    settings = {"a": {"acl": "public-read", "b": ["private", "allUsers"]}, "note": "public-read is bad"}
    assert list(written_files.grants(settings)) == ["a.acl = public-read", "a.b = allUsers"]
