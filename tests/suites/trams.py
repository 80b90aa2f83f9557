"""A small system that knows its past: how many minutes does a tram take from depot to terminus?

Trips are in the timetable days before; how late they left is known on departure, how long they took on arrival. The
weather of an hour is reported when the hour is over. Raw tables of a moment leave out exactly what was not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.offers.governance import FeaturePolicy
from mltest.system import FeatureInfo, ModelInfo, RawColumn, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2024, 2, 1, tzinfo=UTC)
DAYS, A_DAY = 40, 60
EDGES = {"train": (0, 24), "validation": (24, 32), "holdout": (32, DAYS)}
LINES = ("A", "B", "C")
INPUTS = ("planned", "departure_delay", "rain", "level", "due_next_hour", "line")
TARGET = "lateness"
MINUTE, HOUR = 60.0, 3600.0
ROLES = Roles(
    target=TARGET,
    inputs=INPUTS,
    time="departs_at",
    keys=("trip",),
    slices=("line",),
    entity=RawColumn("trips", "line"),
    outcome=RawColumn("trips", "took"),
)
POLICY = FeaturePolicy(
    sources={"trips": "ours", "weather": "CC BY 4.0"},
    licences=("ours", "CC BY 4.0"),
    sensitivities=("none",),
    owners=("trams-data",),
    forbidden=(RawColumn("trips", "driver_age"), RawColumn("weather", "webcam")),
)
Raw = Mapping[str, Any]


@cache
def raw_tables() -> dict[str, pa.Table]:
    """Forty days of sixty trips and of hourly weather."""
    random = np.random.default_rng(3)
    rows = DAYS * A_DAY
    planned = np.round(random.uniform(70, 150, rows))
    delay = np.round(np.maximum(0, random.normal(2, 3, rows)))
    line = random.integers(0, len(LINES), rows)
    first = FIRST_DAY.timestamp()
    scheduled = first + (np.arange(rows) // A_DAY) * 86_400 + 5 * HOUR + (np.arange(rows) % A_DAY) * 17 * MINUTE
    rain = random.gamma(0.4, 2.0, DAYS * 24)
    hour = np.minimum(((scheduled - first) // HOUR).astype(int), len(rain) - 1)
    mood = np.repeat(random.normal(0, 1.5, DAYS), A_DAY)
    took = np.round(planned + 1.2 * rain[hour] + 2.0 * line + mood + random.normal(0, 1.5, rows) - 0.3 * delay)
    return {
        "trips": pa.table(
            {
                "trip": [f"T{number:05d}" for number in range(rows)],
                "line": [LINES[number] for number in line],
                "scheduled_at": instants(scheduled),
                "planned": planned,
                "departure_delay": delay,
                "took": np.maximum(5, took),
                "driver_age": np.round(random.uniform(20, 65, rows)),
            }
        ),
        "weather": pa.table(
            {
                "hour": instants(first + HOUR * np.arange(DAYS * 24)),
                "rain": np.round(rain, 1),
                "webcam": np.round(random.uniform(0, 1, DAYS * 24), 2),
            }
        ),
    }


def instants(seconds: np.ndarray) -> pa.Array:
    return pa.array((seconds * 1e6).astype(np.int64)).cast(pa.timestamp("us", "UTC"))


def seconds(column: Any) -> np.ndarray:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.float64) / 1e6


def numbers(column: Any) -> np.ndarray:
    return np.array(pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy(), dtype=np.float64)


@dataclass(frozen=True)
class Trips:
    """Columns of the raw trips as arrays, shape (trips,); moments in seconds, NaN where they have not come."""

    table: pa.Table
    scheduled: np.ndarray
    departed: np.ndarray
    arrived: np.ndarray
    lateness: np.ndarray
    line: np.ndarray

    @classmethod
    def of(cls, table: pa.Table) -> Trips:
        scheduled = seconds(table["scheduled_at"])
        departed = scheduled + numbers(table["departure_delay"]) * MINUTE
        took = numbers(table["took"])
        line = np.array(table["line"].to_pylist(), dtype=object)
        return cls(table, scheduled, departed, departed + took * MINUTE, took - numbers(table["planned"]), line)


def known_at(moment: datetime) -> dict[str, pa.Table]:
    """The raw tables as they stood: the timetable whole, later facts missing."""
    tables, now = raw_tables(), moment.timestamp()
    trips = Trips.of(tables["trips"])
    known = tables["trips"]
    for name, since in (("departure_delay", trips.departed), ("took", trips.arrived)):
        values = pa.array(numbers(known[name]), mask=~(since <= now))
        known = known.set_column(known.column_names.index(name), name, values)
    over = seconds(tables["weather"]["hour"]) + HOUR <= now
    return {"trips": known, "weather": tables["weather"].filter(pa.array(over))}


def report_before(hours: np.ndarray, values: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The newest report that is complete before each moment, NaN without one."""
    places = np.searchsorted(hours + HOUR, moments, "left") - 1
    return np.where(places >= 0, np.append(values, np.nan)[places], np.nan)


