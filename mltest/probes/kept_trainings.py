"""Trainings that a probe asks for, made once: what is kept is the artefact, never what was measured with it.

An artefact is found again under a digest of everything it depends on: the rows in their order, the configuration, the
seed, the system's source and faults, every file of code or configuration below its root, all code that is loaded from
elsewhere but the installed packages, and the versions of those. Where a system has no cache, everything is trained.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import pickle
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltest.probes.row_digests import row_digests
from mltest.system import Artifact, SystemRef

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Model, Training

FOLDER = "trainings"
_READ = frozenset({".py", ".toml", ".yaml", ".yml", ".json", ".ini", ".cfg"})
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
_LARGEST = 1_000_000


@dataclass(frozen=True)
class KeptTraining:
    """One training: its artefact, how long it took, and whether an earlier run had made it."""

    artifact: Artifact
    seconds: float
    kept: bool


class KeptTrainings:
    """Trains for one probe of one system. `tally` says in plain words how often, how long, and what was kept."""

    def __init__(self, ref: SystemRef, training: Training) -> None:
        self._ref = ref
        self._training = training
        self._done: list[KeptTraining] = []
        self._last: tuple[pa.Table, bytes] | None = None

    def train(self, rows: pa.Table, *, seed: int, config: Mapping[str, Any] | None = None) -> KeptTraining:
        """Trains on all rows given, in their order, or finds what the same training gave before."""
        overrides = dict(config or {})
        if self._ref.cache is None:
            done = self._trained(rows, seed, overrides, self._ref.workdir / FOLDER / _of(str(len(self._done))))
        else:
            home = self._ref.cache / FOLDER / self._key(rows, seed, overrides)
            with _locked(home.with_suffix(".lock")):
                done = _found(home) or self._trained(rows, seed, overrides, home)
        self._done.append(done)
        return done

    def model(self, done: KeptTraining) -> Model:
        """The trained model, ready to predict."""
        return self._training.load(done.artifact)

    @property
    def tally(self) -> str:
        """Such as `6 trainings, 4 of them kept from an earlier run, 12.3 s for the others`."""
        kept = sum(done.kept for done in self._done)
        seconds = sum(done.seconds for done in self._done if not done.kept)
        return f"{len(self._done)} trainings, {kept} of them kept from an earlier run, {seconds:.1f} s for the others"

    def _trained(self, rows: pa.Table, seed: int, config: Mapping[str, Any], home: Path) -> KeptTraining:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        started = time.perf_counter()
        artifact = self._training.train(rows, seed=seed, config=config, workdir=home)
        done = KeptTraining(artifact, time.perf_counter() - started, kept=False)
        staged = home.with_suffix(".staged")
        staged.write_bytes(pickle.dumps(done))
        staged.replace(home / "done.pickle")
        return done

    def _key(self, rows: pa.Table, seed: int, config: Mapping[str, Any]) -> str:
        faults = [(fault.fault, fault.dose, fault.module) for fault in self._ref.faults]
        said = [self._ref.source, self._ref.seed, faults, seed, config, rows.schema.to_string()]
        plain = json.dumps(said, sort_keys=True, default=repr)
        return _of(plain, self._code, self._digest_of(rows))

    def _digest_of(self, rows: pa.Table) -> bytes:
        """Digests of the rows, in their order; those of the same table that was given last are not made anew."""
        if self._last is None or self._last[0] is not rows:
            self._last = rows, row_digests(rows, rows.column_names).tobytes()
        return self._last[1]

    @cached_property
    def _code(self) -> str:
        return _code_of(self._ref.source, self._ref.root)


def _found(home: Path) -> KeptTraining | None:
    made = home / "done.pickle"
    if not made.exists():
        return None
    done: KeptTraining = pickle.loads(made.read_bytes())  # noqa: S301 - the engine's own file in the engine's cache
    return replace(done, kept=True)


def _of(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:32]


@lru_cache(maxsize=4)
def _code_of(source: str, root: Path) -> str:
    files = {*_below(root), *_package_of(source), *_loaded_from_elsewhere()}
    contents = (f"{path}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sorted(files))
    versions = sorted(f"{found.name}={found.version}" for found in metadata.distributions())
    return _of(*contents, *versions)


def _below(root: Path) -> Iterator[Path]:
    pending = [root]
    while pending:
        for entry in pending.pop().iterdir():
            if entry.is_dir() and not entry.is_symlink():
                known = entry.name.startswith(".") or entry.name in _SKIPPED or (entry / "pyvenv.cfg").exists()
                pending += [] if known else [entry]
            elif entry.suffix in _READ and entry.is_file() and entry.stat().st_size < _LARGEST:
                yield entry.resolve()


def _package_of(source: str) -> Iterable[Path]:
    if source.endswith(".toml"):
        return ()
    found = importlib.util.find_spec(source.partition(":")[0].partition(".")[0])
    places = () if found is None else found.submodule_search_locations or ()
    return (path.resolve() for place in places for path in Path(place).rglob("*.py"))


def _loaded_from_elsewhere() -> Iterator[Path]:
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    for module in tuple(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and not file.startswith(installed) and Path(file).exists():
            yield Path(file).resolve()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
