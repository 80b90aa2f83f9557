"""Faults of what a model reads: inputs that say nothing, inputs that say it twice, inputs that died."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.liveness import data_changed
from mltest.faults.parts import ExchangedData, ExchangedFeatures, ExchangedServing, ExchangedTraining
from mltest.faults.registry import fault, twin
from mltest.faults.rows import floats, is_numeric, latest, normal, uniform, with_column
from mltest.system import FeatureInfo, Roles, System

LEVELS = 500
"""Values of the meaningless category."""

Column = Callable[[pa.Table], Any]


def with_inputs(system: System, new: Mapping[str, Column]) -> System:
    """The system with more inputs, each made from the rows of a table, on every path on which rows travel."""
    if not new:
        return system.with_parts(data=ExchangedData(columns.data_of(system)))

    def widened(rows: pa.Table) -> pa.Table:
        made = {name: make(rows) for name, make in new.items()}
        for name, values in made.items():
            rows = with_column(rows, name, values)
        return rows

    def meaning(roles: Roles) -> Roles:
        return replace(roles, inputs=(*roles.inputs, *new)) if roles.inputs else roles

    data = ExchangedData(columns.data_of(system), rows=lambda _, rows: widened(rows), meaning=meaning)
    changed: dict[str, Any] = {"data": data}
    if system.features is not None:
        changed["features"] = ExchangedFeatures(
            system.features, computed=widened, listed=lambda known: [*known, *map(_entry, new)]
        )
    if system.training is not None:
        changed["training"] = ExchangedTraining(system.training, configured=lambda config: _reading(config, tuple(new)))
    if system.serving is not None:
        changed["serving"] = ExchangedServing(system.serving, logged=widened)
    return system.with_parts(**changed)


def with_dead_input(system: System, column: str) -> System:
    """The system in which `column` is missing in every row, on every path."""

    def emptied(rows: pa.Table) -> pa.Table:
        if column not in rows.column_names:
            return rows
        kind = rows.column(column).type
        return with_column(rows, column, pa.nulls(rows.num_rows, type=kind))

    changed: dict[str, Any] = {"data": ExchangedData(columns.data_of(system), rows=lambda _, rows: emptied(rows))}
    if system.features is not None:
        changed["features"] = ExchangedFeatures(system.features, computed=emptied)
    if system.serving is not None:
        changed["serving"] = ExchangedServing(system.serving, logged=emptied)
    return system.with_parts(**changed)


@fault(
    "O-D2-a",
    item="data.benefit",
    seam="feat",
    doses=(1, 3, 10),
    must_catch=1,
    parts=("data",),
    alive=data_changed,
    why="features that cost and bring nothing (Sculley et al. 2015: epsilon features)",
)
def noise_input(system: System, dose: float, workdir: Path) -> System:
    """`dose` more inputs that are standard normal noise, drawn from a hash of the row's keys."""
    anchor = _anchor(system)
    new = {f"injected_noise_{k}": _noise(anchor, 100 + k) for k in range(int(dose))}
    return with_inputs(system, new)


@twin("O-D2-a", doses=(0.3,))
def weak_but_real_input(system: System, dose: float, workdir: Path) -> System:
    """One more input that correlates with the target by about `dose`, and is noise for the rest."""
    anchor, target = _anchor(system), columns.data_of(system).roles.target

    def weak(rows: pa.Table) -> Any:
        noise = normal(rows, anchor, 200)
        if target not in rows.column_names:
            return pa.array(noise)
        signal = np.nan_to_num(_standardised(rows.column(target)))
        return pa.array(dose * signal + np.sqrt(1.0 - dose**2) * noise)

    return with_inputs(system, {"injected_weak_signal": weak} if dose else {})


@fault(
    "O-D2-a.category",
    item="data.benefit",
    seam="feat",
    doses=(1, 3),
    must_catch=1,
    parts=("data",),
    alive=data_changed,
    why="an identifier that slipped in as a category: a flexible model learns it by heart",
)
def noise_category(system: System, dose: float, workdir: Path) -> System:
    """`dose` more inputs that are categories of 500 values without meaning."""
    anchor = _anchor(system)
    return with_inputs(system, {f"injected_level_{k}": _levels(anchor, 300 + k) for k in range(int(dose))})


@twin("O-D2-a.category")
def identifier_beside_the_inputs(system: System, dose: float, workdir: Path) -> System:
    """The same column of 500 values without meaning is in the data set, and the model does not read it."""
    return _carried_along(system, "injected_level", _levels(_anchor(system), 300), dose)


