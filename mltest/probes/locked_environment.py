"""What is installed, against what the lock files of a repository say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_PIN = re.compile(r"^\s*([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*==\s*([^\s;\\#]+)")


@dataclass(frozen=True)
class Pin:
    """A package that a lock file pins, and the version found here (None: not installed)."""

    name: str
    locked: str
    installed: str | None

    @property
    def kept(self) -> bool:
        return self.installed is None or self.installed.partition("+")[0] == self.locked.partition("+")[0]


def pins(lock_files: Iterable[Path]) -> tuple[Pin, ...]:
    """Every `name==version` of requirements-style lock files; files that cannot be read hold none.

    A build label after `+` (the CPU or CUDA variant of one release) does not count as another version.
    """
    found: dict[str, Pin] = {}
    for path in lock_files:
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        for line in text.splitlines():
            match = _PIN.match(line)
            if match:
                found[match[1].lower()] = Pin(match[1], match[2], _installed(match[1]))
    return tuple(found.values())


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
