"""The requests that lookups are timed on, and whether what is looked up is what the batch path knows.

A lookup that gives made-up values fast would show nothing about the features that are served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mltest import offers, tables
from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.lookups import HOW_TO_OFFER, Lookup
from mltest.probes.feature_encoding import is_category, numbers, words
from mltest.probes.judged_rows import JudgedRows
from mltest.system import Effort, Split, System

HISTORY: Mapping[Effort, float] = {"quick": 1 / 6, "standard": 1 / 2, "thorough": 1.0}
"""Share of the time between the first and the last known row that a lookup knows when it is timed."""

ENOUGH = 6_000
FEWEST = 300
"""Requests: as many as are wanted, and with fewer than these nothing is timed."""

COMPARED = 256
AS_IN_BATCH = 0.9
"""Share of the values looked up that must occur in the batch path's rows of the same time."""

_SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")


@dataclass(frozen=True)
class Requests:
    """A lookup that knows the past, requests of its last days, and the raw tables that it was built from.

    `endless` hands out the records in turn, to whoever asks.
    """

    lookup: Lookup = field(repr=False)
    records: Sequence[Mapping[str, Any]] = field(repr=False)
    raw: Mapping[str, pa.Table] = field(repr=False)
    as_of: datetime
    window: tuple[datetime, datetime]
    endless: Iterator[Mapping[str, Any]] = field(repr=False)

    def fresh(self, size: int) -> Iterator[list[Mapping[str, Any]]]:
        """Batches of `size` records; none is handed out twice before all were, to whichever caller."""
        while True:
            yield list(islice(self.endless, size))

    @property
    def raw_bytes(self) -> int:
        return sum(table.nbytes for table in self.raw.values())


@dataclass(frozen=True)
class Material:
    """What a lookup is built from: raw tables as they stood at a moment, and the batch path's rows before it."""

    raw: Mapping[str, pa.Table] = field(repr=False)
    batch: pa.Table = field(repr=False)
    moments: npt.NDArray[np.float64] = field(repr=False)
    """Seconds since 1970 of every row of `batch`, which is in that order; shape (rows,)."""
    begin: datetime
    as_of: datetime


def material(system: System, rows: JudgedRows, effort: Effort) -> Material:
    """Chooses the moment and reads the raw tables. Raises Withheld where rows carry no instant, or too few."""
    data: Any = system.data
    time = rows.roles.time
    if time is None or not pa.types.is_timestamp(rows.holdout.column(time).type):
        raise Withheld(
            "no column of the rows is an instant, so no moment of a request is known: name one as time in the roles",
            ReasonCode.PART_MISSING,
        )
    table = pa.concat_tables(_split_rows(data, rows), promote_options="permissive")
    table = table.filter(pc.is_valid(table.column(time)))
    seconds = pc.cast(table.column(time), pa.timestamp("us", _zone(table, time))).cast(pa.int64()).to_numpy() / 1e6
    order = np.argsort(seconds, kind="stable")
    moments = seconds[order]
    until = moments[0] + HISTORY[effort] * (moments[-1] - moments[0]) + 1.0
    known = int(np.searchsorted(moments, until))
    if known < FEWEST:
        raise Withheld(
            f"{known} rows precede the moment that lookups are timed at, {FEWEST} are needed: more rows, or "
            "--ml-score-effort thorough, which knows them all",
            ReasonCode.TOO_LITTLE_DATA,
        )
    begin, as_of = (datetime.fromtimestamp(moment, UTC) for moment in (moments[0], until))
    raw = {name: tables.to_arrow(found) for name, found in data.raw((begin, as_of)).items()}
    if not raw or not any(found.num_rows for found in raw.values()):
        raise Withheld("the raw tables are empty: nothing can be looked up in them", ReasonCode.TOO_LITTLE_DATA)
    return Material(raw, table.take(pa.array(order[:known])), moments[:known], begin, as_of)


