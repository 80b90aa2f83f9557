"""Where one system keeps what is its own, and what it shares with others of equal content."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from reference_system import catalogue, digest, feature_cache, features, raw, registry
from reference_system.artifact import Artifact
from reference_system.config import Preset
from reference_system.registry import CHAMPION, Registry

CODE = Path(catalogue.__file__).parent
"""What lies in it decides features and champion; how a harness reads them, in the folder of this file, does not."""


@dataclass(frozen=True)
class Workplace:
    """Where one system keeps what is its own, and what it shares with others of equal content."""

    workdir: Path
    cache: Path
    preset: Preset
    seed: int

    @cached_property
    def raw(self) -> Mapping[str, pa.Table]:
        return raw.load(origins=self.preset.origins)

    @cached_property
    def departed(self) -> pa.Table:
        """The feature table of every flight of the year that pushed back, diverted ones among them."""
        with _locked(self.cache / "features.lock"):
            return feature_cache.load(self.cache, self.raw)

    @cached_property
    def table(self) -> pa.Table:
        """The feature table of the whole year; flights without a label (diverted) are left to the raw tables."""
        return self.departed.filter(pc.is_valid(self.departed[features.TARGET]))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that the model reads."""
        return self.preset.config.inputs or tuple(feature.name for feature in catalogue.FEATURES)

    @cached_property
    def home(self) -> Path:
        """Registry and logs of this very system; another code or configuration never finds them."""
        return self.workdir / f"{self.preset.name}-{self.key}"

    @cached_property
    def registry(self) -> Registry:
        return registry.of_home(self.home)

    @cached_property
    def key(self) -> str:
        """Digest of what decides the champion: raw files, code, configuration, seed and libraries."""
        parts = {
            "raw": {path.name: digest.of_file(path) for path in sorted(raw.FOLDER.glob("*.parquet"))},
            "code": {path.name: digest.of_file(path) for path in sorted(CODE.glob("*.py"))},
            "preset": self.preset.name,
            "config": self.preset.config.as_mapping(),
            "environment": digest.environment(),
            "seed": self.seed,
        }
        return digest.of_plain(parts)[:24]

    def champion(self) -> Artifact:
        """The artefact that serves: the registry's champion, trained once when there is none.

        Raises RuntimeError when the gate refuses what was trained.
        """
        found = self.registry.champion()
        if found is not None:
            return found
        home = self.cache / f"eta-{self.key}"
        with _locked(self.cache / f"{home.name}.lock"):
            trained = registry.of_home(home).champion()
            if trained is None:
                from reference_system import pipeline

                with _shared_features(self.cache, home):
                    outcome = pipeline.run(home, self.raw, self.preset, seed=self.seed)
                if not outcome.judgement.accepted:
                    raise RuntimeError(f"the gate refused the champion: {'; '.join(outcome.judgement.reasons)}")
                trained = outcome.artifact
            version = self.registry.register(trained)
            self.registry.set_alias(CHAMPION, version)
        return self.registry.artifact(version)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time: what is made once is not made by every worker."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _shared_features(cache: Path, home: Path) -> Iterator[None]:
    """Lets a home find the feature tables that the cache already holds."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shared = cache / feature_cache.FOLDER
    shared.mkdir(parents=True, exist_ok=True)
    link = home / feature_cache.FOLDER
    if not link.exists():
        os.symlink(shared.resolve(), link)
    yield