def level_before(trips: Trips, asked: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Mean lateness of the last ten trips of the line that had arrived before each moment."""
    found = np.full(len(asked), np.nan)
    for name in LINES:
        here = (trips.line == name) & np.isfinite(trips.arrived)
        order = np.argsort(trips.arrived[here], kind="stable")
        arrived, late = trips.arrived[here][order], trips.lateness[here][order]
        for place in np.flatnonzero(line == name).tolist():
            end = int(np.searchsorted(arrived, asked[place], "left"))
            found[place] = late[max(0, end - 10) : end].mean() if end else np.nan
    return found


def computed(raw: Raw, at: Window | None = None) -> pa.Table:
    """Keys, time, target and inputs of the trips that departed in the window."""
    trips, weather = Trips.of(raw["trips"]), raw["weather"]
    begin, end = (-np.inf, np.inf) if at is None else (edge.timestamp() for edge in at)
    chosen = np.flatnonzero((trips.departed >= begin) & (trips.departed < end))
    chosen = chosen[np.argsort(trips.departed[chosen], kind="stable")]
    asked, line, table = trips.departed[chosen], trips.line[chosen], trips.table.take(pa.array(chosen))
    rain = report_before(seconds(weather["hour"]), numbers(weather["rain"]), asked)
    ordered = np.sort(trips.scheduled)
    due = np.searchsorted(ordered, asked + HOUR, "left") - np.searchsorted(ordered, asked, "left")
    return pa.table(
        {
            "trip": table["trip"],
            "departs_at": instants(asked),
            TARGET: pa.array(trips.lateness[chosen], from_pandas=True),
            "planned": table["planned"],
            "departure_delay": table["departure_delay"],
            "rain": pa.array(rain, from_pandas=True),
            "level": pa.array(level_before(trips, asked, line), from_pandas=True),
            "due_next_hour": due.astype(np.float64),
            "line": table["line"],
        }
    )


@lru_cache(maxsize=1)
def everything() -> pa.Table:
    return computed(raw_tables())


def split_of(table: pa.Table, split: str) -> pa.Table:
    days = [pa.scalar(FIRST_DAY + timedelta(days=day), pa.timestamp("us", "UTC")) for day in EDGES[split]]
    moments = table["departs_at"]
    return table.filter(pc.and_(pc.greater_equal(moments, days[0]), pc.less(moments, days[1])))


@dataclass(frozen=True)
class TramData:
    """`seen_at` gives the raw tables of a moment, `rows` the data set."""

    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)
    seen_at: Callable[[datetime], Raw] = known_at
    rows: Callable[[], pa.Table] = everything
    tables: Callable[[], Raw] = raw_tables

    def dataset(self, split: str) -> pa.Table:
        return split_of(self.rows(), split)

    def raw(self, window: Window | None = None) -> Raw:
        return self.tables() if window is None else self.seen_at(window[1])


def entries() -> tuple[FeatureInfo, ...]:
    sources = {
        "planned": ("trips: planned", "when the timetable is published"),
        "departure_delay": ("trips: departure_delay", "on departure"),
        "rain": ("weather: rain", "when the hour of the report is over"),
        "level": ("trips: took, planned of earlier trips", "when the trips summarised have arrived"),
        "due_next_hour": ("trips: scheduled_at", "when the timetable is published"),
        "line": ("trips: line", "when the timetable is published"),
    }
    return tuple(
        FeatureInfo(name, "category" if name == "line" else "float", source, "trams-data", known)
        for name, (source, known) in sources.items()
    )


@dataclass(frozen=True)
class TramFeatures:
    policy: FeaturePolicy = POLICY
    catalogue: tuple[FeatureInfo, ...] = field(default_factory=entries)
    making: Callable[[Raw, Window | None], pa.Table] = computed

    def compute(self, raw: Raw, at: Window | None = None) -> pa.Table:
        return self.making(raw, at)


def design(batch: pa.Table) -> np.ndarray:
    plain = [np.nan_to_num(numbers(batch[name])) for name in INPUTS[:-1]]
    words = np.array(batch["line"].to_pylist(), dtype=object)
    return np.column_stack([np.ones(batch.num_rows), *plain, *((words == name).astype(float) for name in LINES)])


@dataclass(frozen=True)
class TramModel:
    """Least squares."""

    weights: tuple[float, ...]
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(design(batch) @ np.array(self.weights))


@cache
def champion() -> TramModel:
    train = split_of(everything(), "train")
    weights = np.linalg.lstsq(design(train), numbers(train[TARGET]), rcond=None)[0]
    until = FIRST_DAY + timedelta(days=EDGES["train"][1])
    return TramModel(tuple(weights.tolist()), ModelInfo("1", trained_until=until, inputs=INPUTS))


def system(ref: SystemRef) -> System:
    return System(name="trams", task="regression", data=TramData(), features=TramFeatures(), model=champion())
