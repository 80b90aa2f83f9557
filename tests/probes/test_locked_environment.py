"""Lock files in every format that is read, held against what is installed."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from mltest.probes import locked_environment

PYTEST, NUMPY = metadata.version("pytest"), metadata.version("numpy")

REQUIREMENTS = f"""
# a comment==1
--index-url https://example.org
pytest=={PYTEST}+cpu \\
    --hash=sha256:00 \\
    --hash=sha256:01  # via nobody
Num_Py==0.0.1
numpy==0.0.1 ; python_version > "3"
scipy==0.0.1 ; python_version < "3"
pyarrow @ https://example.org/pyarrow.whl
unknown-thing==2
"""
TOML = f"""
version = 1
[[package]]
name = "pytest"
version = "{PYTEST}"
source = {{ registry = "https://pypi.org/simple" }}
[[package]]
name = "pytest-ml-score"
version = "0.0.0"
source = {{ editable = "." }}
[[package]]
name = "numpy"
version = "0.0.1"
resolution-markers = ["python_full_version < '3'"]
[[package]]
name = "scipy"
version = "0.0.1"
"""
PYLOCK = f"""
lock-version = "1.0"
[[packages]]
name = "pytest"
version = "{PYTEST}"
[[packages]]
name = "scipy"
version = "0.0.1"
marker = "python_version > '3'"
[[packages]]
name = "numpy"
version = "0.0.1"
marker = "python_version < '3'"
"""
PIPFILE = json.dumps({
    "default": {
        "pytest": {"version": f"=={PYTEST}"},
        "numpy": {"version": "==0.0.1", "markers": "python_version < '3'"},
        "scipy": {"version": "==0.0.1"},
        "own": {"path": "."},
    }
})  # fmt: skip


def environment(folder: Path, name: str, text: str) -> locked_environment.LockedEnvironment:
    (folder / name).write_text(text)
    return locked_environment.of([folder / name])


def test_requirements_are_held_against_what_is_installed(tmp_path: Path) -> None:
    found = environment(tmp_path, "requirements.lock", REQUIREMENTS)
    assert {pin.name for pin in found.compared} == {"pytest", "numpy"}
    assert [pin.name for pin in found.not_kept] == ["numpy"]
    assert not found.loose
    assert f"numpy {NUMPY} is installed, locked is 0.0.1" in found.explanation()


@pytest.mark.parametrize(
    ("name", "text"), [("uv.lock", TOML), ("pylock.toml", PYLOCK), ("Pipfile.lock", PIPFILE)], ids=str
)
def test_other_locks_are_read_and_their_markers_respected(tmp_path: Path, name: str, text: str) -> None:
    found = environment(tmp_path, name, text)
    assert {pin.name for pin in found.compared} == {"pytest", "scipy"}
    assert [pin.name for pin in found.not_kept] == ["scipy"]


def test_one_of_several_locked_versions_is_enough(tmp_path: Path) -> None:
    text = "".join(f'[[package]]\nname = "numpy"\nversion = "{version}"\n' for version in ("0.0.1", NUMPY))
    assert not environment(tmp_path, "uv.lock", text).not_kept


def test_versions_are_compared_and_not_their_spelling(tmp_path: Path) -> None:
    assert not environment(tmp_path, "r.txt", f"numpy=={NUMPY}.0\n").not_kept


@pytest.mark.parametrize("line", ["numpy", "numpy>=1", "numpy~=2.0", "numpy==2.*"])
def test_a_range_of_versions_pins_nothing(tmp_path: Path, line: str) -> None:
    found = environment(tmp_path, "requirements.txt", line)
    assert [pin.name for pin in found.loose] == ["numpy"]
    assert found.blindness() is not None


@pytest.mark.parametrize("text", ["", "\x00\xff{", "{", "[[package]]\nname =", "not a lock file at all\n"])
def test_what_cannot_be_read_pins_nothing(tmp_path: Path, text: str) -> None:
    for name in ("uv.lock", "requirements.txt"):
        found = environment(tmp_path, name, text)
        assert not found.pins
        assert found.blindness() is not None


def test_a_lock_file_that_is_named_and_not_there_is_said_to_be_absent(tmp_path: Path) -> None:
    blind = locked_environment.of([tmp_path / "gone.lock"]).blindness()
    assert blind is not None
    assert "gone.lock is not there" in blind[0]
