"""Faults of what is known of a flight when: the reports of the weather, which are complete an hour after they begin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults import fault, twin
from mltest.faults.governed import computed_from
from mltest.faults.liveness import features_changed
from mltest.faults.rows import as_arrow, with_column
from mltest.system import System

A_SECOND = 1_000_000


def _reports_moved(system: System, hours: float) -> System:
    """The batch path that takes every report of the weather for one that began so many hours later."""

    def moved(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        weather = as_arrow(raw["weather"])
        begins = weather.column("time_hour")
        shift = pa.scalar(round(hours * 3_600 * A_SECOND), pa.duration("us"))
        later = pc.add(begins.cast(pa.timestamp("us", "UTC")), shift).cast(begins.type)
        return {**raw, "weather": with_column(weather, "time_hour", later)}

    return computed_from(system, moved if hours else None)


@fault(
    "ETA-D4-weather",
    item="data.requirements",
    seam="feat",
    doses=(1, 3),
    must_catch=1,
    parts=("data", "features", "model"),
    alive=features_changed,
    why="the hour of a report names its beginning, and it is joined as if it were the moment of its publication",
)
def report_of_the_running_hour(system: System, dose: float, workdir: Path) -> System:
    """Flights are joined with the report that is complete up to `dose` hours after they left."""
    return _reports_moved(system, -dose)


@twin("ETA-D4-weather", doses=(0.5,))
def report_of_half_an_hour_ago(system: System, dose: float, workdir: Path) -> System:
    """Reports come half an hour later than they could, and the join goes on looking backward."""
    return _reports_moved(system, dose)
