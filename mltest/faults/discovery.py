"""Where registering modules are found: ours, installed packages, and single files such as a conftest."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from mltest.faults.fault import FaultError

GROUP = "mltest.faults"
"""Entry point group of installed packages; each value is the name of a module that registers faults."""

_LOADED = "mltest_faults_of_"
"""Prefix of the names under which single files are loaded; they mean nothing to another process."""

BUILTIN: tuple[str, ...] = (
    "mltest.faults.operators_raw",
    "mltest.faults.operators_schema",
    "mltest.faults.operators_inputs",
    "mltest.faults.operators_cost",
    "mltest.faults.operators_agility",
    "mltest.faults.operators_training",
    "mltest.faults.operators_slices",
    "mltest.faults.operators_inclusion",
    "mltest.faults.operators_ageing",
    "mltest.faults.operators_impact",
    "mltest.faults.operators_tuning",
    "mltest.faults.operators_reproducibility",
    "mltest.faults.operators_pipeline",
    "mltest.faults.operators_serving",
    "mltest.faults.operators_numerics",
    "mltest.faults.operators_privacy",
    "mltest.faults.operators_time",
    "mltest.faults.operators_governance",
    "mltest.faults.operators_feature_code",
    "mltest.faults.operators_review",
    "mltest.faults.vacuity",
)
"""Our own modules, imported only when somebody asks for faults."""


def entry_point_modules() -> tuple[str, ...]:
    """Names of the modules that installed packages offer."""
    from importlib.metadata import entry_points

    return tuple(sorted(point.value for point in entry_points(group=GROUP)))


def import_module(module: str) -> None:
    """Imports a dotted name, or loads a file ending in `.py`, so that its faults get registered.

    Raises FaultError in one line when there is no such module or when it cannot be imported.
    """
    try:
        if module.endswith(".py"):
            _load_file(Path(module))
        else:
            importlib.import_module(module)
    except FaultError:
        raise
    except Exception as error:
        raise FaultError(f"cannot import {module}, which registers faults ({type(error).__name__}: {error})") from error


def portable_name(function: Callable[..., Any]) -> str:
    """What another process can import to meet `function` again: its module's name, or the path of its file."""
    name = function.__module__
    source = inspect.getsourcefile(function)
    if source is None:
        return name
    path = Path(source).resolve()
    return name if _importable_as(name, path) else str(path)


def _importable_as(name: str, path: Path) -> bool:
    """A conftest or a script has a name that means another file, or none, in another process."""
    if name.rpartition(".")[2] in ("conftest", "__main__") or path.stem.startswith("test_") or name.startswith(_LOADED):
        return False
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == path


def _load_file(path: Path) -> None:
    resolved = path.resolve()
    if not resolved.is_file():
        raise FaultError(f"there is no file {path} that could register faults: give the path of the conftest")
    if any(_file_of(module) == str(resolved) for module in list(sys.modules.values())):
        return
    name = f"{_LOADED}{sha256(str(resolved).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise FaultError(f"{path} is no Python file: give the path of the conftest")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _file_of(module: Any) -> str | None:
    file = getattr(module, "__file__", None)
    return str(Path(file).resolve()) if isinstance(file, str) else None
