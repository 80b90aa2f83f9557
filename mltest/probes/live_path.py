"""Raw events through a real server: alone and in batches, in order of time, and what its log says that it served."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltest.evidence import PartFailure
from mltest.system import Window

if TYPE_CHECKING:
    import pyarrow as pa

Record = Mapping[str, Any]

SINGLES, BATCH = 6, 14
"""After so many requests of one record each comes one request with a batch: 3 of 10 records travel alone."""

_PATIENCE_S = 3.0
_MOST_CONTROLS = 16


@dataclass(frozen=True)
class Served:
    """What came back: answers in the order of the records, and the log of the same requests.

    `alone` says for each record whether it was a request of its own. `controls` is the log after some records were
    sent once more with one field of another record, `accepted` how many of those the server took.
    """

    answers: tuple[Record, ...] = field(repr=False)
    alone: tuple[bool, ...] = field(repr=False)
    log: pa.Table = field(repr=False)
    controls: pa.Table = field(repr=False)
    accepted: int


def serve(serving: Any, workdir: Path, window: Window, records: Sequence[Record]) -> Served:
    """Starts a server that knows what was known when the window begins, and asks it all records.

    Raises PartFailure when the server fails, so that its errors are never read as a verdict.
    """
    folder = Path(tempfile.mkdtemp(prefix="skew-", dir=_folder(workdir)))
    with serving.start(folder, as_of=window[0]) as handle:
        try:
            answers, alone = _asked(handle, records)
            log = _complete_log(handle, len(answers))
            accepted = _ask_otherwise(handle, records)
            controls = _complete_log(handle, len(answers) + accepted) if accepted else log
        except Exception as error:
            said = " ".join(str(error).split())[:500]
            raise PartFailure(f"the part `serving` raised {type(error).__name__} in a request: {said}") from error
    return Served(tuple(answers), tuple(alone), log, controls, accepted)


def _asked(handle: Any, records: Sequence[Record]) -> tuple[list[Record], list[bool]]:
    answers: list[Record] = []
    alone: list[bool] = []
    for request in _requests(records):
        given = handle.predict(request)
        if len(given) != len(request):
            raise ValueError(f"{len(given)} answers to {len(request)} records: give one answer a record")
        answers += given
        alone += [len(request) == 1] * len(request)
    return answers, alone


def _requests(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    place = 0
    while place < len(records):
        for _ in range(min(SINGLES, len(records) - place)):
            yield records[place : place + 1]
            place += 1
        if place < len(records):
            yield records[place : place + BATCH]
            place += BATCH


def _complete_log(handle: Any, rows: int) -> pa.Table:
    """The log once it has so many rows, or as it is when patience ends: servers may write it later."""
    deadline = time.monotonic() + _PATIENCE_S
    log: pa.Table = handle.request_log()
    while log.num_rows < rows and time.monotonic() < deadline:
        time.sleep(0.1)
        log = handle.request_log()
    return log


def _ask_otherwise(handle: Any, records: Sequence[Record]) -> int:
    """How many of some records with one field of another record the server takes; it may refuse any of them."""
    accepted = 0
    for record in _altered(records):
        try:
            handle.predict([record])
        except Exception:  # noqa: S112 - a server may refuse a mixed record in whatever way it refuses
            continue
        accepted += 1
    return accepted


def _altered(records: Sequence[Record]) -> list[Record]:
    changed: list[Record] = []
    last = records[-1]
    for name, value in last.items():
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            others = (r[name] for r in reversed(records) if type(r.get(name)) is type(value) and r[name] != value)
            other = next(others, None)
            if other is not None:
                changed.append({**last, name: other})
    return changed[:_MOST_CONTROLS]


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
