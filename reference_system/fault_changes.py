"""How flights are changed: the steps that the faults of this system are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isnan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.parts import ExchangedData, ExchangedTraining, exchanged_model
from mltest.faults.rows import floats, replaced, with_column
from mltest.system import System

Change = Callable[[pa.Table], pa.Table]


def raw_table_exchanged(system: System, name: str, change: Change | None) -> System:
    """The system whose raw table `name` passed through `change`."""
    data = columns.data_of(system)
    if change is None:
        return system.with_parts(data=ExchangedData(data))
    return system.with_parts(
        data=ExchangedData(data, raw_rows=lambda table, rows: change(rows) if table == name else rows)
    )


def relative_humidity(temperature: np.ndarray, dew_point: np.ndarray) -> np.ndarray:
    """Per cent, from degrees Fahrenheit by Magnus' formula (Alduchov and Eskridge 1996); shape (rows,)."""
    saturation = [17.625 * c / (243.04 + c) for c in ((f - 32) / 1.8 for f in (temperature, dew_point))]
    return np.asarray(np.minimum(100.0, 100.0 * np.exp(saturation[1] - saturation[0])))


def changed(rows: pa.Table, column: str, chosen: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> pa.Table:
    """The rows with `change` applied to the values of a numeric column under a mask of shape (rows,)."""
    return with_column(rows, column, replaced(rows.column(column), chosen, change)) if chosen.any() else rows


def later(column: str, value: str, minutes: float) -> Change:
    """Adds minutes to the target of the rows in which `column` holds `value`."""

    def change(rows: pa.Table) -> pa.Table:
        chosen = np.asarray(pc.equal(rows.column(column), value).to_numpy(zero_copy_only=False), dtype=bool)
        return changed(rows, "block_deviation", chosen, lambda deviation: deviation + minutes)

    return change


def coded(system: System, order: Callable[[Sequence[str]], Iterable[str]] | None) -> System:
    """The system that reads and learns the codes of airlines in place of their names."""
    from reference_system.raw_schemas import CARRIERS

    if order is None:
        return system.with_parts(training=ExchangedTraining(training_of(system)))
    codes = {name: f"{place:02d}" for place, name in enumerate(order(CARRIERS))}

    def written(rows: pa.Table) -> pa.Table:
        names = rows.column("carrier").to_pylist()
        return with_column(rows, "carrier", pa.array([codes.get(name, name) for name in names], pa.string()))

    return system.with_parts(
        training=ExchangedTraining(
            training_of(system), before=written, loaded=lambda model: exchanged_model(model, before=written)
        )
    )


def with_actual_hour(log: pa.Table, column: str) -> pa.Table:
    """The log with the hour of the actual departure, two digits, in `column`."""
    hours = np.floor(floats(log.column("departure_minute")) / 60).tolist()
    return with_column(log, column, pa.array([None if isnan(h) else f"{int(h):02d}" for h in hours], pa.string()))
