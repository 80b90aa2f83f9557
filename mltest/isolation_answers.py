"""Unpickling the answers of a worker, which may have been taken over by what it ran.

A pickle can call anything that can be imported, so only what an answer needs can be: arrays, instants, and the
dataclasses and enumerations of this package.
"""

from __future__ import annotations

import enum
import io
import pickle
import sys
from dataclasses import is_dataclass
from typing import Any

from mltest.evidence import PartFailure

_PLAIN = {
    ("builtins", "complex"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "bytearray"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}


def loads(answer: bytes) -> Any:
    """The answer. Raises PartFailure for one that needs anything else to be rebuilt, or is no pickle."""
    try:
        return _Reader(io.BytesIO(answer)).load()
    except PartFailure:
        raise
    except Exception as error:  # a malformed pickle can make the reader raise nearly anything
        raise PartFailure(f"answered with something that cannot be read ({type(error).__name__})") from None


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith("mltest.") and module in sys.modules:
            found = getattr(sys.modules[module], name, None)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, enum.Enum)):
                return found
        raise PartFailure(f"answered with {module}.{name}, which is neither plain data nor an array")
