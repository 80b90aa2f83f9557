"""The year as a live stream: what clients would have asked and what feeds would have told, in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from reference_system import events, records, row_features
from reference_system.flight_request import FlightRequest
from reference_system.references import References

Window = tuple[datetime, datetime]
REQUEST_FIELDS = tuple(FlightRequest.model_fields)
LANDING_FIELDS = ("arr_time", "arr_delay", "air_time")


@dataclass(frozen=True)
class Event:
    """A raw row of `table` at the moment when it became known."""

    at: datetime
    table: str
    row: Mapping[str, Any]


def requests(raw: Mapping[str, pa.Table], window: Window) -> list[dict[str, Any]]:
    """The request of every flight that pushed back in the window (from inclusive to exclusive), as plain JSON data."""
    moments, _ = _instants(raw)
    chosen = _within(moments, window)
    identities = _identities(raw)
    ordered = sorted(chosen.tolist(), key=lambda index: (moments[index], identities[index]))
    return [_plain(row, REQUEST_FIELDS) for row in raw["flights"].take(pa.array(ordered, pa.int64())).to_pylist()]


def feed(raw: Mapping[str, pa.Table], window: Window) -> list[Event]:
    """Push-backs, landings and weather that became known in the window (from inclusive to exclusive), in order."""
    pushed_back, landed = _instants(raw)
    told: list[Event] = []
    fields = {"push-back": REQUEST_FIELDS, "landing": (*REQUEST_FIELDS, *LANDING_FIELDS)}
    for kind, moments in (("push-back", pushed_back), ("landing", landed)):
        chosen = _within(moments, window)
        rows = raw["flights"].take(pa.array(chosen)).to_pylist()
        told += [
            Event(datetime.fromtimestamp(moments[index], UTC), "flights", _plain(row, fields[kind]))
            for index, row in zip(chosen.tolist(), rows, strict=True)
        ]
    return sorted([*told, *_weather(raw["weather"], window)], key=lambda event: event.at)


def _weather(weather: pa.Table, window: Window) -> list[Event]:
    moments = events.weather_events(weather)["available_at"].to_numpy().astype(np.float64)
    chosen = _within(moments, window)
    return [
        Event(datetime.fromtimestamp(moments[index], UTC), "weather", _plain(row, tuple(row)))
        for index, row in zip(chosen.tolist(), weather.take(pa.array(chosen)).to_pylist(), strict=True)
    ]


def _instants(raw: Mapping[str, pa.Table]) -> tuple[np.ndarray, np.ndarray]:
    known = row_features.facts(records.columns_of(raw["flights"]), References.from_raw(raw))
    return known["pushed_back_at"].astype(np.float64), known["landed_at"].astype(np.float64)


def _identities(raw: Mapping[str, pa.Table]) -> list[str]:
    found: list[str] = row_features.flight_ids(records.columns_of(raw["flights"])).tolist()
    return found


def _within(moments: np.ndarray, window: Window) -> np.ndarray:
    begin, end = (events.seconds(edge) for edge in window)
    return np.flatnonzero((moments >= begin) & (moments < end))


def _plain(row: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    values = {name: row[name] for name in fields if name in row}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}
