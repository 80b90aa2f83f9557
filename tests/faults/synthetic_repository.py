"""A registry in memory and a repository with a drill, for the small system of the fault catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mltest.offers.drill import FeatureDrill, Insertion
from mltest.system import Artifact, Model, Review


@dataclass(frozen=True)
class ParcelRegistry:
    read: Callable[[Artifact], Model]
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def versions(self) -> Sequence[str]:
        return tuple(self.artifacts)

    def register(self, artifact: Artifact) -> str:
        self.artifacts[artifact.version] = artifact
        return artifact.version

    def load(self, version: str) -> Model:
        return self.read(self.artifacts[version])

    def alias(self, name: str) -> str | None:
        return self.aliases.get(name)

    def set_alias(self, name: str, version: str) -> None:
        self.aliases[name] = version


@dataclass(frozen=True)
class ParcelRepository:
    root: Path = Path(__file__).parent
    commit: str = ""
    test_command: Sequence[str] = ("python", "-m", "pytest")
    lock_files: Sequence[Path] = ()

    def reviews(self) -> Sequence[Review]:
        return ()

    def drill(self) -> FeatureDrill:
        edit = Insertion("synthetic_system.py", after='NUMBERS = ("weight", "distance", "gap"', text=', "height"')
        return FeatureDrill("height", (edit,), source="tests.faults.synthetic_system:system")
