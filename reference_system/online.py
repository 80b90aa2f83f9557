"""The serving path: features of one flight from events in memory, following the same declarations as ``offline``."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from reference_system import events, history, offline, records, row_features
from reference_system.catalogue import FEATURES
from reference_system.declarations import BASELINES, EVENTS, WINDOW_FEATURES, LastEvents, WindowFeature
from reference_system.flights import Columns
from reference_system.lanes import declared_lanes, in_order
from reference_system.raw import RawTables
from reference_system.records import Row
from reference_system.references import References

FeatureValue = float | str | None


class OnlineStore:
    """Everything known up to a moment, kept current by ``observe``; answers as of any moment it has seen."""

    def __init__(self, raw: RawTables, now: datetime) -> None:
        """Start with the history of ``raw`` up to ``now`` (aware); its timetable and reference tables are kept whole.

        Raises:
            ValueError: ``now`` has no time zone.
        """
        self._references = References.from_raw(raw)
        self._lanes = {(lane.events, lane.keys): lane for lane in declared_lanes()}
        self._pushed_back: dict[str, int] = {}
        self._scheduled: set[str] = set()
        self._landed: set[str] = set()
        self._reports: set[tuple[object, object]] = set()
        self._fill(history.known_at(raw, now))

    def observe(self, table: str, rows: Iterable[Row]) -> None:
        """Take in raw rows of ``flights`` or ``weather`` as they become known.

        A flight may be sent whenever more is known of it: in the timetable, at push-back, after landing. What was
        already taken in is passed over, so sending a row twice changes nothing. A report of weather counts from
        the end of its hour, however early it is sent. Landings are expected in order of time: one reported late counts
        from then on, but leaves the deviations that were measured without it as they are.

        Raises:
            ValueError: ``table`` is neither ``flights`` nor ``weather``.
        """
        takers = {"flights": self._observe_flights, "weather": self._observe_weather}
        if table not in takers:
            raise ValueError(f"events of table {table!r} are not known here; send flights or weather")
        if rows := list(rows):
            takers[table](rows)

    def features(self, flight: Row, at: datetime | None = None) -> dict[str, FeatureValue]:
        """Model inputs of one raw flight record by name, None for unknown numbers.

        ``at`` is the moment of prediction, by default the push-back that the record's ``dep_delay`` gives.
        """
        return {name: values[0] for name, values in self.columns([flight], at).items()}

    def columns(
        self, flights: Sequence[Row], at: datetime | None = None, names: Collection[str] | None = None
    ) -> dict[str, list[FeatureValue]]:
        """As ``features`` for many records: each input with one value per record, in their order.

        With ``names`` only those inputs, and nothing is looked up that none of them is made from.
        """
        known = row_features.facts(records.columns_of_records(flights), self._references)
        moments = known["pushed_back_at"].tolist() if at is None else [events.seconds(at)] * len(flights)
        chosen = row_features.INPUTS if names is None else names
        read = row_features.windows_read(chosen)
        declared = [feature for feature in WINDOW_FEATURES if feature.name in read]
        keys = {key for feature in declared for key in feature.keys}
        rows = _rows(known, keys) if declared else []
        values = {
            feature.name: np.array(
                [self._value(feature, row, moment) for row, moment in zip(rows, moments, strict=True)]
            )
            for feature in declared
        }
        inputs = row_features.inputs(known, values, chosen)
        return {feature.name: _plain(inputs[feature.name].tolist()) for feature in FEATURES if feature.name in inputs}

    def _value(self, feature: WindowFeature, row: Row, moment: float) -> float:
        empty = 0.0 if feature.statistic == "count" else math.nan
        lane = self._lanes[feature.events, feature.keys]
        log = lane.logs.get(lane.key_of(row))
        if log is None or math.isnan(moment):
            return empty
        if isinstance(feature.window, LastEvents):
            return log.last_events(feature, feature.window, int(moment))
        return log.span(feature, feature.window, int(moment), self._pushed_back)

    def _fill(self, raw: RawTables) -> None:
        known = row_features.facts(records.columns_of(raw["flights"]), self._references)
        happened = {
            "flights": offline.with_baselines(events.flight_events(known)),
            "weather": events.weather_events(raw["weather"]),
        }
        ordered = {kind: in_order(happened[EVENTS[kind].table], EVENTS[kind]) for kind, _ in self._lanes}
        for lane in self._lanes.values():
            lane.fill(ordered[lane.events])
        self._scheduled = set(known["flight_id"].tolist())
        departed = np.isfinite(known["pushed_back_at"].astype(np.float64))
        moments = known["pushed_back_at"][departed].astype(np.int64).tolist()
        self._pushed_back = dict(zip(known["flight_id"][departed].tolist(), moments, strict=True))
        self._landed = set(known["flight_id"][np.isfinite(known["landed_at"].astype(np.float64))].tolist())
        reports = happened["weather"]
        self._reports = set(zip(reports["origin"].to_pylist(), reports["flight_id"].to_pylist(), strict=True))

    def _observe_flights(self, rows: Sequence[Row]) -> None:
        known = row_features.facts(records.columns_of_records(rows), self._references)
        facts = _rows(known, known)
        # A landing may be the baseline of a later push-back in the same call, never of an earlier one.
        for row in sorted(facts, key=lambda row: (math.isnan(row["landed_at"]), row["landed_at"], row["flight_id"])):
            identity = str(row["flight_id"])
            if identity not in self._scheduled:
                self._scheduled.add(identity)
                self._insert("timetable", row, row)
            if identity not in self._pushed_back and not math.isnan(row["pushed_back_at"]):
                self._pushed_back[identity] = int(row["pushed_back_at"])
                self._insert("departures", row, row)
            if identity not in self._landed and not math.isnan(row["landed_at"]):
                self._landed.add(identity)
                self._insert("landings", row, self._with_baselines(row))

    def _with_baselines(self, row: Row) -> Row:
        moment = row["pushed_back_at"]
        baselines = {feature.name: self._value(feature, row, moment) for feature in BASELINES}
        less = {
            str(feature.event_value): row[feature.value] - baselines[feature.value_minus]
            for feature in WINDOW_FEATURES
            if feature.value is not None and feature.value_minus is not None
        }
        return {**row, **less}

    def _observe_weather(self, rows: Sequence[Row]) -> None:
        for row in events.weather_events(records.weather_table(rows)).to_pylist():
            identity = (row["origin"], row["flight_id"])
            if identity not in self._reports:
                self._reports.add(identity)
                known = {name: math.nan if value is None else value for name, value in row.items()}
                self._insert("weather", row, known)

    def _insert(self, kind: str, row: Row, values: Row) -> None:
        for lane in self._lanes.values():
            if lane.events == kind:
                time = int(row[lane.kind.time])
                lane.insert(row, time, {name: values[name] for name in lane.columns})


def _rows(columns: Columns, names: Iterable[str]) -> list[dict[str, Any]]:
    """Columns as one dictionary per row, of Python values."""
    chosen = {name: columns[name].tolist() for name in names}
    return [dict(zip(chosen, values, strict=True)) for values in zip(*chosen.values(), strict=True)]


def _plain(values: list[Any]) -> list[FeatureValue]:
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]
