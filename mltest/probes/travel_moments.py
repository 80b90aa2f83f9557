"""Moments to travel to: each lies just after the moment of a row, at busy and at awkward times of the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mltest.evidence import ReasonCode, Withheld
from mltest.system import Effort, Window

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 200
"""Rows judged before each moment; what has to become known within the hour decides, so the nearest count most."""

FEWEST_ROWS = 100
"""Rows of the data set below which no moment has a past and a future worth the name."""

MOMENTS: Mapping[Effort, int] = {"quick": 4, "standard": 8, "thorough": 16}
MOST = 6
"""Times as many moments are gone to where few outcomes are open at each."""

Instants = npt.NDArray[np.int64]

_SECOND, _HOUR, _DAY = 1_000_000, 3_600_000_000, 86_400_000_000
_MARGIN = 0.05
"""Share of the rows that every moment leaves before it and after it."""


@dataclass(frozen=True)
class Moment:
    """A moment and the rows to judge at it: those whose moment of prediction lies in the window that it ends."""

    why: str
    window: Window

    @property
    def at(self) -> datetime:
        return self.window[1]

    @property
    def name(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} ({self.why})"


def choose(instants: Instants, learned_until: int | None, effort: Effort, seed: int) -> tuple[Moment, ...]:
    """Moments over rows with these instants (microseconds since 1970), the telling ones first, at most `MOST` times
    those of the effort level; the first ones are the same at every level.

    `learned_until` is the instant of the newest training row. Raises Withheld for too few rows or instants.
    """
    ordered = np.sort(instants)
    if len(ordered) < FEWEST_ROWS or ordered[0] == ordered[-1]:
        raise Withheld(
            f"{len(ordered)} rows with a moment of prediction, {FEWEST_ROWS} at different times are needed to travel "
            "in time: offer more rows",
            ReasonCode.TOO_LITTLE_DATA,
        )
    found: dict[int, Moment] = {}
    for why, position in _positions(ordered, learned_until, seed):
        end = int(ordered[position])
        if end in found:
            continue
        begin = int(ordered[max(0, position - ROWS + 1)])
        found[end] = Moment(why, (_instant(begin), _instant(end) + timedelta(seconds=1)))
        if len(found) == MOST * MOMENTS[effort]:
            break
    return tuple(found.values())


def microseconds(column: pa.ChunkedArray) -> Instants:
    """Instants or days as microseconds since 1970, those without a zone taken for UTC; missing ones are left out.

    Raises Withheld for a column that holds neither.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if not (pt.is_timestamp(column.type) or pt.is_date(column.type)):
        raise Withheld(
            f"the moment of prediction is {column.type}, which is no time: name a column of instants as roles.time",
            ReasonCode.PART_MISSING,
        )
    kind = pa.timestamp("us", column.type.tz) if pt.is_timestamp(column.type) else pa.timestamp("us")
    return np.asarray(pc.cast(pc.cast(column, kind, safe=False), pa.int64()).drop_null().to_numpy())


def _positions(ordered: Instants, learned_until: int | None, seed: int) -> Iterator[tuple[str, int]]:
    """Positions of rows among those in order of time, the telling ones first."""
    last = len(ordered) - 1
    low, high = int(_MARGIN * last) + 1, int((1 - _MARGIN) * last)
    inner = np.arange(low, high)
    instants = ordered[inner]
    _, first, counts = np.unique(instants // _HOUR, return_index=True, return_counts=True)
    busiest = int(np.argmax(counts))
    yield "the end of the busiest hour", int(inner[first[busiest] + counts[busiest] - 1])
    yield "just before midnight", int(inner[np.argmax(instants % _DAY)])
    if learned_until is not None:
        yield (
            "the end of the training rows",
            int(np.clip(np.searchsorted(ordered, learned_until, "right") - 1, low, high)),
        )
    gaps = np.diff(instants)
    yield "after the longest gap", min(int(inner[np.argmax(gaps)]) + 5, high)
    random = np.random.default_rng(seed)
    for position in random.permutation(inner).tolist()[: 2 * MOST * max(MOMENTS.values())]:
        yield "any time", int(position)


def _instant(microsecond: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microsecond)
