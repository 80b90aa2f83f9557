from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reference_system import artifact
from reference_system.artifact import Artifact, ArtifactError
from reference_system.registry import CHALLENGER, CHAMPION, Registry, RegistryError
from reference_system.runtime import Predictor


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def test_a_registered_version_answers_like_the_artefact(
    registry: Registry, trained: Artifact, flights: pa.Table
) -> None:
    version = registry.register(trained)
    assert registry.versions() == (version,)
    assert np.array_equal(registry.load(version).predict(flights), Predictor.of(trained).predict(flights))


def test_registering_twice_changes_nothing(registry: Registry, trained: Artifact) -> None:
    assert registry.register(trained) == registry.register(trained)
    assert len(registry.versions()) == 1


def test_aliases_move_in_one_step_and_are_independent(
    registry: Registry, trained: Artifact, flights: pa.Table, quick_training: Any, tmp_path: Path
) -> None:
    first = registry.register(trained)
    second = registry.register(quick_training(flights, tmp_path / "other", seed=8))
    assert registry.alias(CHAMPION) is None
    registry.set_alias(CHAMPION, first)
    registry.set_alias(CHALLENGER, second)
    assert (registry.alias(CHAMPION), registry.alias(CHALLENGER)) == (first, second)
    registry.set_alias(CHAMPION, second)
    assert registry.champion().version == second
    assert registry.versions() == (first, second)


def test_an_unknown_version_is_refused_whatever_its_name(registry: Registry, trained: Artifact) -> None:
    registry.register(trained)
    for name in ("no-such-version", "../registry", ""):
        with pytest.raises(RegistryError, match="not in the registry"):
            registry.load(name)
        with pytest.raises(RegistryError, match="is not registered"):
            registry.set_alias(CHAMPION, name)


def test_a_model_exchanged_on_disk_is_not_loaded(registry: Registry, trained: Artifact, tmp_path: Path) -> None:
    version = registry.register(trained)
    stored = tmp_path / "registry" / version / artifact.MODEL_FILE
    stored.write_bytes(stored.read_bytes() + b"\0")
    with pytest.raises(RegistryError, match=r"model\.onnx: sha256 differs"):
        registry.load(version)


def test_a_model_exchanged_together_with_its_manifest_is_not_loaded(
    registry: Registry, trained: Artifact, flights: pa.Table, quick_training: Any, tmp_path: Path
) -> None:
    version = registry.register(trained)
    other = quick_training(flights, tmp_path / "other", seed=8)
    shutil.rmtree(tmp_path / "registry" / version)
    shutil.copytree(other.path, tmp_path / "registry" / version)
    with pytest.raises(RegistryError, match="is not what was registered"):
        registry.load(version)


def test_an_artefact_that_changed_after_training_is_not_registered(
    registry: Registry, trained: Artifact, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    (copy / artifact.MODEL_FILE).write_bytes(b"not a model")
    with pytest.raises(ArtifactError, match="sha256 differs"):
        registry.register(Artifact(copy, trained.version, trained.digest, {}, {}))
    assert registry.versions() == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "eta-artifact/9"}'])
def test_a_manifest_that_is_none_is_refused_in_one_line(trained: Artifact, tmp_path: Path, content: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    (copy / artifact.MANIFEST_FILE).write_text(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json: .*train again") as caught:
        artifact.read(copy)
    assert "\n" not in str(caught.value)


def test_a_manifest_may_not_name_files_elsewhere(trained: Artifact, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    manifest = json.loads((copy / artifact.MANIFEST_FILE).read_text())
    manifest["files"]["../secret"] = {"sha256": "0" * 64}
    (copy / artifact.MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="not a plain file"):
        artifact.read(copy)


def test_a_broken_index_is_named(registry: Registry, trained: Artifact, tmp_path: Path) -> None:
    registry.register(trained)
    (tmp_path / "registry" / "index.json").write_text("{")
    with pytest.raises(RegistryError, match=r"index\.json: not an index"):
        registry.versions()


def test_several_writers_lose_nothing(registry: Registry, trained: Artifact) -> None:
    version = registry.register(trained)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: registry.set_alias(f"alias-{number}", version), range(12)))
    assert [registry.alias(f"alias-{number}") for number in range(12)] == [version] * 12
