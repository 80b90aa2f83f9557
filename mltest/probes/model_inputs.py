"""Which columns the model reads, asked of everything that claims to know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mltest.system import System


def of_system(system: System) -> tuple[str, ...]:
    """Columns that the model reads: what its artifact, its training configuration and the roles name, together.

    The three may differ, and a column that any of them names is one that somebody relies on. Where none names any,
    they are the columns of the training rows without another role. An empty result says that nobody knows.
    """
    named: list[str] = []
    if system.model is not None:
        named += _strings(system.model.metadata.inputs)
    if system.training is not None:
        named += _strings(system.training.config.get("inputs"))
    if system.data is not None:
        named += _strings(system.data.roles.inputs)
        if not named:
            named += _without_a_role(system.data)
    return tuple(dict.fromkeys(named))


def _strings(names: Iterable[Any] | None) -> list[str]:
    return [str(name) for name in names or ()]


def _without_a_role(data: Any) -> list[str]:
    roles = data.roles
    taken = {roles.target, roles.time, roles.block, *roles.keys, *roles.groups, *roles.slices}
    return [name for name in column_names(data.dataset("train")) if name not in taken]


def column_names(table: Any) -> list[str]:
    """Names of the columns of an Ibis or pyarrow table."""
    return list(getattr(table, "column_names", None) or table.columns)
