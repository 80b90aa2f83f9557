"""What is installed, against what the lock files of a repository say.

Read are requirements files (pip-compile, `uv export`, `pip freeze`), the TOML locks of uv, Poetry and PDM,
`pylock.toml` and `Pipfile.lock`. Marked lines that do not hold on this machine are left out (PEP 508), as are packages
that are installed from a folder of the project.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from mltest.evidence import ReasonCode

_OF_A_FOLDER = ("editable", "virtual", "directory", "path")


@dataclass(frozen=True)
class Pin:
    """A package in a lock file: the versions that it may have (none: it is not pinned), and the one found here."""

    name: str
    locked: tuple[str, ...]
    installed: str | None

    @property
    def compared(self) -> bool:
        """Whether something can be said: an exact version is asked for, and the package is installed."""
        return bool(self.locked) and self.installed is not None

    @property
    def kept(self) -> bool:
        """Whether the version found is one of the locked ones; a build label after `+` (CPU, CUDA) does not count."""
        return self.installed is None or any(_same(self.installed, version) for version in self.locked)


@dataclass(frozen=True)
class LockedEnvironment:
    """Every package of the lock files, by name."""

    files: tuple[Path, ...]
    pins: tuple[Pin, ...]

    @property
    def compared(self) -> tuple[Pin, ...]:
        return tuple(pin for pin in self.pins if pin.compared)

    @property
    def not_kept(self) -> tuple[Pin, ...]:
        """Packages that are installed in a version that is not locked."""
        return tuple(pin for pin in self.compared if not pin.kept)

    @property
    def loose(self) -> tuple[Pin, ...]:
        """Packages that are installed and named without an exact version, so that tomorrow's may be another."""
        return tuple(pin for pin in self.pins if not pin.locked and pin.installed is not None)

    def explanation(self) -> str:
        """One sentence about what is not kept or not pinned."""
        wrong = [
            f"{pin.name} {pin.installed} is installed, locked is {' or '.join(pin.locked)}" for pin in self.not_kept
        ]
        loose = [f"{pin.name} has no exact version" for pin in self.loose]
        said = [*wrong, *loose]
        more = f" and {len(said) - 5} more" if len(said) > 5 else ""
        return f"{'; '.join(said[:5])}{more}: install from the lock file, or write it anew from what is installed"

    def blindness(self) -> tuple[str, ReasonCode] | None:
        """Why nothing can be said about the stack, as a sentence and its code; None when something can."""
        if self.compared:
            return None
        names = ", ".join(path.name for path in self.files) or "no lock file"
        absent = [path.name for path in self.files if not path.is_file()]
        seen = f"{', '.join(absent)} is not there" if absent else f"{names}: {len(self.pins)} packages, none compared"
        return (
            f"the stack is not known ({seen}): give the repository a lock file that pins what is installed "
            "(requirements with ==, uv.lock, poetry.lock, pdm.lock, pylock.toml or Pipfile.lock)",
            ReasonCode.PART_MISSING,
        )


def of(lock_files: Iterable[Path]) -> LockedEnvironment:
    """What the lock files say and what is installed; files that cannot be read hold nothing."""
    files = tuple(lock_files)
    locked: dict[str, list[str]] = {}
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        for name, version in _entries(path.name, text):
            locked.setdefault(canonicalize_name(name), []).extend([version] if version else [])
    return LockedEnvironment(files, tuple(Pin(n, tuple(dict.fromkeys(v)), _installed(n)) for n, v in locked.items()))


def _entries(file: str, text: str) -> Iterator[tuple[str, str | None]]:
    """Names and exact versions; no version where the line allows several."""
    try:
        if file.endswith((".lock", ".toml")) and re.search(r"^\[\[packages?\]\]", text, re.MULTILINE):
            yield from _of_toml(tomllib.loads(text))
        elif text.lstrip().startswith("{"):
            yield from _of_pipfile(json.loads(text))
        else:
            yield from _of_requirements(text)
    except ValueError:
        return


def _of_requirements(text: str) -> Iterator[tuple[str, str | None]]:
    for line in re.sub(r"\\\s*\n", " ", text).splitlines():
        stated = re.split(r"\s--|(?:^|\s)#", line)[0].strip()
        with suppress(InvalidRequirement):
            requirement = Requirement(stated)
            if requirement.url is None and _holds(requirement.marker):
                yield requirement.name, _exact(requirement)


def _exact(requirement: Requirement) -> str | None:
    versions = [each.version for each in requirement.specifier if each.operator in ("==", "===")]
    return versions[0] if versions and not versions[0].endswith("*") else None


def _of_toml(lock: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    packages: Sequence[Mapping[str, Any]] = lock.get("package") or lock.get("packages") or ()
    for package in packages:
        source = package.get("source") or package
        of_a_folder = source.get("type") in _OF_A_FOLDER or any(key in source for key in _OF_A_FOLDER)
        markers = package.get("resolution-markers") or [package.get("marker") or package.get("markers")]
        if "name" in package and "version" in package and not of_a_folder and any(_stated(each) for each in markers):
            yield str(package["name"]), str(package["version"])


def _of_pipfile(lock: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, entry in lock.get("default", {}).items():
        with suppress(InvalidRequirement):
            if "version" in entry and _stated(entry.get("markers")):
                yield name, _exact(Requirement(f"{name}{entry['version']}"))


def _stated(marker: object) -> bool:
    """Whether a marker that is written as text holds here; one that cannot be read does."""
    with suppress(InvalidMarker):
        return _holds(Marker(marker)) if isinstance(marker, str) and marker else True
    return True


def _holds(marker: Marker | None) -> bool:
    """Whether a marker holds here; of extras nothing is known, so that their packages count where installed."""
    with suppress(UndefinedEnvironmentName):
        return marker is None or marker.evaluate()
    return True


def _same(installed: str, locked: str) -> bool:
    try:
        return Version(Version(installed).public) == Version(Version(locked).public)
    except InvalidVersion:
        return installed == locked


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
