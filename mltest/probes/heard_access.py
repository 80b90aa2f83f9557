"""Which files, databases, hosts and programs Python code opens, and how much is read where nothing was heard.

Heard is what raises an audit event (PEP 578). Native code that opens files by itself raises none; that it read
something shows in the counters that Linux keeps for a process, and nowhere else.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_CODE = frozenset({".py", ".pyc", ".pyi", ".so", ".pth", ".toml", ".yaml", ".yml", ".ini", ".cfg"})
"""Code and configuration: no sources of data."""

_SYSTEM = ("/proc", "/sys", "/dev", "/usr/share/zoneinfo", "/usr/lib", "/lib", "/etc")
_HOST_EVENTS = frozenset({"socket.getaddrinfo", "http.client.connect", "ftplib.connect", "smtplib.connect"})
_PROGRAM_EVENTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.system"})


@dataclass
class Heard:
    """What was opened while somebody listened, in order; a place opened twice is there twice."""

    files: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    native_reads: int = 0
    """Calls of the operating system that read, beyond those for what was heard; 0 where nobody counts them."""

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.files, *self.hosts, *self.programs)))

    @property
    def count(self) -> int:
        return len(self.files) + len(self.hosts) + len(self.programs)


@contextmanager
def listening() -> Iterator[Heard]:
    """Notes what is opened inside; one listener at a time, in all threads of this process."""
    heard = Heard()
    listener = _listener()
    before = _read_calls()
    listener.heard = heard
    try:
        yield heard
    finally:
        listener.heard = None
        after = _read_calls()
        # Reading the counter is itself a call or two; a file that was heard may be read in many.
        silent = not heard.files and not heard.programs and not heard.hosts
        heard.native_reads = max(0, after - before - _own_calls()) if silent else 0


class _Listener:
    """Hears audit events for the rest of the process: a hook can be added and never taken away."""

    def __init__(self) -> None:
        self.heard: Heard | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        heard = self.heard
        if heard is None:
            return
        if event in ("open", "sqlite3.connect"):
            place = _file(arguments[0])
            if place is not None:
                heard.files.append(place)
        elif event == "socket.connect":
            place = _address(arguments[1])
            if place.startswith("/"):
                heard.files.append(place)
            else:
                heard.hosts.append(place)
        elif event in _HOST_EVENTS:
            host = arguments[1] if event != "socket.getaddrinfo" else arguments[0]
            if host:
                heard.hosts.append(_text(host))
        elif event in _PROGRAM_EVENTS:
            heard.programs.append(_text(arguments[0]))


@cache
def _listener() -> _Listener:
    return _Listener()


def _file(name: Any) -> str | None:
    """The path of a file that may hold data; None for code, configuration, and what belongs to the system."""
    if not isinstance(name, str | bytes | os.PathLike):
        return None
    path = os.path.abspath(_text(name))
    if path.endswith(tuple(_CODE)) or path.startswith(_SYSTEM) or path.startswith(_installed()):
        return None
    return None if "/__pycache__/" in path else path


@cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _address(address: Any) -> str:
    return str(address[0]) if isinstance(address, tuple) and address else _text(address)


def _text(name: Any) -> str:
    try:
        return os.fsdecode(name)
    except TypeError:
        return str(name)


def _read_calls() -> int:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("syscr")), 0)


@cache
def _own_calls() -> int:
    """Calls that asking for the counter costs by itself."""
    first = _read_calls()
    return _read_calls() - first
