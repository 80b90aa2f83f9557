"""Which files a run wrote below some folders, and who else may read or write them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_State = tuple[int, int, int]
PUBLIC_GRANTS = ("public-read", "public-read-write", "allUsers", "allAuthenticatedUsers")
"""Canned grants of object stores that open what is written to anybody (Amazon S3 and Google Cloud Storage)."""


@dataclass(frozen=True)
class Exposed:
    """A file or folder that more people can reach than its owner and group."""

    path: str
    mode: int
    writable: bool

    def sentence(self) -> str:
        """Such as `model.json has mode 0666: anybody may change it`."""
        return f"{self.path} has mode {self.mode:04o}: anybody may {'change' if self.writable else 'read'} it"


@dataclass(frozen=True)
class Roots:
    """Folders that a system was told to write to; `skipped` are folders in them that belong to the harness."""

    folders: tuple[Path, ...]
    skipped: tuple[Path, ...] = ()

    def files(self) -> Iterator[tuple[Path, Path]]:
        """Every plain file with the folder that it is below."""
        for root in self.folders:
            for folder, names, files in os.walk(root):
                here = Path(folder)
                names[:] = [name for name in names if here / name not in self.skipped]
                for name in files:
                    path = here / name
                    if path.is_file() and not path.is_symlink():
                        yield root, path


def snapshot(roots: Roots) -> Mapping[Path, _State]:
    """Size, time and inode of every file."""
    return {path: _state(path) for _, path in roots.files()}


def written(roots: Roots, before: Mapping[Path, _State]) -> tuple[tuple[Path, Path], ...]:
    """Files that are new or changed, in order, each with the folder that it is below."""
    found = []
    for root, path in roots.files():
        try:
            changed = before.get(path) != _state(path)
        except FileNotFoundError:
            continue
        if changed:
            found.append((root, path))
    return tuple(sorted(found, key=lambda pair: pair[1]))


def exposed(files: Sequence[tuple[Path, Path]], public: Sequence[str]) -> tuple[Exposed, ...]:
    """What others than owner and group can read or write.

    A folder that is closed to others closes what is in it. An empty file tells nothing. What is declared public may
    be read by anybody, and written by nobody.
    """
    found: dict[Path, Exposed] = {}
    for root, path in files:
        between = [parent for parent in path.parents if root in parent.parents]
        modes = [stat.S_IMODE(parent.stat().st_mode) for parent in between]
        if not all(mode & stat.S_IXOTH for mode in modes):
            continue
        name, status = path.relative_to(root).as_posix(), path.stat()
        mode = stat.S_IMODE(status.st_mode)
        # Who may write to a folder without the sticky bit may replace what is in it.
        open_folders = [
            parent
            for parent, other in zip(between, modes, strict=True)
            if other & stat.S_IWOTH and not other & stat.S_ISVTX
        ]
        if mode & stat.S_IWOTH:
            found[path] = Exposed(name, mode, writable=True)
        elif open_folders:
            folder = open_folders[0]
            folder_mode = stat.S_IMODE(folder.stat().st_mode)
            found[folder] = Exposed(f"{folder.relative_to(root).as_posix()}/", folder_mode, writable=True)
        elif mode & stat.S_IROTH and status.st_size and not is_public(name, public):
            found[path] = Exposed(name, mode, writable=False)
    return tuple(found.values())


def is_public(name: str, patterns: Sequence[str]) -> bool:
    """Whether a path was declared to be readable by anybody."""
    return any(fnmatch(name, pattern) for pattern in patterns)


def grants(settings: object, where: str = "") -> Iterator[str]:
    """Keys of a configuration whose value opens what is written to anybody, such as `acl = public-read`."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            yield from grants(value, f"{where}.{key}" if where else str(key))
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from grants(value, where)
    elif isinstance(settings, str) and settings in PUBLIC_GRANTS:
        yield f"{where} = {settings}"


def _state(path: Path) -> _State:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
