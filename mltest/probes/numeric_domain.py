"""Batches that sweep what a model may be asked: extremes inside the domain that it learned from, and values outside.

The domain is observed and not declared: what occurs in the training rows, however rare, is legal and must be
answered. Extremes are combined so that every pair of inputs meets in all four corners (an orthogonal array of
strength 2, after Sylvester), which finds overflows that need two large inputs at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.system import Data, Split

FEWEST_ROWS = 100
ORDINARY_ROWS = 5_000
BASES = 4
_A_DAY = timedelta(days=1)
_SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")


@dataclass(frozen=True)
class NumericInput:
    """A numeric input: its observed range and whether training rows lack it."""

    name: str
    low: float
    high: float
    nullable: bool


@dataclass(frozen=True)
class Sweep:
    """Rows with a label each that says which value of which input they try."""

    rows: pa.Table
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """Training rows reduced to the model's inputs, and what they show of each."""

    rows: pa.Table
    numbers: tuple[NumericInput, ...]
    required: tuple[str, ...]
    """Inputs that no training row lacks, numeric or not."""


def observe(rows: pa.Table, inputs: Sequence[str], nullable: Sequence[str] = ()) -> Domain:
    """The domain of the training rows. `nullable` names inputs that may be missing although no row lacks them.

    Raises Withheld when rows or inputs are missing, or when an input has no finite value at all.
    """
    missing = [name for name in inputs if name not in rows.column_names]
    if missing or not inputs:
        what = f"the training rows lack the input {missing[0]!r}" if missing else "the model names no inputs"
        raise Withheld(f"{what}: name the columns that the model reads", ReasonCode.PART_MISSING)
    if rows.num_rows < FEWEST_ROWS:
        raise Withheld(
            f"{rows.num_rows} training rows show no domain, {FEWEST_ROWS} are needed", ReasonCode.TOO_LITTLE_DATA
        )
    chosen = rows.select(list(inputs))
    lacking = {name for name in inputs if chosen[name].null_count or _nans(chosen[name])} | set(nullable)
    numbers = tuple(_numeric(chosen, name, name in lacking) for name in inputs if is_number(chosen[name].type))
    if not numbers:
        raise Withheld("the model reads no numeric input: there is no arithmetic to try", ReasonCode.PART_MISSING)
    return Domain(chosen, numbers, tuple(name for name in inputs if name not in lacking))


def require_current(data: Data, until: datetime | None) -> None:
    """Raises Withheld when the model learnt until after the newest row of all splits: it has another domain."""
    newest = max((moment for split in _SPLITS for moment in _newest(data, split)), default=None)
    if until is None or newest is None:
        return
    learned = until if until.tzinfo else until.replace(tzinfo=UTC)
    if learned > newest + _A_DAY:
        raise Withheld(
            f"the model was trained until {learned:%Y-%m-%d}, and no row is newer than {newest:%Y-%m-%d}: offer the "
            "rows that it was trained on",
            ReasonCode.STALE,
        )


def _newest(data: Data, split: Split) -> list[datetime]:
    """The last instant of a split; none where there is no such split, or no instant in it."""
    time = data.roles.time
    try:
        rows = None if time is None else tables.to_arrow(data.dataset(split))
    except (KeyError, Withheld):
        return []
    if rows is None or time not in rows.column_names or not pa.types.is_timestamp(rows.column(time).type):
        return []
    last = pc.max(rows.column(time)).as_py()
    return [] if last is None else [last if last.tzinfo else last.replace(tzinfo=UTC)]


