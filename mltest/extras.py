"""Optional libraries, loaded late: what is not installed withholds a probe and says how to install it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from mltest.evidence import ReasonCode, Withheld


def load(module: str, extra: str) -> ModuleType:
    """Imports a module of an extra. Raises `Withheld` naming the extra when it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise Withheld(
            f"{module} is not installed: pip install 'pytest-ml-score[{extra}]'", ReasonCode.PART_MISSING
        ) from error
