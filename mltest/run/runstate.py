"""What lasts for a whole run in one process: its settings, its folders and the system under test, built once."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from mltest.construction import build
from mltest.evidence import PartFailure
from mltest.run import defaults, output, settings, timelimit
from mltest.run.settings import Settings
from mltest.system import System, SystemRef

_FIGURES_KEPT_SECONDS = 86_400.0


class RunState:
    """Made on first use in each process."""

    def __init__(self, config: pytest.Config) -> None:
        if not config.pluginmanager.has_plugin("ml-score-defaults"):
            config.pluginmanager.register(defaults, "ml-score-defaults")
        self.settings: Settings = settings.read(config)
        self._work: Path | None = None
        self._system: System | None = None
        self._failure: PartFailure | None = None
        self.notes: list[str] = []
        self._found_ibis = "ibis" in sys.modules

    @property
    def folder(self) -> Path:
        """A folder that can be written: `.ml-score` where the run was started, or a temporary one."""
        if self._work is None:
            self._work, note = output.writable_folder(self.settings.folder)
            if note is not None:
                self.notes.append(note)
        return self._work

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def workdir(self) -> Path:
        """Belongs to this process, so that runs in the same folder cannot meet; it goes when the process ends."""
        return self.folder / "work" / str(os.getpid())

    def sweep(self) -> None:
        """Removes what killed runs left; the cache, which is named by content, outlives all of them."""
        for left in (self.folder / "work").glob("[0-9]*"):
            if left.name.isdecimal() and not _is_running(int(left.name)):
                shutil.rmtree(left, ignore_errors=True)
        yesterday = time.time() - _FIGURES_KEPT_SECONDS
        for figure in self.figures.glob("*.figure"):
            if figure.stat().st_mtime < yesterday:
                figure.unlink(missing_ok=True)

    def close(self) -> None:
        """Removes the workdir of this process, and lets go of the engine that it asked about tables in memory.

        Beside torch that engine outlives the interpreter, and its library then complains of leaks in forty lines.
        """
        if self._work is not None:
            shutil.rmtree(self.workdir, ignore_errors=True)
        if not self._found_ibis and "ibis" in sys.modules:
            sys.modules["ibis"].options.default_backend = None
            self._system = None
            gc.collect()

    @property
    def ref(self) -> SystemRef | None:
        if self.settings.source is None:
            return None
        return self.settings.reference(self.workdir, self.folder / "cache")

    def system(self) -> System | None:
        """The system under test, or None when no system is named.

        Raises PartFailure when it cannot be built; it is not tried a second time.
        """
        if self._failure is not None:
            raise self._failure
        ref = self.ref
        if self._system is None and ref is not None:
            try:
                ref.workdir.mkdir(parents=True, exist_ok=True)
                with timelimit.limit(self.settings.timeout):
                    self._system = build(ref)
            except (KeyboardInterrupt, pytest.exit.Exception):
                raise
            except BaseException as error:  # SystemExit too: a script that is named as a system may end itself
                text = " ".join(str(error).split())[:500]
                self._failure = PartFailure(f"the system {ref.source} cannot be built: {type(error).__name__}: {text}")
                raise self._failure from error
        return self._system

    def kept_figures(self, digests: Iterable[str]) -> dict[str, str]:
        """The figures that were kept, by digest, as text."""
        files = {digest: self.figures / f"{digest}.figure" for digest in digests}
        return {digest: file.read_text(encoding="utf-8") for digest, file in files.items() if file.exists()}

    def keep_figures(self, blobs: Mapping[str, bytes]) -> None:
        """Puts figures where the controller finds them by digest."""
        for digest, data in blobs.items():
            output.write(self.figures / f"{digest}.figure", data)


_STATE = pytest.StashKey[RunState]()


def state_of(config: pytest.Config) -> RunState:
    """The state of this run. Raises pytest.UsageError when options or manifest are wrong."""
    if _STATE not in config.stash:
        config.stash[_STATE] = RunState(config)
        config.add_cleanup(config.stash[_STATE].close)
    return config.stash[_STATE]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
