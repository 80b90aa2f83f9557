"""Which files a training opens, and whether one that others left is the very model that it gives back.

A training that returns what an earlier one left is not repeated, and two of them agree whatever they do. Heard are
files that Python code opens; native code that opens files by itself is not.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR


class OpenedFiles:
    """Paths that this process reads and writes while it is `heard`; a process cannot stop to be audited."""

    def __init__(self, *own: Path) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        self._own = tuple(os.path.realpath(place) for place in own)
        self._hearing = False
        sys.addaudithook(self._hear)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Notes what is opened inside."""
        self._hearing = True
        try:
            yield
        finally:
            self._hearing = False

    def of_others(self, paths: set[str]) -> list[str]:
        """Those of the paths that lie outside the folders that are this process's own."""
        return sorted(path for path in paths if not any(Path(path).is_relative_to(own) for own in self._own))

    def given_back(self, artifact: Path) -> list[str]:
        """Files of others that hold the bytes of `artifact`, were read here and were not written here."""
        if not artifact.is_file():
            return []
        size, digest = artifact.stat().st_size, _digest(artifact)
        read = (Path(path) for path in self.of_others(self.read - self.written))
        return [
            str(path) for path in read if path.is_file() and path.stat().st_size == size and _digest(path) == digest
        ]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._hearing:
            return
        if event == "open" and isinstance(arguments[0], str | bytes):
            (self.written if arguments[2] & _WRITING else self.read).add(_path(arguments[0]))
        elif event == "os.rename":
            self.written.add(_path(arguments[1]))


def _path(name: Any) -> str:
    return os.path.realpath(os.fsdecode(name))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
