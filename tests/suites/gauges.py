"""A small system that minds its numbers: it refuses what it was not made for and shows its float64 computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.system import ModelInfo, Roles, System, SystemRef, Window

DAYS, A_DAY = 80, 40
EDGES = {"train": (0, 50), "validation": (50, 60), "holdout": (60, 80)}
NUMBERS = ("inflow", "outflow", "rain")
HIDDEN = 8
HIGHEST = 10_000.0
"""No gauge reads more, whatever it measures."""
ROLES = Roles(target="level", inputs=NUMBERS, time="read_at", keys=("reading",))


@cache
def readings() -> pa.Table:
    """Eighty days of forty readings: flows in cubic metres a second, rain in millimetres, mostly none."""
    random = np.random.default_rng(11)
    rows = DAYS * A_DAY
    inflow, outflow = random.gamma(3.0, 10.0, rows), random.normal(30.0, 8.0, rows)
    rain = np.where(random.random(rows) < 0.7, 0.0, random.gamma(1.0, 5.0, rows))
    start = datetime(2024, 3, 1, tzinfo=UTC)
    moments = [start + timedelta(days=n // A_DAY, minutes=30 * (n % A_DAY)) for n in range(rows)]
    return pa.table(
        {
            "reading": [f"R{number:05d}" for number in range(rows)],
            "read_at": pa.array(moments, pa.timestamp("us", "UTC")),
            "inflow": inflow,
            "outflow": outflow,
            "rain": rain,
            "level": 0.1 * (inflow - outflow) + 0.3 * rain + random.normal(0, 0.5, rows),
        }
    )


@dataclass(frozen=True)
class GaugeData:
    roles: Roles = ROLES
    schema: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, split: str) -> pa.Table:
        begin, end = EDGES[split]
        return readings().slice(begin * A_DAY, (end - begin) * A_DAY)

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        return {"readings": readings()}


@dataclass(frozen=True)
class GaugeModel:
    """One hidden layer of soft steps; `predict` in single precision, `trace` in double."""

    metadata: ModelInfo = field(default_factory=lambda: ModelInfo("1", inputs=NUMBERS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(self._stages(batch, np.float32)["answer"], dtype=np.float64)

    def trace(self, batch: pa.Table) -> Mapping[str, np.ndarray]:
        return self._stages(batch, np.float64)

    def _stages(self, batch: pa.Table, kind: type[np.floating[Any]]) -> dict[str, np.ndarray]:
        columns = [batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in NUMBERS]
        inputs = np.column_stack(columns).astype(kind)
        if not (np.abs(inputs) <= HIGHEST).all():
            raise ValueError("a reading is missing or is no quantity: leave the row out")
        random = np.random.default_rng(3)
        weights = random.normal(0, 0.02, (len(NUMBERS), HIDDEN)).astype(kind)
        hidden = np.tanh(inputs @ weights)
        return {"layer_1": hidden, "answer": hidden @ random.normal(0, 3.0, HIDDEN).astype(kind)}


def system(ref: SystemRef) -> System:
    return System(name="gauges", task="regression", data=GaugeData(), model=GaugeModel())
