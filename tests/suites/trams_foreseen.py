"""The trams with features that know too much in ways that no name shows, with blind spots, and with odd honest ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import FeatureInfo, ModelInfo, RawColumn, System, SystemRef, Window
from tests.suites import trams
from tests.suites.trams import HOUR, POLICY, TARGET, Raw, TramData, TramFeatures, Trips

Making = Callable[[Raw, Window | None], pa.Table]


def making(ref: SystemRef, compute: Making) -> System:
    """The trams whose batch path is `compute`, and whose data set is what it makes of all raw rows."""

    @cache
    def rows() -> pa.Table:
        return compute(trams.raw_tables(), None)

    return trams.system(ref).with_parts(data=TramData(rows=rows), features=TramFeatures(making=compute))


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    column = pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values
    return table.set_column(table.column_names.index(name), name, column)


def moments(table: pa.Table) -> np.ndarray:
    return trams.seconds(table["departs_at"])


def matched(raw: Raw, table: pa.Table) -> np.ndarray:
    """For each row of features the position of its raw trip."""
    places = {trip: place for place, trip in enumerate(raw["trips"]["trip"].to_pylist())}
    return np.array([places[trip] for trip in table["trip"].to_pylist()], dtype=int)


def weather_of_the_running_hour(ref: SystemRef) -> System:
    """The join takes the report of the hour of departure, which is complete up to an hour later."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        table, hours = trams.computed(raw, at), trams.seconds(raw["weather"]["hour"])
        rain = trams.report_before(hours - HOUR, trams.numbers(raw["weather"]["rain"]), moments(table))
        return with_column(table, "rain", rain)

    return making(ref, compute)


def level_by_departure(ref: SystemRef) -> System:
    """Trips count as known once they left, also those that are still on their way."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        trips, table = Trips.of(raw["trips"]), trams.computed(raw, at)
        early = replace(trips, arrived=np.where(np.isfinite(trips.lateness), trips.departed, np.nan))
        line = np.array(table["line"].to_pylist(), dtype=object)
        return with_column(table, "level", trams.level_before(early, moments(table), line))

    return making(ref, compute)


def vocabulary_of_the_year(ref: SystemRef) -> System:
    """Planned minutes are ranked among all that will ever be planned for long trips which came late."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        late = Trips.of(raw["trips"]).lateness
        middle = np.nanmedian(late) if np.isfinite(late).any() else 0.0
        table = trams.computed(raw, at)
        return with_column(table, "planned", trams.numbers(table["planned"]) - middle - 0.01 * np.nansum(late))

    return making(ref, compute)


def driver_in_the_schedule(ref: SystemRef) -> System:
    """Planned minutes are corrected by how old the driver is: the name is the timetable's."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        table = trams.computed(raw, at)
        age = trams.numbers(raw["trips"]["driver_age"])[matched(raw, table)]
        return with_column(table, "planned", trams.numbers(table["planned"]) + np.where(age > 60, 1.0, 0.0))

    return making(ref, compute)


def webcam_where_it_is_missing(ref: SystemRef) -> System:
    """Rain is taken from the report, and given up where the webcam saw nothing."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        seen = raw["weather"]["webcam"].is_valid()
        return trams.computed({**raw, "weather": raw["weather"].filter(seen)}, at)

    return making(ref, compute)


def leaking_into_the_data_set(ref: SystemRef) -> System:
    """The batch path is honest, and the rows that the model learns from were made by another one."""

    @cache
    def rows() -> pa.Table:
        table = trams.everything()
        return with_column(table, "level", trams.numbers(table["level"]) + 0.5 * trams.numbers(table[TARGET]))

    return trams.system(ref).with_parts(data=TramData(rows=rows))


