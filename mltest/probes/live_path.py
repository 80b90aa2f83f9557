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

SINGLES, BATCH, CROWD = 6, 14, 200
"""After so many requests of one record each comes one request with a batch; one batch of all is a crowd, in the middle.

At least a quarter of the records travel alone.
"""

_PATIENCE_S = 3.0
_MOST_CONTROLS = 16
_REFUSED_AT_FIRST = 10
"""So many records that are refused before any is answered mean that the server does not work at all."""


@dataclass(frozen=True)
class Served:
    """What came back: an answer for each record, None where it was refused, and the log of the same requests.

    `sizes` says for each record how many the request held in which it was answered or refused, `refusals` the error by
    the place of the record. `controls` is the log after some records were sent once more with one field of another
    record, `altered` those of them that the server took.
    """

    answers: tuple[Record | None, ...] = field(repr=False)
    sizes: tuple[int, ...] = field(repr=False)
    refusals: Mapping[int, str] = field(repr=False)
    log: pa.Table = field(repr=False)
    controls: pa.Table = field(repr=False)
    altered: tuple[Record, ...] = field(repr=False)

    @property
    def answered(self) -> list[Record]:
        """The answers that were given."""
        return [answer for answer in self.answers if answer is not None]


@dataclass(frozen=True)
class _Reply:
    answer: Record | None
    size: int
    error: str = ""


def serve(serving: Any, workdir: Path, window: Window, records: Sequence[Record]) -> Served:
    """Starts a server that knows what was known when the window begins, and asks it all records.

    A record that a living server refuses twice, alone, is a refusal. Raises PartFailure when the server itself fails,
    so that its errors are never read as a verdict.
    """
    folder = Path(tempfile.mkdtemp(prefix="skew-", dir=_folder(workdir)))
    with serving.start(folder, as_of=window[0]) as handle:
        try:
            replies = _Asking(handle).all(records)
            known = [record for record, reply in zip(records, replies, strict=True) if reply.answer is not None]
            log = _complete_log(handle, len(known))
            altered = _taken(handle, _altered(known))
            controls = _complete_log(handle, len(known) + len(altered)) if altered else log
        except Exception as error:
            said = " ".join(str(error).split())[:500]
            raise PartFailure(f"the part `serving` raised {type(error).__name__} in a request: {said}") from error
    return Served(
        answers=tuple(reply.answer for reply in replies),
        sizes=tuple(reply.size for reply in replies),
        refusals={place: reply.error for place, reply in enumerate(replies) if reply.answer is None},
        log=log,
        controls=controls,
        altered=tuple(altered),
    )


class _Asking:
    """Asks one server, and tells a record that it refuses from a server that is gone."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._answered: Record | None = None
        self._refused = 0
        self._error: Exception | None = None

    def all(self, records: Sequence[Record]) -> list[_Reply]:
        """One reply a record, in their order."""
        replies = [reply for request in requests(records) for reply in self._replies(request)]
        if self._error is not None and self._answered is None:
            raise self._error
        return replies

    def _replies(self, request: Sequence[Record]) -> list[_Reply]:
        try:
            given = self._handle.predict(request)
        except Exception as error:
            self._require_life(error)
            return self._in_parts(request, error)
        if len(given) != len(request):
            raise ValueError(f"{len(given)} answers to {len(request)} records: give one answer a record")
        self._answered = request[-1]
        return [_Reply(answer, len(request)) for answer in given]

    def _in_parts(self, request: Sequence[Record], error: Exception) -> list[_Reply]:
        """A request that is refused may be too long, or hold a record that is refused."""
        if len(request) > 1:
            half = len(request) // 2
            return [*self._replies(request[:half]), *self._replies(request[half:])]
        try:
            (answer,) = self._handle.predict(request)
        except Exception:
            self._refused, self._error = self._refused + 1, error
            return [_Reply(None, 1, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")]
        self._answered = request[0]
        return [_Reply(answer, 1)]

    def _require_life(self, error: Exception) -> None:
        """Raises the error unless the server still answers what it has answered before."""
        if self._answered is not None:
            self._handle.predict([self._answered])
        elif self._refused >= _REFUSED_AT_FIRST:
            raise error


def requests(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The records in their order: some alone, then a batch, and so on; in the middle one request of many."""
    place, crowd = 0, min(CROWD, len(records) // 4)
    begin = (len(records) - crowd) // 2
    while place < len(records):
        for _ in range(min(SINGLES, len(records) - place)):
            yield records[place : place + 1]
            place += 1
        if place < len(records):
            size = crowd if begin <= place and crowd > BATCH else BATCH
            crowd = 0 if size == crowd else crowd
            yield records[place : place + size]
            place += size


def _complete_log(handle: Any, rows: int) -> pa.Table:
    """The log once it has so many rows, or as it is when patience ends: servers may write it later."""
    deadline = time.monotonic() + _PATIENCE_S
    log: pa.Table = handle.request_log()
    while log.num_rows < rows and time.monotonic() < deadline:
        time.sleep(0.1)
        log = handle.request_log()
    return log


def _taken(handle: Any, records: Sequence[Record]) -> list[Record]:
    """Those of the records that the server takes; it may refuse any of them."""
    taken = []
    for record in records:
        try:
            handle.predict([record])
        except Exception:  # noqa: S112 - a server may refuse a mixed record in whatever way it refuses
            continue
        taken.append(record)
    return taken


def _altered(records: Sequence[Record]) -> list[Record]:
    """The last record several times, each time with one field of another record."""
    changed: list[Record] = []
    if not records:
        return changed
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
