"""A small system with an online path: how high will the waves be at a buoy in an hour?

Features come from the request itself, from a table of buoys, and from the reports so far; the batch path and the lookup
are one definition, told by `made`.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import FeatureInfo, ModelInfo, Roles, System, SystemRef, Window

FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
A_DAY = 120
DAYS = 240
EDGES = {"train": (0, 160), "validation": (160, 180), "holdout": (180, DAYS)}
BUOYS = ("dogger", "fastnet", "lundy", "thames", "viking")
TARGET = "height"
INPUTS = ("wind", "period", "depth", "sea", "last_wave", "waves_today")
ROLES = Roles(target=TARGET, inputs=INPUTS, time="at", keys=("report",), slices=("sea",))
BUDGETS = dict.fromkeys(INPUTS, 200.0)
SOURCES = {
    "wind": "reports: wind",
    "period": "reports: period",
    "depth": "buoys: depth; reports: buoy",
    "sea": "buoys: sea; reports: buoy",
    "last_wave": "reports: wave of earlier reports of the buoy",
    "waves_today": "reports: wave of the buoy in the last 24 hours",
}


@cache
def buoys() -> pa.Table:
    return pa.table({"buoy": list(BUOYS), "depth": [25.0, 90.0, 60.0, 20.0, 140.0], "sea": list("ncwse")})


@cache
def reports() -> pa.Table:
    """240 days of 120 reports: wind in m/s, period in s, wave in m now and in an hour, and a bulletin in words."""
    random = np.random.default_rng(8)
    rows = DAYS * A_DAY
    wind, period = random.gamma(4.0, 2.0, rows), random.uniform(3, 12, rows)
    place = random.integers(0, len(BUOYS), rows)
    wave = 0.2 * wind + 0.1 * place + random.normal(0, 0.3, rows)
    height = 0.25 * wind + 0.1 * period + 0.5 * wave + 0.3 * place + random.normal(0, 0.3, rows)
    return pa.table(
        {
            "report": [f"R{number:06d}" for number in range(rows)],
            "at": pa.array(
                [FIRST_DAY + timedelta(minutes=12 * number) for number in range(rows)], pa.timestamp("us", "UTC")
            ),
            "buoy": [BUOYS[number] for number in place],
            "wind": wind,
            "period": period,
            "wave": wave,
            TARGET: height,
            "bulletin": [f"{number:06d} " * 60 for number in range(rows)],
        }
    )


def between(table: pa.Table, window: Window | None) -> pa.Table:
    if window is None:
        return table
    begin, end = (pa.scalar(edge, pa.timestamp("us", "UTC")) for edge in window)
    return table.filter(pc.and_(pc.greater_equal(table["at"], begin), pc.less(table["at"], end)))


@dataclass
class BuoyLookup:
    """Reports in order of time by buoy, in memory; one record or many, one feature or all."""

    raw: Mapping[str, pa.Table]
    places: dict[str, dict[str, Any]] = field(init=False, repr=False)
    times: dict[str, list[float]] = field(init=False, repr=False)
    sums: dict[str, list[float]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.places = {row["buoy"]: row for row in self.raw["buoys"].to_pylist()}
        self.times, self.sums = {name: [] for name in BUOYS}, {name: [0.0] for name in BUOYS}
        known = self.raw["reports"].select(["buoy", "at", "wave"]).to_pylist()
        for row in known:
            self.times[row["buoy"]].append(row["at"].timestamp())
            self.sums[row["buoy"]].append(self.sums[row["buoy"]][-1] + row["wave"])

    def records(self, raw: Mapping[str, pa.Table], window: Window) -> Sequence[Mapping[str, Any]]:
        return between(raw["reports"], window).select(["at", "buoy", "wind", "period"]).to_pylist()

    def values(self, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Mapping[str, list[Any]]:
        return {name: [self.made(name, record) for record in records] for name in names}

    def made(self, name: str, record: Mapping[str, Any]) -> Any:
        if name in ("wind", "period"):
            return record[name]
        if name in ("depth", "sea"):
            return self.places[record["buoy"]][name]
        times, sums = self.times[record["buoy"]], self.sums[record["buoy"]]
        moment = record["at"].timestamp()
        until = bisect.bisect_left(times, moment)
        if name == "last_wave":
            return sums[until] - sums[until - 1] if until else None
        since = bisect.bisect_left(times, moment - 86_400)
        return (sums[until] - sums[since]) / (until - since) if until > since else None


@cache
def computed() -> pa.Table:
    table = reports()
    lookup = BuoyLookup({"reports": table, "buoys": buoys()})
    made = lookup.values(table.to_pylist(), INPUTS)
    kept = table.select(["report", "at", TARGET])
    for name in INPUTS:
        kept = kept.append_column(name, pa.array(made[name]))
    return kept


@dataclass(frozen=True)
class BuoyData:
    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return computed().slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, pa.Table]:
        return {"reports": between(reports(), window), "buoys": buoys()}


@dataclass(frozen=True)
class BuoyFeatures:
    budgets: Mapping[str, float | None] = field(default_factory=lambda: BUDGETS)
    lookup: Any = BuoyLookup

    @property
    def catalogue(self) -> Sequence[FeatureInfo]:
        return tuple(
            FeatureInfo(name, "float", SOURCES[name], "seafarers", "at the report", cost_budget_us=self.budgets[name])
            for name in INPUTS
        )

    def compute(self, raw: Mapping[str, pa.Table], at: Window | None = None) -> pa.Table:
        return between(computed(), at)

    def online(self, raw: Mapping[str, pa.Table], as_of: datetime) -> Any:
        return self.lookup(raw)


@dataclass(frozen=True)
class BuoyModel:
    weights: np.ndarray
    metadata: ModelInfo = field(
        default_factory=lambda: ModelInfo("1", trained_until=FIRST_DAY + timedelta(days=160), inputs=INPUTS)
    )

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(design(batch) @ self.weights)


def design(batch: pa.Table) -> np.ndarray:
    numbers = [np.asarray(batch[name].cast(pa.float64()).fill_null(1.5)) for name in INPUTS if name != "sea"]
    return np.column_stack([np.ones(batch.num_rows), *numbers])


@cache
def champion() -> BuoyModel:
    learned = BuoyData().dataset("train")
    return BuoyModel(np.linalg.lstsq(design(learned), learned[TARGET].to_numpy(), rcond=None)[0])


def system(ref: SystemRef) -> System:
    return System(name="buoys", task="regression", data=BuoyData(), features=BuoyFeatures(), model=champion())


def with_features(ref: SystemRef, features: Any) -> System:
    return replace(system(ref), features=features)
