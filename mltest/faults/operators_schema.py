"""Faults of the declared expectations: a schema that cannot fail."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mltest.faults import columns
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import data_changed
from mltest.faults.parts import ExchangedData
from mltest.faults.registry import fault, twin
from mltest.system import System


def vacuous(schema: Any, share: float) -> Any:
    """A copy of a pandera schema in which that share of the columns (at least one) accepts everything."""
    empty = copy.deepcopy(schema)
    names = sorted(empty.columns)
    for name in names[: max(1, round(share * len(names)))]:
        column = empty.columns[name]
        column.checks, column.nullable, column.unique, column.required = [], True, False, False
        column.dtype = None
    empty.checks, empty.strict = [], False
    if getattr(empty, "unique", None):
        empty.unique = None
    return empty


@fault(
    "O-D1-d",
    item="data.schema",
    seam="spec",
    doses=(0.25, 0.5, 1.0),
    must_catch=0.5,
    parts=("data",),
    alive=data_changed,
    evidence_removal=True,
    why="a schema inferred from the very batch that it judges, or widened until it stopped complaining",
)
def vacuous_schema(system: System, dose: float, workdir: Path) -> System:
    """A share of the columns of every schema accepts anything: no range, no set, no type, missing allowed."""
    data = columns.data_of(system)
    _require_schemas(system)
    if dose == 0:
        return system.with_parts(data=ExchangedData(data))

    def emptied(schemas: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: vacuous(s, dose) if hasattr(s, "columns") else s for name, s in schemas.items()}

    return system.with_parts(data=ExchangedData(data, expectations=emptied))


def _descriptions_differ(healthy: System, faulted: System) -> str:
    """Reads the descriptions, which no comparison of expectations shows."""
    before, after = (
        [column.description for schema in columns.data_of(system).schema.values() for column in _columns_of(schema)]
        for system in (healthy, faulted)
    )
    return f"{len(after)} columns are described otherwise" if before != after else ""


@twin("O-D1-d", alive=_descriptions_differ)
def documented_schema(system: System, dose: float, workdir: Path) -> System:
    """Every column of every schema gains a description; what it expects stays as it was."""
    data = columns.data_of(system)
    _require_schemas(system)
    if dose == 0:
        return system.with_parts(data=ExchangedData(data))

    def described(schemas: Mapping[str, Any]) -> Mapping[str, Any]:
        copies = {name: copy.deepcopy(schema) for name, schema in schemas.items()}
        for schema in copies.values():
            for column in _columns_of(schema):
                column.description = f"{column.description or 'described'} (see the catalogue)"
        return copies

    return system.with_parts(data=ExchangedData(data, expectations=described))


def _columns_of(schema: Any) -> list[Any]:
    return list(getattr(schema, "columns", {}).values())


def _require_schemas(system: System) -> None:
    if not any(hasattr(schema, "columns") for schema in columns.data_of(system).schema.values()):
        raise NotApplicable(f"{system.name} declares no pandera schema")
