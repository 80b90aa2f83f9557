"""Which columns the model reads, asked of everything that claims to know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mltest.system import Data, Model, System, Training


def of_system(system: System) -> tuple[str, ...]:
    """Columns that the model reads: what its artifact, its training configuration and the roles name, together.

    The three may differ, and a column that any of them names is one that somebody relies on. Where none names any,
    they are the columns of the training rows without another role. An empty result says that nobody knows.
    """
    return of_parts(system.model, system.training, system.data)


def of_parts(model: Model | None, training: Training | None, data: Data | None) -> tuple[str, ...]:
    """The same, of the parts that are at hand."""
    named: list[str] = []
    if model is not None:
        named += _strings(model.metadata.inputs)
    if training is not None:
        named += _strings(training.config.get("inputs"))
    if data is not None:
        named += _strings(data.roles.inputs)
        if not named:
            named += _without_a_role(data)
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
