"""The manifest: all that an audit needs to know about a system, without a line of Python.

It is the table `[tool.mltest]` of a pyproject.toml, or a file mltest.toml with the same keys at its top level:

    name = "tumours"
    task = "binary"
    [data]
    training = "training.parquet"
    holdout = "holdout.parquet"
    target = "malignant"
    [model]
    onnx = "model.onnx"

Everything is checked before anything runs. Paths are relative to the folder of the manifest and stay below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from mltest import evidence, manifest_catalogue, manifest_paths, manifest_toml
from mltest.manifest_keys import (
    AttestationKeys,
    DataKeys,
    Limits,
    ModelKeys,
    Name,
    Table,
    Task,
    Version,
    WaiverKeys,
    no_repeats,
)
from mltest.manifest_toml import OWN, PYPROJECT, ManifestError
from mltest.rubric_yaml import nearest
from mltest.system import Environment

if TYPE_CHECKING:
    from mltest.rubric import Rubric

__all__ = ["Manifest", "ManifestError", "find", "load"]

OTHER_MODEL_KINDS = ("torch_export", "skops", "mlflow", "http")


class Manifest(Table):
    """A manifest that was read and checked. `path` is its file, `sha256` the digest of that file's bytes."""

    name: Name
    task: Task
    version: Version | None = None
    environment: Environment = "development"
    experiments: bool = False
    system: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")] | None = None
    recency_days: Annotated[int, Field(ge=1, le=3660)] = 7
    data: DataKeys | None = None
    model: ModelKeys | None = None
    limits: Limits = Field(default_factory=dict)
    attestations: Annotated[tuple[AttestationKeys, ...], BeforeValidator(no_repeats)] = ()
    waivers: Annotated[tuple[WaiverKeys, ...], BeforeValidator(no_repeats)] = ()
    _path: Path = PrivateAttr(default=Path(OWN))
    _sha256: str = PrivateAttr(default="")

    @property
    def path(self) -> Path:
        return self._path

    @property
    def root(self) -> Path:
        """The folder that paths start from and stay below."""
        return self._path.parent

    @property
    def sha256(self) -> str:
        return self._sha256

    def attestation_records(self) -> tuple[evidence.Attestation, ...]:
        """The attestations as stated; whether they are valid is judged elsewhere."""
        return tuple(evidence.Attestation(**a.model_dump()) for a in self.attestations)

    def waiver_records(self) -> tuple[evidence.Waiver, ...]:
        """The waivers as stated."""
        return tuple(evidence.Waiver(**w.model_dump()) for w in self.waivers)

    def evidence_digest(self, named: str) -> str | None:
        """The sha256 of a piece of evidence of an attestation; None where it cannot be read."""
        try:
            return manifest_paths.digest(manifest_paths.file(self.root, named))
        except (OSError, ValueError):
            return None

    def check_items(self, rubric: Rubric) -> None:
        """Refuses ids of items that the rubric does not have. Raises ManifestError."""
        known = [item.id for item in rubric.items]
        named = [(f"limits.{item}", item) for item in self.limits]
        named += [(f"attestations[{n}].item", a.item) for n, a in enumerate(self.attestations, 1)]
        named += [(f"waivers[{n}].item", w.item) for n, w in enumerate(self.waivers, 1)]
        for key, item in named:
            if item not in known:
                raise self.error(key, f"the rubric has no item {item!r}{nearest(item, known)}; name one of its items")

    def error(self, key: str, problem: str) -> ManifestError:
        """An error about one key of this file."""
        return ManifestError(self._path, f"tool.mltest.{key}" if self._path.name == PYPROJECT else key, problem)

    def named_files(self) -> Iterator[tuple[str, str]]:
        """Every file that the manifest names, with its key."""
        if self.data is not None:
            for key in ("training", "validation", "holdout", "catalogue", "request_log", "labels"):
                if (named := getattr(self.data, key)) is not None:
                    yield f"data.{key}", named
            for table, named in self.data.schemas.items():
                yield (f"data.schema.{table}" if isinstance(self.data.schema_files, dict) else "data.schema"), named
        if self.model is not None:
            yield "model.onnx", self.model.onnx
        for number, attestation in enumerate(self.attestations, 1):
            yield f"attestations[{number}].evidence", attestation.evidence


def find(start: Path) -> Path | None:
    """The nearest manifest in `start` or a folder above it. Raises ManifestError where one folder holds two."""
    for folder in (start.resolve(), *start.resolve().parents):
        own, shared = folder / OWN, folder / PYPROJECT
        in_shared = shared.is_file() and manifest_toml.offers_table(shared)
        if own.is_file() and in_shared:
            raise ManifestError(own, "", f"{PYPROJECT} beside it has [tool.mltest] as well; keep one of the two")
        if own.is_file() or in_shared:
            return own if own.is_file() else shared
    return None


def load(path: Path) -> Manifest:
    """Reads and checks a manifest, and that the files it names are there. Raises ManifestError."""
    keys, content = manifest_toml.read(path)
    model = keys.get("model")
    if isinstance(model, Mapping):
        _refuse_other_kinds(path, model)
    try:
        manifest = Manifest.model_validate(keys)
    except ValidationError as error:
        raise manifest_toml.problem_of(path, Manifest, error) from None
    manifest._path = path.resolve()
    manifest._sha256 = hashlib.sha256(content).hexdigest()
    for key, named in manifest.named_files():
        try:
            manifest_paths.files(manifest.root, named)
        except ValueError as problem:
            raise manifest.error(key, str(problem)) from None
    if manifest.data is not None and manifest.data.catalogue is not None:
        _check_catalogue(manifest, manifest.data.catalogue)
    return manifest


def _check_catalogue(manifest: Manifest, named: str) -> None:
    try:
        path = manifest_paths.file(manifest.root, named)
    except ValueError as problem:
        raise manifest.error("data.catalogue", str(problem)) from None
    manifest_catalogue.read(path)


def _refuse_other_kinds(path: Path, model: Mapping[str, Any]) -> None:
    for kind in OTHER_MODEL_KINDS:
        if kind in model:
            problem = "this version reads models of the kind onnx; convert it, or offer it from a system in Python"
            raise ManifestError(path, f"model.{kind}", problem)
