"""When to look at the two paths: stretches of time with enough rows, around a change of clocks where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from mltest.system import Window

Moments = npt.NDArray[np.datetime64]

COMMON_ZONES = ("America/New_York", "Europe/Berlin")
"""Whose clock changes are looked for when the column of moments names no zone: those of most of America and Europe."""

_BEFORE = 1 / 3
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Stretch:
    """A window with rows in it, and the change of clocks inside it: the instant and the zone, if there is one."""

    window: Window
    change: datetime | None = None
    zone: str | None = None


def moments_of(column: Any) -> Moments:
    """The known instants of an Arrow column of dates or timestamps, ascending; a time without a zone counts as UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    instants = pc.cast(column.drop_null(), pa.timestamp("us"), safe=False)
    return np.sort(np.asarray(instants.to_numpy(), dtype="datetime64[us]"))


def stretches(splits: list[Moments], rows: int, most: int, zone: str | None = None) -> tuple[Stretch, ...]:
    """Up to `most` disjoint stretches with about `rows` rows each, in order of preference.

    `splits` are ascending moments, the ones that matter most first. A change of clocks in the first split comes first,
    then its end, then every other change of clocks with rows on both sides, the end of each split, and places spread
    evenly over all of them.
    """
    zones = (zone,) if zone and _is_region(zone) else COMMON_ZONES
    found: list[Stretch] = []
    changes = [
        [_around(moments, rows, change, name) for change, name in _changes(moments, zones)] for moments in splits
    ]
    first = [*changes[0][:1], _ending(splits[0], rows, 1.0)] if splits else []
    places = [*first, *(place for each in changes for place in each)]
    places += [_ending(moments, rows, 1.0) for moments in splits]
    places += [_ending(moments, rows, share) for share in (0.5, 0.2, 0.8, 0.35, 0.65) for moments in splits]
    for place in places:
        if place is not None and len(found) < most and not any(_overlap(place, other) for other in found):
            found.append(place)
    return tuple(found)


def _changes(moments: Moments, zones: tuple[str, ...]) -> list[tuple[datetime, str]]:
    """Instants between the first and the last moment at which the clocks of a zone are changed."""
    if len(moments) == 0:
        return []
    found: dict[datetime, str] = {}
    for zone in zones:
        place, hour = ZoneInfo(zone), timedelta(hours=1)
        day, last = _aware(moments[0]).replace(minute=0, second=0, microsecond=0), _aware(moments[-1])
        while day < last:
            following = day + timedelta(days=1)
            if day.astimezone(place).utcoffset() != following.astimezone(place).utcoffset():
                change = next(
                    day + n * hour
                    for n in range(1, 25)
                    if (day + n * hour).astimezone(place).utcoffset() != day.astimezone(place).utcoffset()
                )
                found.setdefault(change, zone)
            day = following
    return list(found.items())


def _around(moments: Moments, rows: int, change: datetime, zone: str) -> Stretch | None:
    position = int(np.searchsorted(moments, np.datetime64(change.astimezone(UTC).replace(tzinfo=None), "us")))
    if not 0 < position < len(moments):
        return None
    first = max(0, min(position - int(rows * _BEFORE), len(moments) - rows))
    return Stretch(_window(moments, first, rows), change, zone)


def _ending(moments: Moments, rows: int, share: float) -> Stretch | None:
    if len(moments) == 0:
        return None
    return Stretch(_window(moments, max(0, int(len(moments) * share) - rows), rows))


def _window(moments: Moments, first: int, rows: int) -> Window:
    last = min(first + rows, len(moments)) - 1
    return _aware(moments[first]).replace(microsecond=0), _aware(moments[last]).replace(microsecond=0) + _SECOND


def _aware(moment: np.datetime64) -> datetime:
    plain: datetime = moment.astype("datetime64[us]").item()
    return plain.replace(tzinfo=UTC)


def _overlap(first: Stretch, second: Stretch) -> bool:
    return first.window[0] < second.window[1] and second.window[0] < first.window[1]


def _is_region(zone: str) -> bool:
    if zone.upper() == "UTC":
        return False
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