def is_number(kind: pa.DataType) -> bool:
    """Whether a column holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def ordinary(domain: Domain, seed: int, count: int = ORDINARY_ROWS) -> pa.Table:
    """Rows as they come, drawn without replacement."""
    size = min(count, domain.rows.num_rows)
    drawn = np.random.default_rng((seed, 1)).choice(domain.rows.num_rows, size=size, replace=False)
    return domain.rows.take(pa.array(np.sort(drawn)))


def legal(domain: Domain, seed: int) -> Sweep:
    """Extremes that are inside the domain: rows that really hold them, one input at a time, and all pairs."""
    bases = ordinary(domain, seed, BASES)
    tables, labels = [], []
    for number in domain.numbers:
        values = _floats(domain.rows[number.name])
        where = [int(np.nanargmin(values)), int(np.nanargmax(values))]
        tables.append(domain.rows.take(pa.array(where)))
        labels += [f"{number.name} at its smallest, {number.low:g}", f"{number.name} at its largest, {number.high:g}"]
        tried = _tried(number)
        for value in tried:
            tables.append(_with(bases, {number.name: [value] * bases.num_rows}))
            labels += [f"{number.name} = {'missing' if value is None else f'{value:g}'}"] * bases.num_rows
    pairs = _pairs(domain, bases)
    return Sweep(pa.concat_tables([*tables, pairs]), (*labels, *["extremes combined"] * pairs.num_rows))


def illegal(domain: Domain, seed: int) -> Sweep:
    """Values that no row of the domain holds and that must be refused or flagged: infinities, and missing values
    where none was ever missing."""
    base = ordinary(domain, seed, 1)
    tables, labels = [], []
    for number in domain.numbers:
        if pa.types.is_floating(base[number.name].type):
            for value in (np.inf, -np.inf):
                tables.append(_with(base, {number.name: [value]}))
                labels.append(f"{number.name} = {value:g}")
    for name in domain.required:
        tables.append(_with(base, {name: [None]}))
        labels.append(f"{name} = missing")
    return Sweep(pa.concat_tables(tables) if tables else base.slice(0, 0), tuple(labels))


def nudged(rows: pa.Table) -> pa.Table:
    """The rows with every floating input moved by one unit in the last place of single precision."""
    changed: dict[str, Any] = {}
    for field in rows.schema:
        if pa.types.is_floating(field.type):
            values = _floats(rows[field.name]).astype(np.float32)
            changed[field.name] = np.nextafter(values, np.float32(np.inf)).astype(np.float64)
    return _with(rows, changed)


def _tried(number: NumericInput) -> tuple[float | None, ...]:
    inside = [number.low, number.high, (number.low + number.high) / 2]
    inside += [value for value in (0.0, -0.0, float(np.finfo(np.float32).tiny)) if number.low <= value <= number.high]
    return (*inside, None) if number.nullable else tuple(inside)


def _pairs(domain: Domain, bases: pa.Table) -> pa.Table:
    count = 1 << len(domain.numbers).bit_length()
    rows = bases.take(pa.array(np.arange(count) % bases.num_rows))
    corners: dict[str, Any] = {}
    for position, number in enumerate(domain.numbers, start=1):
        high = np.array([bin(row & position).count("1") % 2 == 1 for row in range(count)])
        corners[number.name] = np.where(high, number.high, number.low)
    return _with(rows, corners)


def _with(rows: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    for name, column in values.items():
        position = rows.column_names.index(name)
        kind = rows.schema.field(name).type
        if isinstance(column, np.ndarray):
            array = pa.array(column, mask=np.isnan(column))
        else:
            array = pa.array(column, pa.float64() if is_number(kind) else kind)
        rows = rows.set_column(position, name, pc.cast(array, kind, safe=False))
    return rows


def _numeric(rows: pa.Table, name: str, nullable: bool) -> NumericInput:
    values = _floats(rows[name])
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise Withheld(f"the training rows hold no number in {name!r}: nothing is known of its domain")
    if np.isinf(values).any():
        raise Withheld(f"the training rows hold an infinite {name!r}: mend the data before the model is judged")
    return NumericInput(name, float(finite.min()), float(finite.max()), nullable)


def _floats(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    numbers = pc.fill_null(pc.cast(column, pa.float64(), safe=False), float("nan"))
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _nans(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py())
