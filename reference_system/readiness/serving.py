"""The live path: a server process that hears the world up to the moment of each request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.offers.service_level import ServiceLevel
from reference_system import features, flights, records, replay, serving
from reference_system.readiness.place import Workplace
from reference_system.runtime import Predictor

FED_AHEAD = timedelta(days=2)


class EtaServing:
    """A server process of one's own, on this machine."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[LiveHandle]:
        """Starts with everything known before `as_of` (default: when the holdout begins) and hears the rest live."""
        if version is None:
            self._place.champion()
        first = features.SPLITS["holdout"][0]
        begin = as_of or datetime(first.year, first.month, first.day, tzinfo=UTC)
        place = self._place
        with serving.start(place.home, workdir, as_of=begin, version=version, origins=place.preset.origins) as handle:
            yield LiveHandle(handle, place.raw, begin)

    def service_level(self, rows: pa.Table) -> ServiceLevel:
        """Which rows of features the champion answers itself, with nothing that a server would call degraded."""
        predictor = Predictor.of(self._place.champion())
        full = np.isfinite(predictor.predict(rows))
        for unseen in predictor.unknown(rows).values():
            full &= ~unseen
        for number in predictor.encoding.numbers:
            if not number.nullable:
                full &= np.asarray(rows.column(number.name).is_valid().to_numpy())
        return ServiceLevel(full, "an answer of the model itself, with every category in its vocabulary")

    def records(self, raw: Mapping[str, pa.Table], window: tuple[datetime, datetime]) -> Sequence[Mapping[str, Any]]:
        return replay.requests(raw, window)


class LiveHandle:
    """A running server that hears push-backs, landings and weather up to the moment of each request."""

    def __init__(self, handle: serving.Handle, tables: Mapping[str, pa.Table], begin: datetime) -> None:
        self.url = handle.url
        self._handle = handle
        self._raw = tables
        self._told_until = begin
        self._read_until = begin
        self._coming: list[replay.Event] = []

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Answers to raw records; what became known before the latest of them is told to the server first."""
        if records:
            self._tell(_latest(records))
        return self._handle.predict(records)

    def request_log(self, since: datetime | None = None) -> pa.Table:
        return self._handle.request_log(since)

    def erase(self, subject: str) -> None:
        """Takes every request for the plane of that tail number out of the log."""
        self._handle.erase(subject)

    def metrics(self) -> str:
        return self._handle.metrics()

    def _tell(self, until: datetime) -> None:
        while self._read_until < until:
            ahead = max(until, self._read_until + FED_AHEAD)
            self._coming += replay.feed(self._raw, (self._read_until, ahead))
            self._read_until = ahead
        due = [event for event in self._coming if event.at < until]
        self._coming = self._coming[len(due) :]
        for table in dict.fromkeys(event.table for event in due):
            self._handle.observe(table, [event.row for event in due if event.table == table])
        self._told_until = max(self._told_until, until)


def _latest(asked: Sequence[Mapping[str, Any]]) -> datetime:
    moments = flights.departure_instants(records.columns_of_records(asked))["pushed_back_at"]
    return datetime.fromtimestamp(float(np.nanmax(moments.astype(np.float64))), UTC)
