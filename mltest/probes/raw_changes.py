"""The same change made to raw rows and to the requests that were made from them: who reads them, has to follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes.nonce import overwritten
from mltest.probes.row_digests import row_digests
from mltest.system import Roles
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

Record = Mapping[str, Any]

ROWS = 24
"""Requests that are changed, and with them the raw rows that they were made from."""

MOST_FIELDS = 6


@dataclass(frozen=True)
class RawChanges:
    """Requests and their raw rows (positions in the entity's table), and other values for some of their numbers."""

    keys: tuple[str, ...]
    time: str | None
    records: tuple[Record, ...]
    rows: tuple[int, ...]
    values: Mapping[str, tuple[Any, ...]]

    def requests(self, fields: Sequence[str]) -> list[Record]:
        """The requests with other values in these fields."""
        return [{**r, **{field: self.values[field][at] for field in fields}} for at, r in enumerate(self.records)]

    def raw(self, tables: Mapping[str, Any], table: str, fields: Sequence[str]) -> dict[str, Any]:
        """The raw tables with the same values in these fields of the same rows."""
        changed = to_arrow(tables[table])
        for field in fields:
            changed = overwritten(changed, field, dict(zip(self.rows, self.values[field], strict=True)))
        return {**tables, table: changed}


def plan(tables: Mapping[str, Any], records: Sequence[Record], roles: Roles) -> RawChanges | None:
    """Gives requests each other's numbers, field by field: those that a raw column of that name is behind.

    Who a row is about, when it was and what came out stay. None where no request is found again among the raw rows.
    """
    if roles.entity is None or roles.outcome is None:
        return None
    table = to_arrow(tables[roles.entity.table])
    positions = np.unique(np.linspace(0, len(records) - 1, ROWS).round().astype(int)).tolist()
    found = _rows_of(table, [records[position] for position in positions])
    known = [(records[at], row) for at, row in zip(positions, found, strict=True) if row is not None]
    if len(known) < ROWS // 2:
        return None
    chosen = [record for record, _ in known]
    kept = {roles.entity.column, roles.outcome.column, roles.target, roles.time, *roles.keys}
    fields = [n for n, v in chosen[0].items() if n in table.column_names and n not in kept and _is_number(v)]
    ranked = sorted(fields, key=lambda name: name not in roles.inputs)[:MOST_FIELDS]
    return RawChanges(
        keys=tuple(roles.keys),
        time=roles.time,
        records=tuple(chosen),
        rows=tuple(row for _, row in known),
        values={name: _exchanged(chosen, name) for name in ranked},
    )


def _exchanged(records: Sequence[Record], name: str) -> tuple[Any, ...]:
    """For each record the value of the next one that has another; its own where there is none."""
    values = [record.get(name) for record in records]
    return tuple(
        next((v for v in [*values[at + 1 :], *values[:at]] if _is_number(v) and v != own), own)
        for at, own in enumerate(values)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rows_of(table: pa.Table, records: Sequence[Record]) -> list[int | None]:
    """For each record the only raw row that agrees with it in all that both have; None where there is no such row."""
    import pyarrow as pa
    import pyarrow.types as pt

    shared = [name for name in records[0] if name in table.column_names]
    moments = [n for n in shared if pt.is_temporal(table.schema.field(n).type)]
    plain = [name for name in shared if name not in moments]
    asked = pa.Table.from_pylist([{name: record.get(name) for name in plain} for record in records])
    theirs, ours = row_digests(asked, plain), row_digests(table, plain)
    places = defaultdict[int, list[int]](list)
    for place in np.flatnonzero(np.isin(ours, theirs)).tolist():
        places[int(ours[place])].append(place)
    found: list[int | None] = []
    for record, digest in zip(records, theirs.tolist(), strict=True):
        candidates = places[int(digest)]
        if len(candidates) > 1:
            rows = table.select(moments).take(candidates).to_pylist()
            candidates = [
                place
                for place, row in zip(candidates, rows, strict=True)
                if all(_text(row[name]) == _text(record.get(name)) for name in moments)
            ]
        found.append(candidates[0] if len(candidates) == 1 else None)
    return found


def _text(moment: Any) -> str:
    return str(moment.isoformat() if hasattr(moment, "isoformat") else moment)
