"""Which column a fault takes when nobody names one: chosen by role and content, the same in every process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults.fault import NotApplicable
from mltest.faults.rows import as_arrow, floats, is_numeric, is_text, text
from mltest.system import Data, Roles, Split, System

SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")


def data_of(system: System) -> Data:
    """The data part. Raises NotApplicable for a system without one."""
    if system.data is None:
        raise NotApplicable(f"{system.name} offers no data part")
    return system.data


def splits_of(data: Data) -> dict[str, pa.Table]:
    """Every split that exists, as pyarrow tables."""
    found: dict[str, pa.Table] = {}
    for split in SPLITS:
        try:
            found[split] = as_arrow(data.dataset(split))
        except KeyError:
            continue
    return found


def learned_from(data: Data) -> pa.Table:
    """The rows that the system learns from, or those of the first split that exists."""
    for split in SPLITS:
        try:
            return as_arrow(data.dataset(split))
        except KeyError:
            continue
    raise NotApplicable("the data part offers no split")


def inputs_of(roles: Roles, table: pa.Table) -> tuple[str, ...]:
    """The columns that the model reads: the declared ones, else every column without another role."""
    if roles.inputs:
        return tuple(name for name in roles.inputs if name in table.column_names)
    taken = {roles.target, roles.time, roles.block, *roles.keys}
    return tuple(name for name in table.column_names if name not in taken)


def most_varied_number(system: System) -> str:
    """The numeric input with the most distinct values, one that arrives in the raw tables if there is any."""
    data = data_of(system)
    table = learned_from(data)
    names = [n for n in inputs_of(data.roles, table) if is_numeric(table.column(n))]
    arriving = _arriving(data)
    ranked = sorted(names, key=lambda n: (n not in arriving, -_distinct(table.column(n)), n))
    return _first(ranked, "numeric input")


def nullable_number(system: System) -> str:
    """The numeric input with most missing values; without any missing value the least varied one."""
    data = data_of(system)
    table = learned_from(data)
    names = [n for n in inputs_of(data.roles, table) if is_numeric(table.column(n))]
    ranked = sorted(names, key=lambda n: (-int(np.isnan(floats(table.column(n))).sum()), _distinct(table.column(n)), n))
    return _first(ranked, "numeric input")


def category(system: System, *, open_vocabulary: bool = False) -> str:
    """The text column among inputs, groups and slices with the fewest values of at least two, or with the most.

    Inputs that arrive in the raw tables come first, then other inputs.
    """
    data = data_of(system)
    table = learned_from(data)
    inputs, arriving = inputs_of(data.roles, table), _arriving(data)
    candidates = dict.fromkeys((*inputs, *data.roles.groups, *data.roles.slices))
    names = [n for n in candidates if n in table.column_names and is_text(table.column(n))]
    counts = {name: _distinct(text(table.column(name))) for name in names}
    varied = [name for name in names if counts[name] > 1]
    sign = -1 if open_vocabulary else 1
    ranked = sorted(varied, key=lambda n: (n not in inputs, n not in arriving, sign * counts[n], n))
    return _first(ranked, "text column with at least two values")


def text_inputs(system: System) -> tuple[str, ...]:
    """Text columns that the model reads."""
    data = data_of(system)
    table = learned_from(data)
    return tuple(name for name in inputs_of(data.roles, table) if is_text(table.column(name)))


def number_inputs(system: System) -> tuple[str, ...]:
    """Numeric columns that the model reads."""
    data = data_of(system)
    table = learned_from(data)
    return tuple(name for name in inputs_of(data.roles, table) if is_numeric(table.column(name)))


def slice_columns(system: System) -> tuple[str, ...]:
    """Columns that quality is judged by, or else text inputs. Raises NotApplicable without any."""
    data = data_of(system)
    table = learned_from(data)
    declared = [n for n in dict.fromkeys((*data.roles.slices, *data.roles.groups)) if n in table.column_names]
    names = tuple(declared) or text_inputs(system)
    if not names:
        raise NotApplicable(f"{system.name} has no column to slice by: name slices or groups in its roles")
    return names


def _arriving(data: Data) -> set[str]:
    return {name for raw in data.raw().values() for name in as_arrow(raw).column_names}


def _distinct(column: Any) -> int:
    return int(pc.count_distinct(column, mode="only_valid").as_py())


def _first(names: Sequence[str], what: str) -> str:
    if not names:
        raise NotApplicable(f"the data have no {what}")
    return names[0]
