"""Faults of flights: the ones that the generic operators name too vaguely, with twins that look like them.

The entry point group `mltest.faults` names this module. Importing it imports no other part of the reference system.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults import columns, fault, twin
from mltest.faults.liveness import data_changed, difference, log_changed, training_changed
from mltest.faults.operators_raw import in_the_last
from mltest.faults.operators_reproducibility import set_order_varies
from mltest.faults.operators_serving import served_otherwise
from mltest.faults.operators_slices import slice_dropped
from mltest.faults.operators_training import reconfigured, relabelled
from mltest.faults.rows import as_arrow, floats, with_column
from mltest.system import System
from reference_system import faults_feature_code as faults_feature_code  # registers the faults of tested code
from reference_system import faults_governance as faults_governance  # registers the faults of what is known when
from reference_system.fault_changes import (
    changed,
    coded,
    later,
    raw_table_exchanged,
    relative_humidity,
    with_actual_hour,
)

A_DAY = 1440
NEW_YORK = "America/New_York"
LATEST_LEGAL_DEPARTURE = 500
"""Minutes of delay up to which one more day stays within what was ever seen."""


@fault(
    "ETA-D1-celsius",
    item="data.schema",
    seam="raw",
    doses=(1, 7, 30),
    must_catch=7,
    parts=("data",),
    alive=data_changed,
    why="degrees Celsius read as Fahrenheit stay inside the range of a year of New York weather",
)
def celsius(system: System, dose: float, workdir: Path) -> System:
    """Temperature and dew point arrive in degrees Celsius for the last `dose` days."""
    chosen = in_the_last(dose, columns.data_of(system).roles)

    def converted(rows: pa.Table) -> pa.Table:
        for column in ("temp", "dewp"):
            rows = changed(rows, column, chosen(rows), lambda fahrenheit: np.round((fahrenheit - 32) / 1.8, 2))
        return rows

    return raw_table_exchanged(system, "weather", converted if dose else None)


@twin("ETA-D1-celsius", doses=(1, 3))
def cold_snap(system: System, dose: float, workdir: Path) -> System:
    """The last `dose` days were 18 °F colder, and humidity and dew point followed."""
    chosen = in_the_last(dose, columns.data_of(system).roles)

    def colder(rows: pa.Table) -> pa.Table:
        for column in ("temp", "dewp"):
            rows = changed(rows, column, chosen(rows), lambda fahrenheit: np.round(fahrenheit - 18.0, 2))
        humid = np.round(relative_humidity(floats(rows.column("temp")), floats(rows.column("dewp"))), 2)
        return changed(rows, "humid", chosen(rows), lambda reported: np.where(np.isnan(reported), reported, humid))

    return raw_table_exchanged(system, "weather", colder if dose else None)


@fault(
    "ETA-D1-sentinel",
    item="data.schema",
    seam="raw",
    doses=(0.1, 0.5, 1.0),
    must_catch=0.5,
    parts=("data",),
    alive=data_changed,
    why="a feed that has no null writes 9999 for a flight that never left",
)
def cancelled_as_number(system: System, dose: float, workdir: Path) -> System:
    """A share of the cancelled flights has a departure delay of 9999 minutes."""

    def written(rows: pa.Table) -> pa.Table:
        cancelled = np.flatnonzero(np.isnan(floats(rows.column("dep_delay"))))
        chosen = np.zeros(rows.num_rows, dtype=bool)
        chosen[cancelled[: int(np.ceil(dose * len(cancelled)))]] = True
        return changed(rows, "dep_delay", chosen, lambda delays: np.full_like(delays, 9999.0))

    return raw_table_exchanged(system, "flights", written if dose else None)


@twin("ETA-D1-sentinel")
def a_flight_leaves_a_day_late(system: System, dose: float, workdir: Path) -> System:
    """One flight leaves and arrives exactly a day later than it did: a genuine delay of a thousand minutes."""

    def delayed(rows: pa.Table) -> pa.Table:
        departed, arrived = (floats(rows.column(name)) for name in ("dep_delay", "arr_delay"))
        candidates = np.flatnonzero((departed < LATEST_LEGAL_DEPARTURE) & (arrived < LATEST_LEGAL_DEPARTURE))
        chosen = np.zeros(rows.num_rows, dtype=bool)
        chosen[candidates[-1:]] = True
        for name in ("dep_delay", "arr_delay"):
            rows = changed(rows, name, chosen, lambda minutes: minutes + A_DAY)
        return rows

    return raw_table_exchanged(system, "flights", delayed if dose else None)


@fault(
    "ETA-M5-decay",
    item="model.baseline",
    seam="train",
    doses=(1, 10),
    must_catch=10,
    parts=("data", "training", "model"),
    alive=training_changed,
    why="a weight decay that was tuned for another optimiser",
)
def strong_decay(system: System, dose: float, workdir: Path) -> System:
    """The net is trained with a weight decay of `dose`, a hundred to a thousand times the usual."""
    return reconfigured(system, workdir, {"weight_decay": float(dose)} if dose else {})


@twin("ETA-M5-decay", doses=(0.02,))
def slightly_stronger_decay(system: System, dose: float, workdir: Path) -> System:
    """The net is trained with twice the usual weight decay."""
    return reconfigured(system, workdir, {"weight_decay": float(dose)} if dose else {})


@fault(
    "ETA-M6-carrier",
    item="model.slices",
    seam="train",
    doses=(5, 10, 20),
    must_catch=20,
    parts=("data", "training", "model"),
    alive=training_changed,
    why="one airline reports its arrivals by another clock; the mean over all flights hardly moves",
)
def one_carrier_reported_late(system: System, dose: float, workdir: Path) -> System:
    """Training says that the flights of one airline took `dose` minutes longer than they did."""
    return relabelled(system, workdir, later("carrier", "WN", dose) if dose else None)


@twin("ETA-M6-carrier", doses=(20,))
def a_carrier_of_few_flights_reported_late(system: System, dose: float, workdir: Path) -> System:
    """The same happens to SkyWest, which has some thirty flights in the whole year."""
    return relabelled(system, workdir, later("carrier", "OO", dose) if dose else None)


@fault(
    "ETA-M6-join",
    item="model.slices",
    seam="feat",
    doses=(1, 2),
    must_catch=1,
    parts=("data",),
    alive=data_changed,
    why="an inner join with a list of airports that ends at the edge of a time zone",
)
def far_destinations_lost(system: System, dose: float, workdir: Path) -> System:
    """Flights into Mountain time, and with dose 2 into Pacific time, are lost in an inner join."""
    lost = ("America/Denver", "America/Los_Angeles")[: int(dose)]
    known = as_arrow(columns.data_of(system).raw()["destinations"])
    places = known.filter(pc.is_in(known.column("zone"), pa.array(lost, pa.string()))).column("dest").to_pylist()
    return slice_dropped(system, "dest", frozenset(places))


@twin("ETA-M6-join")
def a_season_ends(system: System, dose: float, workdir: Path) -> System:
    """From the first day of the newest split on nobody flies to three small destinations, as the raw tables show."""
    closed = frozenset(("CHO", "SAV", "TVC") if dose else ())
    first = date.fromisoformat(as_arrow(columns.data_of(system).dataset("holdout")).column("day")[0].as_py())

    def without(rows: pa.Table) -> pa.Table:
        late = pc.greater_equal(rows.column("date"), pa.scalar(first))
        gone = pc.is_in(rows.column("dest"), pa.array(sorted(closed)))
        return rows.filter(pc.invert(pc.and_(late, gone)))

    remaining = slice_dropped(system, "dest", closed, only="holdout")
    return raw_table_exchanged(remaining, "flights", without if dose else None)


def _vocabulary_moves(healthy: System, faulted: System) -> str:
    """Asks fresh interpreters for the order of the airlines in a set, and looks at the rows that training is given."""
    from reference_system.raw_schemas import CARRIERS

    moved = training_changed(healthy, faulted)
    if not moved or not set_order_varies(CARRIERS):
        return ""
    return f"the set of airlines has another order in another process; {moved}"


@fault(
    "ETA-I1-vocabulary",
    item="infra.reproducibility",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=_vocabulary_moves,
    why="a vocabulary made from a set: the codes of the airlines are others in every process",
)
def vocabulary_from_a_set(system: System, dose: float, workdir: Path) -> System:
    """Airlines are coded by their place in a set, in training and in the model alike."""
    return coded(system, set if dose else None)


@twin("ETA-I1-vocabulary", alive=training_changed)
def vocabulary_from_a_dictionary(system: System, dose: float, workdir: Path) -> System:
    """Airlines are coded by their place in a dictionary, which keeps the order in which it was filled."""
    return coded(system, dict.fromkeys if dose else None)


@fault(
    "ETA-MON3-hour",
    item="monitoring.skew",
    seam="serve",
    doses=(1,),
    parts=("data", "serving"),
    alive=log_changed,
    why="the published table changed the meaning of its hour from actual to scheduled between two releases",
)
def hour_of_actual_departure(system: System, dose: float, workdir: Path) -> System:
    """The server takes the hour from the actual departure, the training from the scheduled one."""
    return served_otherwise(system, (lambda log: with_actual_hour(log, "scheduled_hour")) if dose else None)


@twin("ETA-MON3-hour")
def actual_hour_beside_the_scheduled(system: System, dose: float, workdir: Path) -> System:
    """The server logs the hour of the actual departure as well, in a column of its own."""
    return served_otherwise(system, (lambda log: with_actual_hour(log, "actual_hour")) if dose else None)


def _summer_clocks_differ(healthy: System, faulted: System) -> str:
    """Looks at what the log would say about the first flights of the holdout, when summer time was still kept."""
    serving: Any = faulted.serving
    rows = as_arrow(columns.data_of(healthy).dataset("holdout")).slice(0, 200)
    asked = with_column(rows, "as_of", rows.column("pushed_back_at"))
    return difference(asked, serving.logged_as(asked))


@fault(
    "ETA-MON3-summer",
    item="monitoring.skew",
    seam="serve",
    doses=(1,),
    parts=("data", "serving"),
    alive=_summer_clocks_differ,
    why="an offset of five hours written down in winter: right for four months, an hour off for eight",
)
def standard_time_all_year(system: System, dose: float, workdir: Path) -> System:
    """The server reckons the minute of departure with the winter's offset, also while summer time is kept."""

    def wintry(log: pa.Table) -> pa.Table:
        hours = pc.hour(log.column("as_of"))
        local = pc.hour(pc.local_timestamp(log.column("as_of").cast(pa.timestamp("us", NEW_YORK))))
        summer = (floats(pc.subtract(hours, local)) % 24) == 4
        return changed(log, "departure_minute", summer, lambda minutes: (minutes - 60) % A_DAY)

    return served_otherwise(system, wintry if dose else None)


@twin("ETA-MON3-summer")
def moments_in_local_time(system: System, dose: float, workdir: Path) -> System:
    """The server logs the same instants in New York time."""
    local = pa.timestamp("us", NEW_YORK)
    return served_otherwise(
        system, (lambda log: with_column(log, "as_of", log.column("as_of").cast(local))) if dose else None
    )
