"""Batches that sweep what a model may be asked: extremes inside the domain that it learned from, and values outside.

Extremes are combined so that every pair of inputs meets in all four corners (an orthogonal array of strength 2, after
Sylvester), which finds overflows that need two large inputs at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.probes.numeric_domain import Domain, NumericInput, floats, is_number, ordinary

BASES = 4
MOST_LEVELS = 300
"""Levels of one category that get a row each, the rarest first."""
MOST_PAIRS = 1_000
NEARBY = 0.05
"""A value just outside lies this share of the range beyond its end: the next record, not another quantity."""
FAR = 1e38
"""Near the largest number of single precision (3.4e38): no quantity, and no overflow yet."""


@dataclass(frozen=True)
class Sweep:
    """Rows with a label each that says which value of which input they try."""

    rows: pa.Table
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Edges:
    """The same rows three times: with one input just inside an end of its range, at the end, and just outside."""

    inside: pa.Table
    end: pa.Table
    outside: pa.Table
    labels: tuple[str, ...]


def unchanged(rows: pa.Table) -> Sweep:
    """Rows as they came."""
    return Sweep(rows, tuple(f"ordinary row {i}" for i in range(rows.num_rows)))


def legal(domain: Domain, seed: int) -> Sweep:
    """Extremes that are inside the domain: rows that really hold them, one input at a time, and all pairs."""
    bases = ordinary(domain, seed, BASES)
    tables, labels = [], []
    for number in domain.numbers:
        values = floats(domain.rows[number.name])
        where = [int(np.nanargmin(values)), int(np.nanargmax(values))]
        tables.append(domain.rows.take(pa.array(where)))
        labels += [f"{number.name} at its smallest, {number.low:g}", f"{number.name} at its largest, {number.high:g}"]
        tried = _tried(number)
        for value in tried:
            tables.append(_with(bases, {number.name: [value] * bases.num_rows}))
            labels += [f"{number.name} = {'missing' if value is None else f'{value:g}'}"] * bases.num_rows
    corners = _corners(domain, bases)
    rows = dict((*_levels(domain), *_equal(domain, seed)))
    return Sweep(
        pa.concat_tables([*tables, corners, *rows.values()]),
        (*labels, *["extremes combined"] * corners.num_rows, *rows),
    )


def illegal(domain: Domain, seed: int) -> Sweep:
    """Values that no row of the domain holds and that must be refused or flagged: infinities, and missing values
    where none was ever missing, be they nulls or NaN."""
    base = ordinary(domain, seed, 1)
    cases: list[tuple[str, str, float | None]] = []
    for number in domain.numbers:
        if pa.types.is_floating(base[number.name].type):
            cases += [(f"{number.name} = {value:g}", number.name, value) for value in (np.inf, -np.inf)]
            cases += [] if number.nullable else [(f"{number.name} = NaN", number.name, np.nan)]
    cases += [(f"{name} = missing", name, None) for name in domain.required]
    return _cases(base, cases)


def far(domain: Domain, seed: int) -> Sweep:
    """Finite numbers that are no quantity."""
    base = ordinary(domain, seed, 1)
    floating = [number.name for number in domain.numbers if _holds_far(base[number.name].type)]
    return _cases(base, [(f"{name} = {value:g}", name, value) for name in floating for value in (FAR, -FAR)])


def edges(domain: Domain, seed: int) -> Edges:
    """Both ends of the range of every input, seen from inside and from outside; inputs that hardly vary have none."""
    bases = ordinary(domain, seed, BASES)
    found: tuple[list[pa.Table], ...] = ([], [], [])
    labels: list[str] = []
    for number in domain.numbers:
        step = NEARBY * (number.high - number.low)
        if step == 0 or not _fits(number, step, bases[number.name].type):
            continue
        for end, outward in ((number.low, -step), (number.high, step)):
            for tables, value in zip(found, (end - outward, end, end + outward), strict=True):
                tables.append(_with(bases, {number.name: [value] * bases.num_rows}))
            labels += [f"{number.name} = {end + outward:g}, just outside {number.low:g} to {number.high:g}"] * len(
                bases
            )
    inside, end_rows, outside = (pa.concat_tables(tables) if tables else bases.slice(0, 0) for tables in found)
    return Edges(inside, end_rows, outside, tuple(labels))


def beside(rows: pa.Table, domain: Domain) -> tuple[pa.Table, pa.Table]:
    """The rows just below and just above."""
    return nudged(rows, domain, -np.inf), nudged(rows, domain, np.inf)


def nudged(rows: pa.Table, domain: Domain, towards: float) -> pa.Table:
    """The rows with every floating input moved by one unit in the last place of single precision, inside its range.

    An exact 0 stays: the number next to it is no small change but another sign, and often another meaning.
    """
    changed: dict[str, Any] = {}
    for number in domain.numbers:
        if pa.types.is_floating(rows.schema.field(number.name).type):
            values = floats(rows[number.name])
            moved = np.nextafter(values.astype(np.float32), np.float32(towards)).astype(np.float64)
            changed[number.name] = np.where(values == 0, values, np.clip(moved, number.low, number.high))
    return _with(rows, changed)


def _cases(base: pa.Table, cases: list[tuple[str, str, float | None]]) -> Sweep:
    tables = [_with(base, {name: [value]}) for _, name, value in cases]
    return Sweep(pa.concat_tables(tables) if tables else base.slice(0, 0), tuple(label for label, _, _ in cases))


def _holds_far(kind: pa.DataType) -> bool:
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def _fits(number: NumericInput, step: float, kind: pa.DataType) -> bool:
    """Whether values just outside the range can be told from its ends in a column of this type."""
    if pa.types.is_floating(kind):
        return True
    limits = np.iinfo(kind.to_pandas_dtype())
    return step >= 1 and number.low - step >= limits.min and number.high + step <= limits.max


def _tried(number: NumericInput) -> tuple[float | None, ...]:
    inside = [number.low, number.high, (number.low + number.high) / 2]
    inside += [value for value in (0.0, -0.0, float(np.finfo(np.float32).tiny)) if number.low <= value <= number.high]
    return (*inside, None) if number.nullable else tuple(inside)


def _corners(domain: Domain, bases: pa.Table) -> pa.Table:
    count = 1 << len(domain.numbers).bit_length()
    rows = bases.take(pa.array(np.arange(count) % bases.num_rows))
    corners: dict[str, Any] = {}
    for position, number in enumerate(domain.numbers, start=1):
        high = np.array([bin(row & position).count("1") % 2 == 1 for row in range(count)])
        corners[number.name] = np.where(high, number.high, number.low)
    return _with(rows, corners)


def _levels(domain: Domain) -> Iterator[tuple[str, pa.Table]]:
    """A training row of every level of every category, the rarest levels first."""
    for name in domain.rows.column_names:
        kind = domain.rows[name].type
        if is_number(kind) or not (pa.types.is_string(kind) or pa.types.is_dictionary(kind)):
            continue
        words = domain.rows[name].combine_chunks().cast(pa.string())
        known, first, counts = np.unique(_codes(words), return_index=True, return_counts=True)
        for position in np.argsort(counts, kind="stable")[:MOST_LEVELS]:
            if known[position] >= 0:
                row = int(first[position])
                yield f"{name} = {words[row]}", domain.rows.slice(row, 1)


def _codes(words: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(words.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False))


def _equal(domain: Domain, seed: int) -> Iterator[tuple[str, pa.Table]]:
    """A row for each pair of numbers of which now one and now the other is larger: somewhere they are equal."""
    rows = ordinary(domain, seed)
    values = {number.name: floats(rows[number.name]) for number in domain.numbers}
    middle = {name: float(np.nanmedian(each)) for name, each in values.items() if not np.isnan(each).all()}
    pairs = [(one, other) for one, other in combinations(domain.numbers, 2) if {one.name, other.name} <= set(middle)]
    for position, (one, other) in enumerate(pairs[:MOST_PAIRS]):
        apart = values[one.name] - values[other.name]
        if not ((apart > 0).any() and (apart < 0).any()):
            continue
        shared = float(np.clip(middle[one.name], max(one.low, other.low), min(one.high, other.high)))
        if any(pa.types.is_integer(rows[number.name].type) for number in (one, other)):
            shared = float(round(shared))
        row = rows.slice(position % len(rows), 1)
        label = f"{one.name} = {other.name} = {shared:g}"
        yield label, _with(row, {one.name: [shared], other.name: [shared]})


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
