"""What was asked and answered: one file of JSON lines per server process, features as served."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc

from reference_system.catalogue import FEATURES

SCHEMA = pa.schema(
    [
        pa.field("flight_id", pa.string()),
        pa.field("as_of", pa.timestamp("us", "UTC")),
        pa.field("version", pa.string()),
        pa.field("source", pa.string()),
        pa.field("prediction", pa.float64()),
        pa.field("p10", pa.float64()),
        pa.field("p90", pa.float64()),
        *(pa.field(item.name, pa.float64() if item.dtype == "float" else pa.string()) for item in FEATURES),
    ]
)
"""Columns of the log: `as_of` is the moment that was answered for, minutes for predictions, then every feature."""


class RequestLog:
    """Appends to a file of this process in `folder`; a line is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"requests-{os.getpid()}.jsonl"
        self._stream: TextIO = self.path.open("a", encoding="utf-8")

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Appends rows; instants are aware datetimes, numbers that are not finite become null."""
        self._stream.write("".join(_line(row) for row in rows))
        self._stream.flush()

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()


def read(folder: Path, since: datetime | None = None) -> pa.Table:
    """All logged rows of all processes with `as_of` at or after `since`, in order of `as_of`, then flight.

    A last line that is being written is left out.
    """
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("requests-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                plain = json.loads(line)
                rows.append({**plain, "as_of": datetime.fromisoformat(plain["as_of"])})
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    if since is not None:
        table = table.filter(pc.greater_equal(table["as_of"], pa.scalar(since, pa.timestamp("us", "UTC"))))
    return table.sort_by([("as_of", "ascending"), ("flight_id", "ascending")])


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps({name: _plain(value) for name, value in row.items()}, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