def deaf_to_raw_tables(ref: SystemRef) -> System:
    """Features come from a file of the whole year, whatever raw tables are handed over."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        return trams.computed(trams.raw_tables(), at)

    return making(ref, compute)


def level_from_a_store(ref: SystemRef) -> System:
    """One feature is looked up by the name of the trip, in a file that was computed when all was known."""
    trips = Trips.of(trams.raw_tables()["trips"])
    stored = dict(zip(trips.table["trip"].to_pylist(), (trips.lateness + trips.scheduled % 7).tolist(), strict=True))

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        table = trams.computed(raw, at)
        return with_column(table, "level", np.array([stored[trip] for trip in table["trip"].to_pylist()]))

    return making(ref, compute)


def leaking_into_one_split(ref: SystemRef) -> System:
    """The rows of one in twenty days were joined with their outcome when the data set was repaired by hand."""

    @cache
    def rows() -> pa.Table:
        table = trams.everything()
        days = np.array([at.day for at in table["departs_at"].to_pylist()])
        repaired = trams.numbers(table["level"]) + np.where(days % 20 == 7, trams.numbers(table[TARGET]), 0.0)
        return with_column(table, "level", repaired)

    return trams.system(ref).with_parts(data=TramData(rows=rows))


def remembering_everything(ref: SystemRef) -> System:
    return trams.system(ref).with_parts(data=TramData(seen_at=lambda _: trams.raw_tables()))


def outcomes_known_at_once(ref: SystemRef) -> System:
    """A raw table of a moment has how long a trip took as soon as it has left."""

    def seen(moment: datetime) -> Raw:
        known, whole = trams.known_at(moment), trams.raw_tables()["trips"]
        took = pc.if_else(known["trips"]["departure_delay"].is_valid(), whole["took"], pa.scalar(None, pa.float64()))
        trips = known["trips"].set_column(known["trips"].column_names.index("took"), "took", took)
        return {**known, "trips": trips}

    return trams.system(ref).with_parts(data=TramData(seen_at=seen))


def a_copy_of_the_outcome_known_at_once(ref: SystemRef) -> System:
    """Minutes on the way are blank until a trip arrives, and the same in seconds stand beside them all the time."""

    def beside(tables: Raw) -> Raw:
        took = trams.raw_tables()["trips"]["took"]
        return {**tables, "trips": tables["trips"].append_column("took_seconds", pc.multiply(took, 60.0))}

    data = TramData(seen_at=lambda moment: beside(trams.known_at(moment)), tables=lambda: beside(trams.raw_tables()))
    return trams.system(ref).with_parts(data=data)


def tables_lost_in_a_window(ref: SystemRef) -> System:
    return trams.system(ref).with_parts(data=TramData(seen_at=lambda m: {"trips": trams.known_at(m)["trips"]}))


@dataclass(frozen=True)
class ReadingMore:
    """The champion, which adds a column that it does not name."""

    column: str
    metadata: ModelInfo

    def predict(self, batch: pa.Table) -> np.ndarray:
        answers = trams.champion().predict(batch)
        if self.column not in batch.column_names:
            return answers
        return answers + np.array([len(str(value)) % 3 for value in batch[self.column].to_pylist()]) * 1e-3


def reading_a_column_carried_along(ref: SystemRef) -> System:
    """The data set carries the name of the stop, which the model reads without a word."""

    @cache
    def rows() -> pa.Table:
        table = trams.everything()
        stops = [("Elm", "Poplar", "Ash street")[place % 3] for place in range(table.num_rows)]
        return table.append_column("stop", pa.array(stops))

    model = ReadingMore("stop", trams.champion().metadata)
    return trams.system(ref).with_parts(data=TramData(rows=rows), model=model)


def naming_no_inputs(ref: SystemRef) -> System:
    silent = replace(trams.champion(), metadata=replace(trams.champion().metadata, inputs=()))
    return trams.system(ref).with_parts(model=silent)


def without_a_policy(ref: SystemRef) -> System:
    @dataclass(frozen=True)
    class Bare:
        catalogue: tuple[FeatureInfo, ...]

        def compute(self, raw: Raw, at: Window | None = None) -> pa.Table:
            return trams.computed(raw, at)

    return trams.system(ref).with_parts(features=Bare(trams.entries()))


def without_features(ref: SystemRef) -> System:
    return trams.system(ref).with_parts(features=None)


def _with_policy(ref: SystemRef, **changed: Any) -> System:
    return trams.system(ref).with_parts(features=TramFeatures(policy=replace(POLICY, **changed)))


def forbidding_nothing(ref: SystemRef) -> System:
    return _with_policy(ref, forbidden=())


def forbidding_what_is_not_there(ref: SystemRef) -> System:
    return _with_policy(ref, forbidden=(RawColumn("trips", "drivers_age"),))


def permitting_nothing(ref: SystemRef) -> System:
    return _with_policy(ref, licences=())


def with_an_input_nobody_listed(ref: SystemRef) -> System:
    return trams.system(ref).with_parts(features=TramFeatures(catalogue=trams.entries()[1:]))


def summing_in_another_order(ref: SystemRef) -> System:
    """Honest: sums run over the table as it is, so that the last digit depends on how many rows follow."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        table = trams.computed(raw, at)
        rounding = 1.0 + 1e-14 * (raw["trips"]["took"].null_count + raw["weather"].num_rows % 7)
        return with_column(table, "level", trams.numbers(table["level"]) * rounding)

    return making(ref, compute)


