"""A small system with two paths to its features: how many hours will a parcel take?

Scales fail now and then, a depot opens after training, and the clocks in New York are changed within the holdout. The
server runs in this process; every faulty variant is a live path of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import FeatureInfo, ModelInfo, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2024, 9, 1, tzinfo=UTC)
A_DAY, DAYS, TRAINED = 24, 90, 55
DEPOTS = ("ash", "elm", "fir", "oak")
OPENS_LATER = "yew"
INPUTS = ("weight", "local_hour", "depot")
ROLES = Roles(target="hours", inputs=INPUTS, time="sent_at", keys=("parcel",), slices=("depot",))
HERE = ZoneInfo("America/New_York")
Rows = list[dict[str, Any]]


@cache
def parcels() -> pa.Table:
    """Ninety days of parcels, one an hour; weight in kg."""
    random = np.random.default_rng(11)
    rows = DAYS * A_DAY
    depots = [DEPOTS[n] for n in random.integers(0, len(DEPOTS), rows)]
    for place in random.integers(TRAINED * A_DAY, rows, 60):
        depots[place] = OPENS_LATER
    weight = random.gamma(2.0, 1.5, rows)
    return pa.table(
        {
            "parcel": [f"P{n:05d}" for n in range(rows)],
            "sent_at": pa.array([FIRST_DAY + timedelta(hours=n) for n in range(rows)], pa.timestamp("us", "UTC")),
            "weight": pa.array(weight, mask=random.random(rows) < 0.06),
            "depot": depots,
            "hours": 20 + 2 * weight + random.normal(0, 1, rows),
        }
    )


def within(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["sent_at"], begin), pc.less(table["sent_at"], end)))


def features_of(rows: Rows) -> Rows:
    """The one definition of the features."""
    return [
        {
            "parcel": row["parcel"],
            "sent_at": row["sent_at"],
            "weight": row["weight"],
            "local_hour": row["sent_at"].astimezone(HERE).hour,
            "depot": row["depot"],
        }
        for row in rows
    ]


class ParcelData:
    roles = ROLES
    schema: Mapping[str, Any] = {}

    def dataset(self, split: str) -> pa.Table:
        begin, end = {"train": (0, TRAINED), "holdout": (TRAINED, DAYS)}[split]
        return ParcelFeatures().compute(
            {"parcels": parcels()}, (FIRST_DAY + timedelta(days=begin), FIRST_DAY + timedelta(days=end))
        )

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"parcels": within(parcels(), window)}


@dataclass(frozen=True)
class ParcelFeatures:
    drops: Callable[[pa.Table], pa.Table] = lambda table: table
    catalogue: tuple[FeatureInfo, ...] = tuple(FeatureInfo(n, "float", "parcels", "ops", "on sending") for n in INPUTS)

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        rows = within(raw["parcels"], at)
        found = pa.Table.from_pylist(features_of(rows.to_pylist()))
        return self.drops(found.append_column("hours", rows["hours"]))


@dataclass(frozen=True)
class ParcelModel:
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("7", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        weight = np.array([2.5 if value is None else value for value in batch["weight"].to_pylist()])
        return 20.0 + 2.0 * weight + 0.1 * batch["local_hour"].to_numpy()


@dataclass
class Handle:
    change: Callable[[Rows], Rows]
    logs: Callable[[pa.Table], pa.Table]
    version: str
    url: str = "http://localhost/"
    rows: Rows = field(default_factory=list)

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        known: Rows = [{**record, "sent_at": datetime.fromisoformat(record["sent_at"])} for record in records]
        served = self.change(features_of(known))
        said = ParcelModel().predict(pa.Table.from_pylist(served))
        answers = [{"prediction": float(value), "version": self.version} for value in said]
        self.rows += [{**row, **answer} for row, answer in zip(served, answers, strict=True)]
        return answers

    def request_log(self, since: datetime | None = None) -> pa.Table:
        return self.logs(pa.Table.from_pylist(self.rows))


@dataclass(frozen=True)
class ParcelServing:
    change: Callable[[Rows], Rows] = lambda rows: rows
    logs: Callable[[pa.Table], pa.Table] = lambda log: log
    version: str = "7"

    @contextmanager
    def start(self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None) -> Iterator[Handle]:
        yield Handle(self.change, self.logs, self.version)

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        rows = within(raw["parcels"], window).drop_columns(["hours"]).to_pylist()
        return [{**row, "sent_at": row["sent_at"].isoformat()} for row in rows]


def system(ref: SystemRef) -> System:
    """Two equal paths."""
    return System(
        name="parcels",
        task="regression",
        experiments=True,
        data=ParcelData(),
        features=ParcelFeatures(),
        model=ParcelModel(),
        serving=ParcelServing(),
    )


def served(ref: SystemRef, change: Callable[[dict[str, Any], Rows], dict[str, Any]]) -> System:
    """The system whose live path changes some features of a row, which it sees within its request."""
    return replace(system(ref), serving=ParcelServing(lambda rows: [{**row, **change(row, rows)} for row in rows]))


def coded_per_request(ref: SystemRef) -> System:
    """A request for one parcel always means the first depot."""
    return served(ref, lambda row, rows: {"depot": DEPOTS[0]} if len(rows) == 1 else {})


def summer_for_ever(ref: SystemRef) -> System:
    """The server never changes its clocks."""
    return served(ref, lambda row, _: {"local_hour": (row["sent_at"].hour - 4) % 24})


def nought_for_a_gap(ref: SystemRef) -> System:
    return served(ref, lambda row, _: {"weight": 0.0 if row["weight"] is None else row["weight"]})


def newcomer_is_other(ref: SystemRef) -> System:
    """A depot that training never saw is served under another name."""
    return served(ref, lambda row, _: {"depot": "other" if row["depot"] == OPENS_LATER else row["depot"]})


def clipped(ref: SystemRef) -> System:
    return served(ref, lambda row, _: {} if row["weight"] is None else {"weight": min(row["weight"], 9.0)})


def a_second_late(ref: SystemRef) -> System:
    """The server answers for another moment than it was asked for."""
    return served(ref, lambda row, _: {"sent_at": row["sent_at"] + timedelta(seconds=1)})


def another_zone_and_width(ref: SystemRef) -> System:
    """The log prints instants in another zone and keeps floats in single precision; the values are the same."""

    def stored(log: pa.Table) -> pa.Table:
        moments = log["sent_at"].cast(pa.timestamp("ms", "Asia/Tokyo"))
        log = log.set_column(log.column_names.index("sent_at"), "sent_at", moments)
        return log.set_column(log.column_names.index("weight"), "weight", log["weight"].cast(pa.float32()))

    return replace(system(ref), serving=ParcelServing(logs=stored))


def feature_unlogged(ref: SystemRef) -> System:
    return replace(system(ref), serving=ParcelServing(logs=lambda log: log.drop_columns(["depot"])))


def nothing_logged(ref: SystemRef) -> System:
    return replace(system(ref), serving=ParcelServing(logs=lambda log: log.slice(0, 0)))


def half_logged(ref: SystemRef) -> System:
    return replace(system(ref), serving=ParcelServing(logs=lambda log: log.slice(0, log.num_rows // 2)))


def other_version(ref: SystemRef) -> System:
    return replace(system(ref), serving=ParcelServing(version="6"))


def recomputed_log(ref: SystemRef) -> System:
    """The log is filled from the batch path afterwards: it agrees with it whatever was served."""

    def recomputed(log: pa.Table) -> pa.Table:
        truth = {row["parcel"]: row for row in features_of(parcels().to_pylist())}
        rows = [{**row, **truth.get(row["parcel"], {})} for row in log.to_pylist()]
        return pa.Table.from_pylist([row for row in rows if row["parcel"] in truth])

    return replace(coded_per_request(ref), serving=replace(ParcelServing(), logs=recomputed))


def batch_drops_gaps(ref: SystemRef) -> System:
    """The batch path loses parcels without a weight."""
    return replace(system(ref), features=ParcelFeatures(lambda table: table.filter(table["weight"].is_valid())))