def requests(lookup: Lookup, source: Material) -> Requests:
    """Requests of the last days before the moment. Raises Withheld with too few of them."""
    first = max(0, len(source.moments) - ENOUGH)
    begin = datetime.fromtimestamp(float(source.moments[first]), UTC) - timedelta(seconds=1)
    with speaking_for("records"):
        records = list(lookup.records(source.raw, (begin, source.as_of)))
    if len(records) < FEWEST:
        raise Withheld(
            f"the lookup makes {len(records)} requests of a window that has {len(source.moments) - first} rows, "
            f"{FEWEST} are needed",
            ReasonCode.TOO_LITTLE_DATA,
        )
    return Requests(lookup, records, source.raw, source.as_of, (begin, source.as_of), cycle(records))


def online_of(features: Any, source: Material) -> Lookup:
    """The lookup of a features part. Raises Withheld where the part has none."""
    online = offers.require(features, "online", HOW_TO_OFFER)
    lookup: Lookup = online(source.raw, source.as_of)
    return lookup


def looked_up(asked: Requests, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    """What the lookup answers; its columns must be the named ones. Raises Withheld where they are not."""
    with speaking_for("values"):
        given = asked.lookup.values(records, names)
        table = pa.table(dict(given)) if isinstance(given, Mapping) else tables.to_arrow(given)
    if set(table.column_names) != set(names) or (names and table.num_rows != len(records)):
        raise Withheld(
            f"values(records, names) answers {len(records)} records and {len(names)} names with {table.num_rows} rows "
            f"and the columns {', '.join(table.column_names[:5]) or 'none'}: one row a record and no other column"
        )
    return table


def require_served(asked: Requests, source: Material, inputs: Sequence[str]) -> None:
    """Raises Withheld for an input whose looked-up values are all missing, or are not the batch path's."""
    records = asked.records[:: max(1, len(asked.records) // COMPARED)][:COMPARED]
    table = looked_up(asked, records, inputs)
    inside = source.moments >= asked.window[0].timestamp()
    batch = source.batch.filter(pa.array(inside))
    for name in inputs:
        found, known = table.column(name), batch.column(name)
        share = _share_known(found, known)
        if found.null_count == len(found) or share < AS_IN_BATCH:
            raise Withheld(
                f"{share:.0%} of the looked-up values of {name} occur in the batch path's rows of the same time, "
                f"{AS_IN_BATCH:.0%} are needed: offer the lookup that serves, whose values are those learned from"
            )
        if pc.count_distinct(found).as_py() == 1 and pc.count_distinct(known).as_py() > COMPARED // 8:
            raise Withheld(
                f"every looked-up value of {name} is the same, the batch path has many: offer the lookup that serves"
            )


@contextmanager
def speaking_for(what: str) -> Iterator[None]:
    """What a lookup raises is an error of the part, never a verdict."""
    try:
        yield
    except (Withheld, PartFailure):
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:400]
        raise PartFailure(
            f"the part `features` raised {type(error).__name__} in {what} of its lookup: {text}"
        ) from error


def _split_rows(data: Any, rows: JudgedRows) -> list[pa.Table]:
    wanted = [*rows.inputs, *([rows.roles.time] if rows.roles.time else [])]
    found = {"train": rows.train, "holdout": rows.holdout}
    for split in _SPLITS:
        if split not in found:
            try:
                found[split] = tables.to_arrow(data.dataset(split))
            except (KeyError, Withheld):
                continue
    return [table.select(list(dict.fromkeys(wanted))) for table in found.values()]


def _zone(table: pa.Table, time: str) -> str:
    return str(table.column(time).type.tz or "UTC")


def _share_known(found: pa.ChunkedArray, known: pa.ChunkedArray) -> float:
    """Share of the values of `found` that are values of `known`; missing is a value here."""
    if is_category(known) or is_category(found):
        return float(pc.mean(pc.is_in(words(found), words(known).combine_chunks()).cast(pa.float64())).as_py() or 0.0)
    here, there = numbers(found), numbers(known)
    values = np.unique(there[np.isfinite(there)])
    missing = np.isnan(here)
    if values.size == 0:
        return float(missing.mean())
    place = np.searchsorted(values, here).clip(0, values.size - 1)
    gap = np.minimum(np.abs(values[place] - here), np.abs(values[(place - 1).clip(0)] - here))
    right = gap <= 1e-6 + 1e-5 * np.abs(here)
    return float(np.where(missing, np.isnan(there).any(), right).mean())
