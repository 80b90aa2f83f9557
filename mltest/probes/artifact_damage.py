"""Artifacts that are no longer what was trained: other bytes under the old digest, and files that nothing can read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from mltest.system import Artifact

UNREADABLE = b"\x00this is no model\x00"
MOST_FILES = 20_000
_OTHER_DIGITS = bytes.maketrans(b"12345678", b"21436587")
_FLIPPED = 64


def main_file(artifact: Artifact) -> Path:
    """The largest file of an artifact: the one with the model in it. Raises ValueError for an empty folder."""
    path = artifact.path
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return max(files, key=lambda each: (each.stat().st_size, str(each)))


def altered_copy(artifact: Artifact, folder: Path, version: str) -> Artifact:
    """The artifact below `folder`, as `version` and under its old digest, with other bytes in its main file."""
    place = folder / artifact.path.name
    if artifact.path.is_dir():
        shutil.copytree(artifact.path, place)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(artifact.path, place)
    copied = replace(artifact, path=place, version=version)
    file = main_file(copied)
    file.write_bytes(altered(file.read_bytes()))
    return copied


def altered(content: bytes) -> bytes:
    """Content of the same length and form with other numbers in its middle half; bits of bytes where it is no text."""
    start, end = len(content) // 4, len(content) - len(content) // 4
    middle = content[start:end]
    if content.isascii() and middle.translate(_OTHER_DIGITS) != middle:
        return content[:start] + middle.translate(_OTHER_DIGITS) + content[end:]
    half = len(content) // 2
    flipped = bytes(byte ^ 0x08 for byte in content[half : half + _FLIPPED])
    return content[:half] + flipped + content[half + _FLIPPED :]


def copies(file: Path, root: Path) -> tuple[Path, ...]:
    """Files below `root` with the content of `file`, itself among them; links are not followed."""
    content, found, seen = file.read_bytes(), list[Path](), 0
    for folder, _, names in os.walk(root):
        seen += len(names)
        if seen > MOST_FILES:
            break
        paths = [Path(folder, name) for name in names]
        found += [p for p in paths if p.is_file() and not p.is_symlink() and _same(p, content)]
    return tuple(found)


@contextmanager
def unreadable(files: Sequence[Path]) -> Iterator[None]:
    """No reader makes sense of these files as long as the block lasts; the very files are put back after it."""
    with ExitStack() as undo:
        for file in files:
            aside = file.with_name(f".{file.name}.aside")
            file.rename(aside)
            undo.callback(aside.replace, file)
            file.write_bytes(UNREADABLE)
        yield


def _same(path: Path, content: bytes) -> bool:
    return path.stat().st_size == len(content) and path.read_bytes() == content
