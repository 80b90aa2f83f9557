"""Versions of models in a folder, and the aliases that point at them.

Files with atomic renames rather than a tracking server's registry: opening the latter took 4.8 s (2.1 s of imports,
2.7 s for the database), this one takes milliseconds in each of the many processes that need a model.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reference_system import artifact
from reference_system.artifact import Artifact, ArtifactError
from reference_system.runtime import Predictor

CHAMPION = "champion"
CHALLENGER = "challenger"
FOLDER = "registry"
INDEX_FILE = "index.json"
LOCK_FILE = ".lock"


class RegistryError(ValueError):
    """A version or alias that cannot be used; the message names it and the remedy."""


def of_home(home: Path) -> Registry:
    """The registry below `home`."""
    return Registry(home / FOLDER)


@dataclass(frozen=True)
class _Index:
    digests: Mapping[str, str]
    aliases: Mapping[str, str]


class Registry:
    """A registry in `folder`; several processes may use it at once.

    The index holds the digest of every version, so that neither a model nor its manifest can be exchanged unseen.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def versions(self) -> tuple[str, ...]:
        """All versions, in the order in which they were registered."""
        return tuple(self._index().digests)

    def register(self, candidate: Artifact) -> str:
        """Copies a verified artefact into the registry and returns its version; doing so twice changes nothing."""
        found = artifact.read(candidate.path)
        if (found.digest, found.version) != (candidate.digest, candidate.version):
            raise RegistryError(f"{candidate.path}: is {found.version}, not {candidate.version}: train again")
        with self._locked():
            index = self._index()
            if found.version not in index.digests:
                staged = self._folder / f".staged-{os.getpid()}"
                shutil.copytree(found.path, staged, dirs_exist_ok=True)
                artifact.publish(staged, self._folder / found.version)
                self._write(_Index({**index.digests, found.version: found.digest}, index.aliases))
        return found.version

    def artifact(self, version: str) -> Artifact:
        """The artefact of a version, verified. Raises RegistryError when it is unknown or not what was registered."""
        expected = self._index().digests.get(version)
        if expected is None:
            raise RegistryError(f"version {version!r} is not in the registry {self._folder}: register it first")
        try:
            found = artifact.read(self._folder / version)
        except ArtifactError as error:
            raise RegistryError(f"version {version}: {error}") from error
        if found.digest != expected:
            raise RegistryError(f"version {version}: {found.model} is not what was registered, register it again")
        return found

    def load(self, version: str) -> Predictor:
        """The model of a version, ready to answer. Raises RegistryError as `artifact` does."""
        return Predictor.of(self.artifact(version))

    def alias(self, name: str) -> str | None:
        """The version that an alias points at, or None."""
        return self._index().aliases.get(name)

    def set_alias(self, name: str, version: str) -> None:
        """Points an alias at a version in one step. Raises RegistryError for an unknown version."""
        with self._locked():
            index = self._index()
            if version not in index.digests:
                raise RegistryError(f"alias {name!r}: version {version!r} is not registered in {self._folder}")
            self._write(_Index(index.digests, {**index.aliases, name: version}))

    def champion(self) -> Artifact | None:
        """The artefact that serves, or None before the first one."""
        version = self.alias(CHAMPION)
        return None if version is None else self.artifact(version)

    def _index(self) -> _Index:
        path = self._folder / INDEX_FILE
        if not path.exists():
            return _Index({}, {})
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            return _Index(dict(plain["versions"]), dict(plain["aliases"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError(f"{path}: not an index of a registry, restore it or remove the folder") from error

    def _write(self, index: _Index) -> None:
        staged = self._folder / f"{INDEX_FILE}.{os.getpid()}"
        plain = {"versions": dict(index.digests), "aliases": dict(index.aliases)}
        staged.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
        staged.replace(self._folder / INDEX_FILE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / LOCK_FILE).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
