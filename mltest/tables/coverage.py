"""Which columns a schema really says something about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mltest.tables import builtin_checks


@dataclass(frozen=True)
class Coverage:
    """Inputs with at least one check that can reject a value, and those without."""

    checked: tuple[str, ...]
    unchecked: tuple[str, ...]

    @property
    def share(self) -> float | None:
        """The share of inputs that are checked; None when there are no inputs."""
        n = len(self.checked) + len(self.unchecked)
        return len(self.checked) / n if n else None


def coverage(schema: Any, inputs: Sequence[str]) -> Coverage:
    """Sorts the inputs into checked and unchecked.

    A range from minus to plus infinity, a pattern that matches everything, a type alone or no check do not count; a
    boolean type that admits no null does, for it leaves two values, and so does a type that lists its categories.
    """
    plain = as_schema(schema)
    checked = tuple(name for name in inputs if any(_restricts(c) for c in columns_for(plain, name)))
    return Coverage(checked, tuple(name for name in inputs if name not in checked))


def as_schema(schema: Any) -> Any:
    """The schema of a pandera model class; a schema as it is."""
    return schema.to_schema() if hasattr(schema, "to_schema") else schema


def columns_for(schema: Any, name: str) -> list[Any]:
    """The entries of a schema that speak about a column, by name or by pattern."""
    return [
        column
        for key, column in schema.columns.items()
        if key == name or (getattr(column, "regex", False) and re.match(key, name))
    ]


def _restricts(column: Any) -> bool:
    if any(not builtin_checks.is_vacuous(check) for check in column.checks or ()):
        return True
    kind = getattr(column.dtype, "type", None)
    if getattr(kind, "categories", None) is not None:
        return True
    return str(column.dtype).lower() in ("bool", "boolean") and not column.nullable
