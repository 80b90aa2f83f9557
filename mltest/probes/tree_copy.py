"""A copy of a source tree: its files, without what is hidden, installed, built or cached."""

from __future__ import annotations

import shutil
from pathlib import Path

from mltest.evidence import Withheld

MOST_BYTES = 1_000_000_000
_SKIPPED = frozenset(("__pycache__", "node_modules", "build", "dist", "venv", "site-packages", "mlruns"))


def copy(root: Path, tree: Path) -> None:
    """Copies the tree below `root`; links to folders are left out. Raises Withheld when it is too large."""
    total = 0
    pending = [root]
    while pending:
        folder = pending.pop()
        (tree / folder.relative_to(root)).mkdir(parents=True, exist_ok=True)
        for entry in sorted(folder.iterdir()):
            if entry.is_dir():
                if not _is_left_out(entry, tree):
                    pending.append(entry)
            elif entry.is_file():
                total += entry.stat().st_size
                if total > MOST_BYTES:
                    raise Withheld(
                        f"the tree {root.name} holds more than {MOST_BYTES / 1e9:g} GB, too much for a copy: offer a "
                        "smaller folder as the root of the repository"
                    )
                shutil.copy2(entry, tree / entry.relative_to(root))


def _is_left_out(folder: Path, tree: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _SKIPPED or folder.name.endswith(".egg-info")
    return hidden or folder.is_symlink() or (folder / "pyvenv.cfg").exists() or tree.is_relative_to(folder)
