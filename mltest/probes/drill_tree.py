"""The copy of a tree that a drill edits, and the digest that shows what was left as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mltest.evidence import ReasonCode, Withheld
from mltest.offers.drill import Insertion

_NOT_CODE = frozenset({"__pycache__", ".git", ".ml-score", ".pytest_cache", ".hypothesis", ".venv"})


def edited(tree: Path, edits: Sequence[Insertion]) -> dict[str, str]:
    """The new text of every file that the edits change. Raises Withheld for a place that is not there exactly once."""
    texts: dict[str, str] = {}
    for edit in edits:
        path = (tree / edit.path).resolve()
        if not path.is_relative_to(tree.resolve()) or not path.is_file():
            raise Withheld(
                f"the drill edits {edit.path}, and there is no such file in the tree: correct its path",
                ReasonCode.PART_MISSING,
            )
        text = texts.get(edit.path, path.read_text(encoding="utf-8"))
        if text.count(edit.after) != 1:
            raise Withheld(
                f"the place that the drill names in {edit.path} is there {text.count(edit.after)} times: name one that "
                "is there exactly once",
                ReasonCode.PART_MISSING,
            )
        texts[edit.path] = text.replace(edit.after, edit.after + edit.text)
    return texts


def digests(tree: Path) -> dict[str, str]:
    """The sha256 of every file below `tree`, by relative path; caches of tools are left out, links are not followed."""
    found, pending = {}, [tree]
    while pending:
        for entry in sorted(pending.pop().iterdir()):
            if entry.is_symlink() or entry.name in _NOT_CODE:
                continue
            if entry.is_dir():
                pending.append(entry)
            elif entry.is_file():
                found[str(entry.relative_to(tree))] = digest_of(entry)
    return found


def digest_of(path: Path) -> str:
    """The sha256 of a file; an empty text where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def changed(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    """Files that are new, gone, or of another content."""
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))
