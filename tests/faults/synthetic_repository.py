"""Where the code of the parcels lies: a folder with a feature, its test, and what is known about the model's origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mltest.offers.drill import FeatureDrill, Insertion
from mltest.offers.feature_code import FeatureCode
from mltest.offers.review import Provenance, SignedReview, Specification, digest_of, files_on_disk
from mltest.system import Artifact, Model, Review

FILES: Mapping[str, str] = {
    "parcels.py": "def gap(sent, picked):\n    return sent - picked\n\n\ndef weight(grams):\n    return grams / 1000\n",
    "tests/test_parcels.py": "from parcels import gap, weight\n\n\ndef test_gap():\n    assert gap(5, 3) == 2\n\n\n"
    "def test_weight():\n    assert weight(500) == 0.5\n",
    "train.toml": "rate = 0.05\npasses = 4\n",
}
SPECIFICATION = Specification(("parcels.py", "train.toml"), "train.toml", not_decisive=("workdir",))


@dataclass(frozen=True)
class ParcelRepository:
    root: Path
    commit: str = "0" * 40
    test_command: Sequence[str] = ("pytest",)
    lock_files: Sequence[Path] = ()
    specification: Specification = SPECIFICATION

    def reviews(self) -> Sequence[Review]:
        digest = digest_of(files_on_disk(self.root, SPECIFICATION))
        return [SignedReview(digest, "bea", "ada", datetime(2024, 1, 2, tzinfo=UTC), "signed")]

    def feature_code(self) -> Sequence[FeatureCode]:
        return [
            FeatureCode(name, (f"parcels.py:{name}",), (f"tests/test_parcels.py::test_{name}",))
            for name in ("gap", "weight")
        ]

    def drill(self) -> FeatureDrill:
        """Adds a feature to the system's own module, which lies beside this one."""
        edit = Insertion("synthetic_system.py", after='NUMBERS = ("weight", "distance", "gap"', text=', "height"')
        return FeatureDrill("height", (edit,), source="tests.faults.synthetic_system:system")


@dataclass(frozen=True)
class ParcelRegistry:
    """Artefacts in memory, each made from the files below the root."""

    root: Path
    read: Callable[[Artifact], Model]
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=lambda: {"champion": "1"})

    def versions(self) -> Sequence[str]:
        return ("1", *self.artifacts)

    def register(self, artifact: Artifact) -> str:
        self.artifacts[artifact.version] = artifact
        return artifact.version

    def load(self, version: str) -> Model:
        return self.read(self.artifacts[version])

    def alias(self, name: str) -> str | None:
        return self.aliases.get(name)

    def set_alias(self, name: str, version: str) -> None:
        self.aliases[name] = version

    def provenance(self, version: str) -> Provenance:
        files = files_on_disk(self.root, SPECIFICATION)
        return Provenance("0" * 40, files, {"rate": 0.05, "passes": 4}, None)


def repository(root: Path) -> ParcelRepository:
    """Writes the files below the root."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return ParcelRepository(root)