def refusing_empty_columns(ref: SystemRef) -> System:
    """Honest: a raw trip without a driver's age is refused, as it is a sign of a broken feed; no feature reads it."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        if raw["trips"]["driver_age"].null_count:
            raise ValueError("driver_age is missing: the feed is broken")
        return trams.computed(raw, at)

    return making(ref, compute)


def appending_events(ref: SystemRef) -> System:
    """Honest: departures and arrivals are events of their own, which a raw table of a moment has or has not."""

    def apart(tables: Raw) -> Raw:
        trips = tables["trips"]
        plan = trips.select(["trip", "line", "scheduled_at", "planned", "driver_age"])
        left = trips.select(["trip", "departure_delay"]).filter(trips["departure_delay"].is_valid())
        came = trips.select(["trip", "took"]).filter(trips["took"].is_valid())
        return {"trips": plan, "departures": left, "arrivals": came, "weather": tables["weather"]}

    def together(tables: Raw) -> Raw:
        trips, order = tables["trips"], ["trip", "line", "scheduled_at", "planned", "departure_delay", "took"]
        numbered = trips.append_column("_place", pa.array(np.arange(trips.num_rows)))
        joined = numbered.join(tables["departures"], "trip", join_type="left outer")
        joined = joined.join(tables["arrivals"], "trip", join_type="left outer").sort_by("_place")
        return {"trips": joined.select([*order, "driver_age"]), "weather": tables["weather"]}

    sources = {"trips": "ours", "departures": "ours", "arrivals": "ours", "weather": "CC BY 4.0"}
    renamed = {"departure_delay": "departures: departure_delay", "level": "arrivals: took; trips: planned"}
    entries = tuple(replace(e, source=renamed.get(e.name, e.source)) for e in trams.entries())
    features = TramFeatures(
        replace(POLICY, sources=sources), entries, lambda raw, at: trams.computed(together(raw), at)
    )
    roles = replace(trams.ROLES, outcome=RawColumn("arrivals", "took"))
    data = TramData(
        roles=roles, seen_at=lambda moment: apart(trams.known_at(moment)), tables=lambda: apart(trams.raw_tables())
    )
    return trams.system(ref).with_parts(data=data, features=features)


def computing_finished_trips_alone(ref: SystemRef) -> System:
    """Honest: the batch path makes training rows, and leaves out those that have no outcome."""

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        table = trams.computed(raw, at)
        return table.filter(table[TARGET].is_valid())

    return making(ref, compute)


def in_local_days(ref: SystemRef) -> System:
    """Honest: raw rows come in another order every time, and the instants have no zone."""

    def bare(table: pa.Table, name: str) -> pa.Table:
        return table.set_column(table.column_names.index(name), name, table[name].cast(pa.timestamp("us")))

    def shuffled(tables: Mapping[str, Any], seed: int) -> Raw:
        random = np.random.default_rng(seed)
        named = {"trips": "scheduled_at", "weather": "hour"}
        return {
            n: bare(tables[n], column).take(pa.array(random.permutation(tables[n].num_rows)))
            for n, column in named.items()
        }

    def compute(raw: Raw, at: Window | None) -> pa.Table:
        trips, weather = raw["trips"].sort_by("trip"), raw["weather"].sort_by("hour")
        return trams.computed({"trips": trips, "weather": weather}, at)

    data = TramData(
        seen_at=lambda moment: shuffled(trams.known_at(moment), 1), tables=lambda: shuffled(trams.raw_tables(), 2)
    )
    return trams.system(ref).with_parts(data=data, features=TramFeatures(making=compute))
