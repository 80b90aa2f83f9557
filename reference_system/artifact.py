"""A trained model on disk: a folder with one ONNX graph and a manifest that vouches for it."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_system import digest

MODEL_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
FORMAT = "eta-artifact/1"


class ArtifactError(ValueError):
    """An artefact that must not be used; the message names the file and the remedy."""


@dataclass(frozen=True)
class Artifact:
    """A model in `path`; `digest` is the sha256 of its ONNX file, `metrics` are what the training measured.

    `version` is the last day of the training data and the beginning of the digest: equal content, equal version.
    """

    path: Path
    version: str
    digest: str
    config: Mapping[str, Any]
    metrics: Mapping[str, float]

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL_FILE


@dataclass(frozen=True)
class Origin:
    """What an artefact was made from: everything that a second training needs to give the same bytes."""

    seed: int
    data_digest: str
    environment: Mapping[str, str]
    trained_until: str | None


def write(
    folder: Path, model: bytes, *, config: Mapping[str, Any], metrics: Mapping[str, float], origin: Origin
) -> Artifact:
    """Stores a model below `folder`, whole or not at all, and returns its artefact."""
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".staged-{os.getpid()}"
    staged.mkdir(mode=0o700, exist_ok=True)
    (staged / MODEL_FILE).write_bytes(model)
    found = digest.of_file(staged / MODEL_FILE)
    day = (origin.trained_until or "undated")[:10].replace("-", "")
    version = f"{day}-{found[:12]}"
    manifest = {
        "format": FORMAT,
        "version": version,
        "files": {MODEL_FILE: {"sha256": found, "bytes": len(model)}},
        "config": dict(config),
        "config_digest": digest.of_plain(dict(config)),
        "metrics": {name: value if math.isfinite(value) else None for name, value in metrics.items()},
        "seed": origin.seed,
        "data_digest": origin.data_digest,
        "environment": dict(origin.environment),
        "environment_digest": digest.of_plain(dict(origin.environment)),
        "trained_until": origin.trained_until,
    }
    text = json.dumps(manifest, indent=2, sort_keys=True, allow_nan=False)
    (staged / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    final = folder / version
    publish(staged, final)
    return read(final)


def read(folder: Path) -> Artifact:
    """The artefact in a folder, its files verified against the manifest.

    Raises ArtifactError when the manifest is missing or broken, or when a file is not the one that was vouched for.
    """
    manifest = _manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if Path(name).name != name or path.is_symlink() or not path.is_file():
            raise ArtifactError(f"{path}: not a plain file of this artefact, restore it or train again")
        if digest.of_file(path) != expected["sha256"]:
            raise ArtifactError(f"{path}: sha256 differs from {MANIFEST_FILE}, restore it or train again")
    return Artifact(
        path=folder,
        version=manifest["version"],
        digest=manifest["files"][MODEL_FILE]["sha256"],
        config=manifest["config"],
        metrics={name: math.nan if value is None else value for name, value in manifest["metrics"].items()},
    )


def model_bytes(found: Artifact) -> bytes:
    """The ONNX file, read once and verified against the artefact's digest. Raises ArtifactError when it differs."""
    held = found.model.read_bytes()
    if hashlib.sha256(held).hexdigest() != found.digest:
        raise ArtifactError(f"{found.model}: sha256 is not {found.digest[:12]}..., restore it or train again")
    return held


def manifest_of(folder: Path) -> Mapping[str, Any]:
    """The manifest as written: config, seed, digests of data and environment. Raises ArtifactError as `read` does."""
    return _manifest(folder)


def publish(staged: Path, final: Path) -> None:
    """Moves a finished folder to its place in one step; a folder that is already there has the same content."""
    try:
        staged.rename(final)
    except OSError:
        if not final.is_dir():
            raise
        for left in (*staged.iterdir(),):
            left.replace(final / left.name)
        staged.rmdir()


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: no readable manifest ({type(error).__name__}), train again") from error
    needed = ("format", "version", "files", "config", "metrics")
    if not isinstance(found, dict) or any(key not in found for key in needed):
        raise ArtifactError(f"{path}: the manifest lacks one of {', '.join(needed)}, train again")
    if found["format"] != FORMAT or MODEL_FILE not in found["files"]:
        raise ArtifactError(f"{path}: format {found['format']!r} is not {FORMAT!r}, train again")
    return found
