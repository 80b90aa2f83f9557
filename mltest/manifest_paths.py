"""Paths that a manifest names: relative to its folder, and never out of it; and the digest of what lies there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mltest.rubric_yaml import nearest

_GLOB = frozenset("*?[")


def files(root: Path, named: str) -> tuple[Path, ...]:
    """The existing files below `root` that a path or a glob pattern names, in order of their names.

    Raises ValueError, whose text says what is wrong and what to do, for a path that leaves the folder (also by way of
    a symbolic link), for a URI, and when there is no such file.
    """
    _refuse_unsafe(named)
    base = root.resolve()
    matches = sorted(root.glob(named)) if _GLOB & set(named) else [root / named]
    resolved = []
    for match in matches:
        target = _resolved(match, named)
        if not target.is_relative_to(base):
            raise ValueError(f"{named!r} leads out of the folder of the manifest; keep its files below that folder")
        if target.is_file():
            resolved.append(target)
    if not resolved:
        raise ValueError(_missing(root, named))
    return tuple(resolved)


def file(root: Path, named: str) -> Path:
    """The one file that a path names. Raises ValueError like `files`, and for a glob pattern."""
    if _GLOB & set(named):
        raise ValueError(f"{named!r} is a pattern; name one file")
    return files(root, named)[0]


def digest(*paths: Path) -> str:
    """The sha256 of the bytes of the files, one after another. Raises OSError."""
    found = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                found.update(chunk)
    return found.hexdigest()


def _resolved(match: Path, named: str) -> Path:
    try:
        return match.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself, which Python before 3.13 calls a RuntimeError
        raise ValueError(f"{named!r} is a symbolic link that leads nowhere; name the file itself") from None


def _refuse_unsafe(named: str) -> None:
    if not named or "\0" in named:
        raise ValueError(f"{named!r} is no path; name a file")
    if "://" in named:
        raise ValueError(f"{named!r} is a URI; name a local file, or offer remote tables from a system in Python")
    if "\\" in named:
        raise ValueError(f"{named!r} holds a backslash; separate folders with /")
    path = Path(named)
    if path.is_absolute() or named.startswith("~") or ".." in path.parts:
        raise ValueError(f"{named!r} leads out of the folder of the manifest; keep its files below that folder")


def _missing(root: Path, named: str) -> str:
    parent = (root / named).parent
    beside = [entry.name for entry in parent.iterdir()] if parent.is_dir() and not _GLOB & set(str(parent)) else []
    return f"there is no file {named!r}{nearest(Path(named).name, beside)}; paths start from the manifest's folder"
