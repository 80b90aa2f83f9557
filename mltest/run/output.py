"""Writes results so that a killed run loses no earlier one: a temporary file beside the target, then a rename."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Puts `content` at `path`, all of it or nothing. Raises OSError when the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def writable_folder(wanted: Path) -> tuple[Path, str | None]:
    """`wanted`, made if need be; or a temporary folder and a line that says so, where it cannot be written."""
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted, None
    except OSError as error:
        instead = Path(tempfile.mkdtemp(prefix="ml-score-"))
        return instead, f"{wanted} cannot be written ({error.strerror}): results of this run are in {instead}"
