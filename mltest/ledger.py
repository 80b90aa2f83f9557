"""Scorecards over time, in one SQLite file that only the controller of a run writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mltest.scorecard import Scorecard, from_json, to_json

_TABLE = """
create table if not exists runs (
    id integer primary key,
    started text not null,
    system text not null,
    rubric_sha256 text not null,
    basis text not null,
    final real,
    scorecard text not null
)
"""


class LedgerError(Exception):
    """The ledger cannot be read or written."""


@dataclass(frozen=True)
class Ledger:
    """The file at `path`; it is made on the first write."""

    path: Path

    def record(self, scorecard: Scorecard) -> None:
        """Adds a scorecard. Raises LedgerError when the file cannot be written."""
        row = (
            scorecard.run.started.isoformat(),
            scorecard.system.name,
            scorecard.rubric.sha256,
            scorecard.run.basis,
            scorecard.score.final,
            to_json(scorecard),
        )
        with self._open() as connection, connection:
            connection.execute(_TABLE)
            connection.execute(
                "insert into runs (started, system, rubric_sha256, basis, final, scorecard) values (?, ?, ?, ?, ?, ?)",
                row,
            )

    def earlier_runs(self, system: str, rubric_sha256: str, since: datetime) -> int:
        """How many complete runs of a system under a rubric began at or after `since`."""
        if not self.path.exists():
            return 0
        with self._open() as connection:
            connection.execute(_TABLE)
            rows = connection.execute(
                "select started from runs where system = ? and rubric_sha256 = ? and final is not null",
                (system, rubric_sha256),
            ).fetchall()
        return sum(datetime.fromisoformat(started) >= since for (started,) in rows)

    def scorecards(self, system: str) -> tuple[Scorecard, ...]:
        """All scorecards of a system, oldest first."""
        if not self.path.exists():
            return ()
        with self._open() as connection:
            connection.execute(_TABLE)
            rows = connection.execute("select scorecard from runs where system = ? order by id", (system,)).fetchall()
        return tuple(from_json(text, str(self.path)) for (text,) in rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise LedgerError(
                f"the ledger {self.path} cannot be used ({error}): move it away or name another"
            ) from error
