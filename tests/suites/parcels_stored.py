"""Parcels again: logs that keep the same values in another way, and logs that lack or add something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from mltest.system import FeatureInfo, System, SystemRef, Window
from tests.suites import parcels as plain
from tests.suites.parcels import INPUTS, ROLES, ParcelData, ParcelFeatures, ParcelServing, Rows


def stored(ref: SystemRef, logs: Callable[[pa.Table], pa.Table]) -> System:
    return replace(plain.system(ref), serving=ParcelServing(logs=logs))


def with_column(log: pa.Table, name: str, values: list[Any]) -> pa.Table:
    return log.set_column(log.column_names.index(name), name, pa.array(values))


def moment_as_number(ref: SystemRef) -> System:
    """The log keeps moments as thousandths of a second since 1970."""
    return stored(
        ref,
        lambda log: with_column(log, "sent_at", [round(t.timestamp() * 1000) for t in log["sent_at"].to_pylist()]),
    )


def weight_as_decimal(ref: SystemRef) -> System:
    def exact(log: pa.Table) -> pa.Table:
        weights = [None if value is None else Decimal(repr(value)) for value in log["weight"].to_pylist()]
        return with_column(log, "weight", weights)

    return stored(ref, exact)


def probe_of_health(log: pa.Table) -> pa.Table:
    return pa.concat_tables([log, with_column(log.slice(0, 1), "parcel", ["health"])])


def health_row(ref: SystemRef) -> System:
    """The log has a row of a health check that nobody asked for."""
    return stored(ref, probe_of_health)


def without_moment(ref: SystemRef) -> System:
    """The server answers for another moment, and the log does not keep which."""
    late: Any = plain.a_second_late(ref).serving
    return replace(plain.system(ref), serving=replace(late, logs=lambda log: log.drop_columns(["sent_at"])))


def moment_renamed(ref: SystemRef) -> System:
    return stored(ref, lambda log: log.rename_columns({"sent_at": "answered_for"}))


def recomputed_beside_health(ref: SystemRef) -> System:
    """A log filled from the batch path afterwards, to which every look adds a health check."""
    looks: list[int] = []
    recomputed: Any = plain.recomputed_log(ref).serving

    def logs(log: pa.Table) -> pa.Table:
        looks.append(1)
        found = recomputed.logs(log)
        return pa.concat_tables([found, *(with_column(found.slice(0, 1), "parcel", ["health"]) for _ in looks)])

    return replace(plain.system(ref), serving=replace(recomputed, logs=logs))


class KeyedByTime(ParcelData):
    roles = replace(ROLES, keys=("depot", "sent_at"))


def time_in_key(ref: SystemRef) -> System:
    """A parcel is known by depot and moment, and the log prints moments in another zone."""
    return replace(plain.another_zone_and_width(ref), data=KeyedByTime())


def number_of_time_in_key(ref: SystemRef) -> System:
    return replace(moment_as_number(ref), data=KeyedByTime())


@dataclass(frozen=True)
class OneMore:
    """One more feature: its name, and its value from a row of the others."""

    name: str
    value: Callable[[dict[str, Any]], Any]

    def beside(self, rows: pa.Table) -> pa.Table:
        return rows.append_column(self.name, pa.array([self.value(row) for row in rows.to_pylist()]))


def with_one_more(ref: SystemRef, more: OneMore, live: Callable[[dict[str, Any]], Any]) -> System:
    """The system with one more feature, whose live path computes it as `live` does."""

    class Data(ParcelData):
        roles = replace(ROLES, inputs=(*INPUTS, more.name))

        def dataset(self, split: str) -> pa.Table:
            return more.beside(super().dataset(split))

    class Features(ParcelFeatures):
        catalogue = (*ParcelFeatures().catalogue, FeatureInfo(more.name, "float", "parcels", "ops", "on sending"))

        def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
            return more.beside(super().compute(raw, at))

    def change(rows: Rows) -> Rows:
        return [{**row, more.name: live(row)} for row in rows]

    return replace(plain.system(ref), data=Data(), features=Features(), serving=ParcelServing(change))


NIGHT = OneMore("night", lambda row: row["local_hour"] < 6)
TINY = OneMore("share", lambda row: None if row["weight"] is None else row["weight"] * 1e-8)


def truth_as_number(ref: SystemRef) -> System:
    """The log keeps a truth value as 0 or 1."""
    return with_one_more(ref, NIGHT, lambda row: int(NIGHT.value(row)))


def truth_turned(ref: SystemRef) -> System:
    return with_one_more(ref, NIGHT, lambda row: int(not NIGHT.value(row)))


def tiny_feature(ref: SystemRef) -> System:
    return with_one_more(ref, TINY, TINY.value)


def tiny_feature_lost(ref: SystemRef) -> System:
    """A feature of the size of 1e-8 is served as 0."""
    return with_one_more(ref, TINY, lambda row: None if row["weight"] is None else 0.0)
