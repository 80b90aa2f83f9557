"""Builds a system from its reference, in whichever process needs it, with the faults that the reference names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mltest import manifest_paths
from mltest.system import System, SystemRef

if TYPE_CHECKING:
    from mltest.manifest import Manifest


class ConstructionError(Exception):
    """The system under test could not be built."""


def build(ref: SystemRef) -> System:
    """The system that `ref` names, faults applied in order.

    Raises ConstructionError when its module lacks the name or gives something else than a System; whatever the
    system's own code raises while it is built comes through.
    """
    system = _healthy(ref)
    if not ref.faults:
        return system
    from mltest.faults import apply_all

    return apply_all(system, ref.faults, ref.workdir)


def _healthy(ref: SystemRef) -> System:
    if ref.source.endswith(".toml"):
        from mltest import manifest

        return from_manifest(manifest.load(Path(ref.source)), ref)
    return _imported(ref.source, ref)


def from_manifest(described: object, ref: SystemRef) -> System:
    """The system of a loaded manifest: the one that it names, or a black box of the files that it names.

    What the manifest says about name, task, environment and consent holds in either case.
    """
    from mltest import manifest

    if not isinstance(described, manifest.Manifest):
        raise TypeError("a loaded manifest is needed")
    if described.system is None:
        return black_box(described, ref)
    system = _imported(described.system, ref)
    return system.with_parts(
        name=described.name,
        task=described.task,
        environment=described.environment,
        experiments=described.experiments,
        version=described.version or system.version,
    )


def _imported(source: str, ref: SystemRef) -> System:
    module_name, _, attribute = source.partition(":")
    root = str(ref.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    found = getattr(import_module(module_name), attribute, None)
    if found is None:
        raise ConstructionError(f"{source}: the module {module_name} has no {attribute!r}: name a System or a function")
    system = found(ref) if callable(found) else found
    if not isinstance(system, System):
        raise ConstructionError(f"{source} gave {type(system).__name__}: it must give a mltest.System")
    return system


def black_box(manifest: Manifest, ref: SystemRef) -> System:
    """The system that a manifest describes by files alone, with the parts `data` and `model`.

    Nothing is read yet: a file that cannot be used raises PartFailure when a probe asks for it.
    """
    from mltest.adapters import frames, onnx

    data, model = None, None
    if manifest.data is not None:
        data = frames.from_manifest(manifest, ref.workdir)
    if manifest.model is not None:
        columns = (lambda: data.roles.inputs) if data is not None else tuple
        model = onnx.from_manifest(manifest, columns)
    return System(
        name=manifest.name,
        task=manifest.task,
        version=manifest.version,
        environment=manifest.environment,
        experiments=manifest.experiments,
        data=data,
        model=model,
        digests=_digests(manifest),
    )


def _digests(manifest: Manifest) -> Mapping[str, str]:
    """What was judged: the manifest, the model, and the rows of all splits one after another."""
    digests, data = {"config": manifest.sha256}, manifest.data
    if manifest.model is not None:
        digests["model"] = manifest_paths.digest(manifest_paths.file(manifest.root, manifest.model.onnx))
    if data is not None:
        named = [split for split in (data.training, data.validation, data.holdout) if split is not None]
        digests["data"] = manifest_paths.digest(
            *(path for split in named for path in manifest_paths.files(manifest.root, split))
        )
    return digests
