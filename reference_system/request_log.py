"""What was asked and answered: one file of JSON lines per server process, features as served.

Of the plane a line holds nothing but a keyed hash, by which its requests can be erased.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
        pa.field("subject", pa.string()),
        *(pa.field(item.name, pa.float64() if item.dtype == "float" else pa.string()) for item in FEATURES),
    ]
)
"""Columns of the log: `as_of` is the moment that was answered for, minutes for predictions, `subject` a keyed hash."""


class RequestLog:
    """Appends to a file of this process in `folder`; a line is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"requests-{os.getpid()}.jsonl"
        self._stream: TextIO = os.fdopen(_for_the_owner(self.path), "a", encoding="utf-8")

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Appends rows; instants are aware datetimes, numbers that are not finite become null."""
        lines = "".join(_line(row) for row in rows)
        with _locked(self._stream):
            self._stream.write(lines)
            self._stream.flush()

    def erase(self, subject: str) -> int:
        """Takes all lines of a subject out of every file of the folder, and returns how many there were."""
        erased = 0
        for path in sorted(self.path.parent.glob("requests-*.jsonl")):
            with path.open("r+", encoding="utf-8") as stream, _locked(stream):
                lines = stream.readlines()
                kept = [line for line in lines if not _is_about(line, subject)]
                erased += len(lines) - len(kept)
                stream.seek(0)
                stream.truncate()
                stream.writelines(kept)
        return erased

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


@contextmanager
def _locked(stream: TextIO) -> Iterator[None]:
    """Nobody else writes to the file meanwhile; what was written is on its way before the lock goes."""
    fcntl.flock(stream, fcntl.LOCK_EX)
    try:
        yield
        stream.flush()
    finally:
        fcntl.flock(stream, fcntl.LOCK_UN)


def _for_the_owner(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _is_about(line: str, subject: str) -> bool:
    try:
        return bool(json.loads(line).get("subject") == subject)
    except ValueError:
        return False  # the last line, which another process was killed in


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps({name: _plain(value) for name, value in row.items()}, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
