"""Builds a system from its reference, in whichever process needs it, with the faults that the reference names."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from mltest.system import System, SystemRef


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
        return manifest.build(described, ref)
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
