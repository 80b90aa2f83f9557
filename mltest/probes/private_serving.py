"""What a server says and keeps of requests that carry canaries, and whether it forgets a subject when it is told to."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest import offers
from mltest.evidence import ReasonCode, Withheld
from mltest.offers.privacy import HOW_TO_ERASE
from mltest.probes.pipeline_requests import new_rows
from mltest.probes.row_digests import row_digests
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

Record = Mapping[str, Any]

_PATIENCE_S = 3.0
_SHORTEST_KEY = 8


@dataclass(frozen=True)
class ServedPrivately:
    """Requests of a planted subject and of others, the log of both, and what is left of the former once erased.

    `answers` and `metrics` are what the server said. `log` is empty where it keeps none. `kept` and `lost` count rows
    of the log: of the erased subject and still there, of others and gone; `left_in` are files that still name one of
    the subject's requests. `callers` are columns of the log that hold a network address.
    """

    answers: tuple[Record, ...]
    log: pa.Table
    metrics: str
    theirs: int
    kept: int
    lost: int
    left_in: tuple[str, ...]
    callers: tuple[str, ...]
    refused: int
    versions: frozenset[str]

    @property
    def keeps_log(self) -> bool:
        return bool(self.log.num_rows)


@dataclass(frozen=True)
class Asked:
    """Records of the planted subject, of others, and odd ones that a server may refuse in whatever way it does."""

    theirs: Sequence[Record]
    others: Sequence[Record]
    odd: Sequence[Record]
    subject: Any


def ask(handle: Any, asked: Asked, keys: Sequence[str], files: Callable[[], Mapping[str, bytes]]) -> ServedPrivately:
    """Sends everything, and asks for the subject to be forgotten. `files` gives what lies in the server's folder.

    Raises Withheld where the log does not hold what was asked, or where nobody can be forgotten.
    """
    first = _log(handle, 0)
    quiet = files()
    odd, refused = _odd_answers(handle, asked.odd)
    before = _log(handle, 0)
    answers = [*handle.predict(list(asked.theirs))]
    mine = _log(handle, before.num_rows + len(asked.theirs))
    answers += handle.predict(list(asked.others))
    log = _log(handle, mine.num_rows + len(asked.others) if mine.num_rows else 0)
    metrics = _metrics(handle)
    theirs, others = new_rows(before, mine), new_rows(mine, log)
    versions = frozenset(str(answer["version"]) for answer in answers if "version" in answer)
    if log.num_rows and (theirs.num_rows < len(asked.theirs) or others.num_rows < len(asked.others)):
        raise Withheld(
            f"the log holds {theirs.num_rows + others.num_rows} of {len(asked.theirs) + len(asked.others)} requests "
            "that were answered: let request_log() give every request as it was served",
            ReasonCode.STALE,
        )
    names = _named([*asked.theirs, *answers[: len(asked.theirs)], *theirs.to_pylist()], keys)
    loud = _naming(files(), names)
    if log.num_rows or loud:
        offers.require(handle, "erase", HOW_TO_ERASE)(asked.subject)
    left = _log(handle, 0)
    kept, lost = _difference(theirs, others, left, keys)
    still = _naming(files(), names)
    return ServedPrivately(
        answers=(*odd, *answers),
        log=log,
        metrics=metrics,
        theirs=len(asked.theirs),
        kept=kept,
        lost=lost,
        left_in=tuple(sorted(name for name in still if name not in _naming(quiet, names))),
        callers=_callers(log if log.num_rows else first),
        refused=refused,
        versions=versions,
    )


def _odd_answers(handle: Any, odd: Sequence[Record]) -> tuple[list[Record], int]:
    """Answers to odd records; a refusal is as good as an answer, and better than a record of what was refused."""
    answers: list[Record] = []
    refused = 0
    for record in odd:
        try:
            answers += handle.predict([record])
        except Exception:
            refused += 1
    return answers, refused


def _log(handle: Any, rows: int) -> pa.Table:
    """The log once it has so many rows, or as it is when patience ends."""
    deadline = time.monotonic() + _PATIENCE_S
    log = to_arrow(handle.request_log())
    while log.num_rows < rows and time.monotonic() < deadline:
        time.sleep(0.1)
        log = to_arrow(handle.request_log())
    return log


def _metrics(handle: Any) -> str:
    metrics = getattr(handle, "metrics", None)
    text = "" if metrics is None else metrics() if callable(metrics) else metrics
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _difference(theirs: pa.Table, others: pa.Table, left: pa.Table, keys: Sequence[str]) -> tuple[int, int]:
    """Rows of the subject still in the log, and rows of others that are gone; by keys where the log has any."""
    import pyarrow.types as pt

    if not theirs.num_rows and not others.num_rows:
        return 0, 0
    known = [name for name in keys if name in theirs.column_names and name in left.column_names]
    plain = [field.name for field in theirs.schema if field.name in left.column_names and not pt.is_nested(field.type)]
    names = known or plain
    remaining = row_digests(left, names)
    shared = np.isin(row_digests(theirs, names), row_digests(others, names))
    kept = np.isin(row_digests(theirs, names), remaining) & ~shared
    return int(kept.sum()), int((~np.isin(row_digests(others, names), remaining)).sum())


def _named(told: Sequence[Record], keys: Sequence[str]) -> tuple[bytes, ...]:
    """Keys in requests, answers and log as text, as far as they are long enough to be told from chance."""
    texts = dict.fromkeys(record[name] for record in told for name in keys if isinstance(record.get(name), str))
    return tuple(text.encode() for text in texts if len(text) >= _SHORTEST_KEY)


def _naming(files: Mapping[str, bytes], names: Sequence[bytes]) -> frozenset[str]:
    return frozenset(path for path, data in files.items() if any(name in data for name in names))


def _callers(log: pa.Table) -> tuple[str, ...]:
    """Columns that hold the address of whoever asked: here that is an address of this machine or its own network."""
    import pyarrow.types as pt

    found = []
    for name, column in zip(log.column_names, log.columns, strict=True):
        if pt.is_string(column.type):
            values = column.drop_null().unique().to_pylist()
            if values and all(_is_caller(value) for value in values):
                found.append(name)
    return tuple(found)


def _is_caller(text: str) -> bool:
    host, _, port = text.rpartition(":")
    for part in (text, host.strip("[]") if port.isdigit() else ""):
        try:
            address = ipaddress.ip_address(part)
        except ValueError:
            continue
        return address.is_loopback or address.is_private
    return False
