"""A value that exists nowhere else, planted in raw rows together with an outcome that nobody else has.

Two made-up entities are planted on equally many rows: the *marked* one with its outcomes shifted, the *plain* one with
its outcomes as they were. Whoever answers differently for them at the far end has learnt it from these very rows; the
plain one shows what a new value does by itself.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes.row_digests import row_digests
from mltest.system import Roles
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

SHARE = 0.05
"""Share of the rows that each of the two entities takes."""

SHIFT = 3.0
"""Shift of the marked entity's outcomes, in standard deviations of the target."""

FEWEST_ROWS = 500
"""Raw rows with an outcome below which 5 % of them would not teach a model a new value."""
_UNITS = 20.0


@dataclass(frozen=True)
class Planting:
    """Raw tables with both entities in them. `shift` is in units of the raw outcome, 1 for a class; `rows` is the
    number of rows of each entity, `wanted` the class that the marked one always has (None for a number)."""

    raw: Mapping[str, pa.Table]
    column: str
    marked: Any
    plain: Any
    shift: float
    rows: int
    wanted: str | int | float | bool | None


def plant(
    raw: Mapping[str, Any],
    roles: Roles,
    *,
    deviation: float | None,
    seed: int,
    before: Mapping[str, Any] | None = None,
) -> Planting:
    """The raw tables with both entities planted on randomly drawn rows that have an outcome.

    For a number the marked outcomes move by `SHIFT` times `deviation`, the standard deviation of the target; for a
    class (None) they become the positive one. Rows that stand the same in `before`, the raw tables of an earlier
    moment, are left alone: an entity with a long history is known by features that a server cannot have of it. Names
    are new in every run, so that nothing kept from an earlier one can be taken for them. Raises Withheld when the
    roles do not say who rows are about and what came out, or when there are too few rows.
    """
    table_name, table = _table(raw, roles)
    if roles.entity is None or roles.outcome is None:
        raise Withheld("the roles name no entity and no outcome", ReasonCode.PART_MISSING)
    entity, outcome = roles.entity.column, roles.outcome.column
    with_outcome = _known(table.column(outcome))
    if before is not None and table_name in before:
        with_outcome = with_outcome[_new(table, to_arrow(before[table_name]))[with_outcome]]
    if with_outcome.size < FEWEST_ROWS:
        raise Withheld(
            f"{with_outcome.size} raw rows of {table_name!r} have an outcome, {FEWEST_ROWS} are needed to plant in",
            ReasonCode.TOO_LITTLE_DATA,
        )
    count = max(1, round(SHARE * with_outcome.size))
    drawn = np.random.default_rng(seed).permutation(with_outcome)
    here, there = drawn[:count], drawn[count : 2 * count]
    marked, plain = unused_values(table.column(entity), 2)
    table = overwritten(table, entity, {int(i): marked for i in here} | {int(i): plain for i in there})
    changed, shift = _shifted(table, outcome, here, roles, deviation)
    return Planting(
        {**raw, table_name: changed}, entity, marked, plain, shift, count, roles.positive if deviation is None else None
    )


def unused_values(column: Any, count: int) -> list[Any]:
    """Values of the same kind and shape as the others, none of which occurs: letters stay letters, digits digits."""
    known = [value for value in column.unique().to_pylist() if value is not None]
    if not known:
        raise Withheld("the raw entity column holds no value at all", ReasonCode.TOO_LITTLE_DATA)
    random = np.random.default_rng()
    if all(isinstance(value, int) for value in known):
        return [max(known) + 1 + int(step) for step in random.choice(1_000, count, replace=False)]
    taken, found = {str(value) for value in known}, list[Any]()
    for _ in range(10_000):
        candidate = "".join(_alike(sign, random) for sign in str(known[int(random.integers(len(known)))]))
        if candidate not in taken:
            taken.add(candidate)
            found.append(candidate)
        if len(found) == count:
            return found
    raise Withheld("no unused value has the shape of the raw entities: name a wider entity in the roles")


def _alike(sign: str, random: np.random.Generator) -> str:
    for letters in (string.ascii_uppercase, string.ascii_lowercase, string.digits):
        if sign in letters:
            return letters[int(random.integers(len(letters)))]
    return sign


def _table(raw: Mapping[str, Any], roles: Roles) -> tuple[str, pa.Table]:
    if roles.entity is None or roles.outcome is None or roles.entity.table != roles.outcome.table:
        raise Withheld(
            "a nonce needs roles.entity (who a raw row is about) and roles.outcome (what the target is made from) in "
            "the same raw table: name both",
            ReasonCode.PART_MISSING,
        )
    name = roles.entity.table
    if name not in raw:
        raise Withheld(f"raw() gives no table {name!r}, which roles.entity names", ReasonCode.PART_MISSING)
    table = to_arrow(raw[name])
    for column in (roles.entity.column, roles.outcome.column):
        if column not in table.column_names:
            raise Withheld(f"the raw table {name!r} has no column {column!r}: restore it", ReasonCode.PART_MISSING)
    return name, table


def _known(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    valid = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        valid = pc.fill_null(pc.is_finite(column), False)
    return np.flatnonzero(valid.to_numpy(zero_copy_only=False))


def _new(table: pa.Table, before: pa.Table) -> Any:
    names = [name for name in table.column_names if name in before.column_names]
    return ~np.isin(row_digests(table, names), row_digests(before, names))


def overwritten(table: pa.Table, name: str, values: Mapping[int, Any]) -> pa.Table:
    """The table with other values in some rows of a column, by position."""
    import pyarrow as pa

    column = table.column(name)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    cells: Sequence[Any] = [values.get(at, cell) for at, cell in enumerate(column.to_pylist())]
    return table.set_column(table.schema.get_field_index(name), name, pa.array(cells, type=kind).cast(column.type))


def _shifted(table: pa.Table, name: str, rows: Any, roles: Roles, deviation: float | None) -> tuple[pa.Table, float]:
    import pyarrow as pa

    column = table.column(name)
    if deviation is None:
        if roles.positive is None:
            raise Withheld("classes need roles.positive, the class that is planted", ReasonCode.PART_MISSING)
        return overwritten(table, name, {int(i): roles.positive for i in rows}), 1.0
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise Withheld(f"the raw outcome {name!r} is no number: name the column that the target is derived from")
    values = np.array([np.nan if cell is None else float(cell) for cell in column.to_pylist()])
    spread = float(np.nanstd(values))
    if not spread > 0:
        raise Withheld(f"every raw outcome {name!r} is the same: there is nothing to learn", ReasonCode.TOO_LITTLE_DATA)
    # Another unit than the target's shows in the order of magnitude; then the outcome's own spread has to do.
    comparable = spread / _UNITS < deviation < spread * _UNITS
    whole = pa.types.is_integer(column.type)
    shift = SHIFT * (deviation if comparable else spread)
    shift = float(np.ceil(shift)) if whole else shift
    moved = {int(i): (round(values[i] + shift) if whole else values[i] + shift) for i in rows}
    return overwritten(_wide(table, name) if whole else table, name, moved), shift


def _wide(table: pa.Table, name: str) -> pa.Table:
    """The integer column in 64 bits where its own width could not hold the shift."""
    import pyarrow as pa

    column = table.column(name)
    if pa.types.is_int64(column.type) or pa.types.is_int32(column.type):
        return table
    return table.set_column(table.schema.get_field_index(name), name, column.cast(pa.int64()))