@fault(
    "O-D2-b",
    item="data.benefit",
    seam="feat",
    doses=(1,),
    parts=("data",),
    alive=data_changed,
    why="a legacy feature beside its successor: dropping either one alone seems to cost nothing",
)
def duplicate_input(system: System, dose: float, workdir: Path) -> System:
    """One more input that repeats another one in a different unit."""
    column = columns.most_varied_number(system)
    return with_inputs(system, {f"{column}_converted": _converted(column)} if dose else {})


@twin("O-D2-b")
def converted_column_beside_the_inputs(system: System, dose: float, workdir: Path) -> System:
    """The same repetition is carried along in the data set, for reports, and the model does not read it."""
    column = columns.most_varied_number(system)
    return _carried_along(system, f"{column}_converted", _converted(column), dose)


@fault(
    "O-D2-d",
    item="data.benefit",
    seam="feat",
    doses=(1,),
    parts=("data",),
    alive=data_changed,
    why="a join key changed its spelling: the joined columns have been empty ever since, and nobody noticed",
)
def dead_input(system: System, dose: float, workdir: Path) -> System:
    """A numeric input is missing in every row."""
    column = columns.nullable_number(system)
    if dose == 0:
        return system.with_parts(data=ExchangedData(columns.data_of(system)))
    return with_dead_input(system, column)


@twin("O-D2-d")
def constant_on_the_newest_day(system: System, dose: float, workdir: Path) -> System:
    """A numeric input does not vary on the last day of the newest split, as it may on any single day."""
    data, column = columns.data_of(system), columns.nullable_number(system)
    newest = list(columns.splits_of(data))[-1]

    def calmed(split: str, rows: pa.Table) -> pa.Table:
        chosen = latest(rows, data.roles.time, 1.0) & (dose > 0) & (split == newest)
        values = floats(rows.column(column))
        known = values[chosen & ~np.isnan(values)]
        if known.size == 0:
            return rows
        calm = np.where(chosen, known[0], values)
        kind = rows.column(column).type
        return with_column(rows, column, pa.array(calm, mask=np.isnan(calm)).cast(kind))

    return system.with_parts(data=ExchangedData(data, rows=calmed))


def _carried_along(system: System, name: str, make: Column, dose: float) -> System:
    """A column in every split that is no input; inputs that were implied are named for it."""
    data = columns.data_of(system)
    if dose == 0:
        return system.with_parts(data=ExchangedData(data))
    inputs = columns.inputs_of(data.roles, columns.learned_from(data))
    return system.with_parts(
        data=ExchangedData(
            data,
            rows=lambda _, rows: with_column(rows, name, make(rows)),
            meaning=lambda roles: replace(roles, inputs=roles.inputs or inputs),
        )
    )


def _anchor(system: System) -> tuple[str, ...]:
    """The columns that identify a row on every path: its keys, or else all inputs."""
    data = columns.data_of(system)
    return data.roles.keys or columns.inputs_of(data.roles, columns.learned_from(data))


def _noise(anchor: Sequence[str], salt: int) -> Column:
    return lambda rows: pa.array(normal(rows, anchor, salt))


def _levels(anchor: Sequence[str], salt: int) -> Column:
    def make(rows: pa.Table) -> Any:
        levels = np.floor(uniform(rows, anchor, salt) * LEVELS).astype(int)
        return pa.array([f"L{level:03d}" for level in levels], type=pa.string())

    return make


def _converted(column: str) -> Column:
    return lambda rows: pa.array(floats(rows.column(column)) * 1.609) if column in rows.column_names else _absent(rows)


def _absent(rows: pa.Table) -> Any:
    return pa.nulls(rows.num_rows, type=pa.float64())


def _standardised(column: Any) -> np.ndarray:
    """Numbers, or ranks of the values of a class, with mean 0 and deviation 1."""
    if is_numeric(column):
        values = floats(column)
    else:
        words = [str(value) for value in column.to_pylist()]
        ranks = {word: rank for rank, word in enumerate(sorted(set(words)))}
        values = np.array([ranks[word] for word in words], dtype=np.float64)
    return np.asarray((values - np.nanmean(values)) / (np.nanstd(values) or 1.0), dtype=np.float64)


def _entry(name: str) -> FeatureInfo:
    dtype = "category" if "level" in name else "float"
    return FeatureInfo(name=name, dtype=dtype, source="injected", owner="injected", available_at="always")


def _reading(config: Mapping[str, Any], new: tuple[str, ...]) -> Mapping[str, Any]:
    if "inputs" not in config:
        return config
    known = config["inputs"]
    return {**config, "inputs": type(known)([*known, *new])}
