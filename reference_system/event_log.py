"""Events of one key in order of time, in memory, answering the declared statistics as of any moment."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

import numpy as np

from reference_system.declarations import LastEvents, Span, WindowFeature

SECONDS_PER_MINUTE = 60.0


class EventLog:
    """Events of one key: times (seconds since 1970), ids and the values that features read, NaN where null.

    Equal times are ordered by id, as in the offline join.
    """

    __slots__ = ("ids", "times", "values")

    def __init__(self, times: Iterable[int], ids: Iterable[str], values: Mapping[str, Iterable[float]]) -> None:
        """Take over events that are already in order."""
        self.times = _array("q", times)
        self.ids = list(ids)
        self.values = {name: _array("d", column) for name, column in values.items()}

    def insert(self, time: int, event_id: str, values: Mapping[str, float]) -> None:
        """Add one event, wherever in time it belongs."""
        position = bisect_right(self.times, time)
        while position and self.times[position - 1] == time and self.ids[position - 1] > event_id:
            position -= 1
        self.times.insert(position, time)
        self.ids.insert(position, event_id)
        for name, column in self.values.items():
            column.insert(position, values[name])

    def last_events(self, feature: WindowFeature, window: LastEvents, moment: int) -> float:
        """The feature's statistic over its last events strictly before ``moment``; NaN without any."""
        latest = bisect_left(self.times, moment) - 1
        values = None if feature.event_value is None else self.values[feature.event_value]
        if values is not None and not feature.keeps_null:
            while latest >= 0 and math.isnan(values[latest]):
                latest -= 1
        if latest < 0 or (window.within is not None and moment - self.times[latest] > window.within):
            return math.nan
        if feature.statistic == "age" or values is None:
            return (moment - self.times[latest]) / SECONDS_PER_MINUTE
        if feature.statistic == "last":
            return values[latest]
        known = _last_known(values, latest, window.count)
        return median(known) if feature.statistic == "median" else sum(known) / len(known)

    def span(self, feature: WindowFeature, window: Span, moment: int, settled: Mapping[str, int]) -> float:
        """The feature's statistic over the events of its span; a count of none is 0, a mean of none NaN.

        ``settled`` tells when an event stopped pending.
        """
        start = bisect_left(self.times, moment - window.before)
        until = bisect_left(self.times, moment + window.after)
        if feature.pending_until:
            return float(sum(settled.get(event_id, moment) >= moment for event_id in self.ids[start:until]))
        if feature.event_value is None:
            return float(until - start)
        known = _without_null(self.values[feature.event_value][start:until])
        return sum(known) / len(known) if known else math.nan


def _without_null(values: array[float]) -> array[float]:
    # One addition tells whether any is NaN, so that the usual case copies nothing.
    return array("d", (value for value in values if not math.isnan(value))) if math.isnan(sum(values)) else values


def _last_known(values: array[float], latest: int, count: int) -> array[float]:
    known = _without_null(values[max(0, latest + 1 - count) : latest + 1])
    # Nulls among the last few are rare: look further back only then.
    earlier = latest - count
    while len(known) < count and earlier >= 0:
        if not math.isnan(values[earlier]):
            known.append(values[earlier])
        earlier -= 1
    return known


def _array(kind: str, values: Iterable[float]) -> array[Any]:
    """An array that grows, of the values; from a numpy array at once, since a history has millions of them."""
    if isinstance(values, np.ndarray):
        found: array[Any] = array(kind)
        found.frombytes(np.ascontiguousarray(values, dtype=kind).tobytes())
        return found
    return array(kind, values)
