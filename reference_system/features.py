"""The batch path: from raw tables to one row of model inputs per departed flight."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reference_system import communities, events, flights, offline, records, row_features
from reference_system.catalogue import FEATURES
from reference_system.references import References

TARGET = "block_deviation"
SPLITS: Mapping[str, tuple[date, date]] = {
    "train": (date(2013, 1, 1), date(2013, 9, 1)),
    "validation": (date(2013, 9, 1), date(2013, 11, 1)),
    "holdout": (date(2013, 11, 1), date(2014, 1, 1)),
}


def compute(
    raw: Mapping[str, pa.Table],
    window: tuple[datetime, datetime] | None = None,
    kept: dict[str, flights.Floats] | None = None,
) -> pa.Table:
    """Model inputs of every flight that pushed back in ``window`` (aware, from inclusive to exclusive; None is all).

    Rows are in order of push-back, then flight_id. Columns: ``flight_id``; ``pushed_back_at``, the moment of
    prediction, and ``landed_at`` (timestamps in UTC, null if diverted); ``day``, local date of the scheduled departure
    as ISO text; ``haul``; ``community`` and ``carrier_kind``, by which groups are compared; the target
    ``block_deviation`` in minutes (null if diverted); then the features of the catalogue, numbers float64 with null for
    unknown, categories text. History before the window is read from ``raw``; nothing dated at or after a flight's
    push-back enters its features, the published timetable excepted.

    ``kept`` holds values of window features that were computed before from the same rows, which are not computed again;
    those that it lacks are put into it.
    """
    known = row_features.facts(records.columns_of(raw["flights"]), References.from_raw(raw))
    history = events.flight_events(known)
    chosen = np.flatnonzero(_inside(known["pushed_back_at"].astype(np.float64), window))
    order = np.lexsort((known["flight_id"][chosen].astype(str), known["pushed_back_at"][chosen]))
    chosen = chosen[order]
    rows = {name: column[chosen] for name, column in known.items()}
    weather, moments = events.weather_events(raw["weather"]), history.take(pa.array(chosen))
    values = offline.window_values(history, weather, moments, kept)
    if kept is not None:
        kept.update(values)
    return _table(rows, row_features.inputs(rows, values))


def split(table: pa.Table, name: str) -> pa.Table:
    """Rows of ``table`` whose local ``day`` lies in the split ``train``, ``validation`` or ``holdout``."""
    begin, end = (day.isoformat() for day in SPLITS[name])
    return table.filter(pc.and_(pc.greater_equal(table["day"], begin), pc.less(table["day"], end)))


def training_rows(table: pa.Table, since: date) -> pa.Table:
    """Rows of the training split from a first day on."""
    rows = split(table, "train")
    return rows.filter(pc.greater_equal(rows["day"], since.isoformat()))


def _inside(
    moments: flights.Floats, window: tuple[datetime, datetime] | None
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if window is None:
        return np.isfinite(moments)
    begin, end = (events.seconds(edge) for edge in window)
    return (moments >= begin) & (moments < end)


def _table(rows: flights.Columns, inputs: Mapping[str, np.ndarray[tuple[int], np.dtype[np.generic]]]) -> pa.Table:
    pushed_back_at = rows["pushed_back_at"].astype(np.float64)
    columns: dict[str, pa.Array] = {
        "flight_id": pa.array(rows["flight_id"], pa.string()),
        "pushed_back_at": events.timestamps(pushed_back_at),
        "landed_at": events.timestamps(rows["landed_at"].astype(np.float64)),
        "day": pa.array(np.datetime_as_string(rows["date"].astype("datetime64[D]")).tolist(), pa.string()),
        "haul": pa.array(flights.haul(rows["distance"].astype(np.float64)), pa.string()),
        **{name: pa.array(v, pa.string()) for name, v in communities.columns_of(rows["dest"], rows["carrier"]).items()},
        TARGET: pa.array(rows[TARGET], pa.float64(), from_pandas=True),
    }
    for feature in FEATURES:
        kind = pa.float64() if feature.dtype == "float" else pa.string()
        columns[feature.name] = pa.array(inputs[feature.name], kind, from_pandas=True)
    return pa.table(columns)
