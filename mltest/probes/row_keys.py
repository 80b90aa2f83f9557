"""The same row in a table, a request and a log: one text from its keys, however they are stored or printed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes.skew_values import Values, as_times, values_of

if TYPE_CHECKING:
    import pyarrow as pa

_AN_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def of_table(rows: pa.Table, names: Sequence[str], like: pa.Table | None = None) -> list[str]:
    """One text a row from its key columns; numbers are read as instants where those of `like` are instants."""
    columns = [values_of(rows.column(name)) for name in names]
    if like is not None:
        columns = [as_times(own, values_of(like.column(name))) for own, name in zip(columns, names, strict=True)]
    return _joined(columns)


def of_records(records: Sequence[Mapping[str, Any]], names: Sequence[str], like: pa.Table) -> list[str] | None:
    """The same from records; None when one of them lacks a key."""
    import pyarrow as pa

    if not all(name in record for record in records for name in names):
        return None
    columns = []
    for name in names:
        parts = [record[name] for record in records]
        try:
            own = values_of(pa.array(parts))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            own = np.empty(len(parts), dtype=object)
            own[:] = parts
        columns.append(as_times(own, values_of(like.column(name))))
    return _joined(columns)


def matched(keys: Sequence[str], logged: Sequence[str]) -> tuple[list[int], list[int]]:
    """Positions of the pairs of rows with equal keys: among `keys`, which are unique, and among `logged`."""
    places = {key: place for place, key in enumerate(keys)}
    pairs = [(places[key], number) for number, key in enumerate(logged) if key in places]
    return [own for own, _ in pairs], [number for _, number in pairs]


def _joined(columns: Sequence[Values]) -> list[str]:
    return ["|".join(_text(part) for part in parts) for parts in zip(*(c.tolist() for c in columns), strict=True)]


def _text(value: object) -> str:
    found = _instant(value) if isinstance(value, str) and _AN_INSTANT.match(value) else value
    if isinstance(found, datetime):
        # A time without a zone counts as UTC, as it does where values are compared.
        return (found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found).isoformat(" ")
    return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)


def _instant(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
