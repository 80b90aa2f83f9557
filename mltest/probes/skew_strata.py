"""Kinds of rows on which two paths tend to part: gaps, unseen and rare categories, extremes, midnight, clock changes.

They serve twice: so that hard rows are asked for, and so that a difference can be named by the rows that it is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from mltest.probes.skew_values import Values, values_of
from mltest.probes.skew_windows import Stretch
from mltest.stats.arrays import is_missing

if TYPE_CHECKING:
    import pyarrow as pa

BoolArray = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

OF_A_HARD_STRATUM = 30
OF_AN_EXTREME = 4
RARE = 0.01
"""Share of the training rows below which a category is rare."""

CHANCE = 1e-4
"""Below it, what all rows of one stratum have in common is no accident, though there are dozens of strata."""

_MOST_VALUES = 200


@dataclass(frozen=True)
class Stratum:
    """A kind of row: its name reads after "the rows where"; `rows` is a mask, `wanted` how many are to be asked for.

    None are wanted of a stratum that is only there to explain differences.
    """

    name: str
    rows: BoolArray = field(repr=False)
    wanted: int = 0


def hard(batch: pa.Table, inputs: Sequence[str], learned: pa.Table, time: str, stretch: Stretch) -> tuple[Stratum, ...]:
    """Every hard stratum of the batch rows that has a row in it; `learned` are the training rows."""
    found = list(_of_time(values_of(batch.column(time)), stretch))
    for name in inputs:
        values = values_of(batch.column(name))
        found.append(Stratum(f"{name} is missing", is_missing(values), OF_A_HARD_STRATUM))
        if values.dtype.kind in "fiu":
            found += _of_number(name, values)
        elif values.dtype.kind == "O" and name in learned.column_names:
            found += _of_category(name, values, values_of(learned.column(name)))
    return tuple(stratum for stratum in found if stratum.rows.any())


def values_taken(batch: pa.Table, names: Sequence[str]) -> tuple[Stratum, ...]:
    """One stratum for every value of every category among `names`."""
    found = []
    for name in names:
        values = values_of(batch.column(name))
        if values.dtype.kind == "O":
            words = sorted({str(value) for value in values[~is_missing(values)].tolist()})[:_MOST_VALUES]
            texts = values.astype(str)
            found += [Stratum(f"{name} is {word}", np.asarray(texts == word)) for word in words]
    return tuple(found)


def choose(strata: Sequence[Stratum], rows: int, wanted: int) -> Positions:
    """Positions, ascending: of each stratum as many as it wants, the rarest first, then evenly spread others.

    There are at least `wanted` of them unless there are fewer rows.
    """
    chosen = np.zeros(rows, dtype=np.bool_)
    for stratum in sorted(strata, key=lambda each: int(each.rows.sum())):
        lacking = stratum.wanted - int((stratum.rows & chosen).sum())
        chosen[spread(np.flatnonzero(stratum.rows & ~chosen), lacking)] = True
    chosen[spread(np.flatnonzero(~chosen), wanted - int(chosen.sum()))] = True
    return np.flatnonzero(chosen)


def unmet(strata: Sequence[Stratum], offered: BoolArray) -> tuple[str, ...]:
    """Names of the strata of which no row is offered, unless so few rows are that this may be chance.

    Of two that are the same rows the first is named.
    """
    lacking = 1.0 - float(offered.mean())
    found: dict[bytes, str] = {}
    for each in strata:
        rows = int(each.rows.sum())
        if rows and not (each.rows & offered).any() and lacking**rows < CHANCE:
            found.setdefault(each.rows.tobytes(), each.name)
    return tuple(found.values())


def spread(positions: Sequence[int] | Positions, count: int) -> Positions:
    """At most `count` of the positions, evenly spread."""
    every = np.asarray(positions, dtype=np.intp)
    if count <= 0 or len(every) <= count:
        return every if count > 0 else every[:0]
    return every[np.linspace(0, len(every) - 1, count).round().astype(np.intp)]


def _of_time(moments: Values, stretch: Stretch) -> Iterator[Stratum]:
    if moments.dtype.kind != "M":
        return
    known = ~np.isnat(moments)
    for zone in dict.fromkeys(name for name in ("UTC", stretch.zone) if name):
        hours = _local_hours(moments, zone)
        yield Stratum(f"it is within an hour of midnight in {zone}", known & ((hours == 0) | (hours == 23)), 30)
    place = np.arange(len(moments))
    yield Stratum("they are the first of the window", place < OF_A_HARD_STRATUM, OF_A_HARD_STRATUM)
    yield Stratum("they are the last of the window", place >= len(place) - OF_A_HARD_STRATUM, OF_A_HARD_STRATUM)
    if stretch.change is None:
        return
    change = np.datetime64(stretch.change.astimezone(UTC).replace(tzinfo=None), "us")
    distance = moments - change
    night = known & (np.abs(distance) <= np.timedelta64(timedelta(hours=12)))
    yield Stratum(f"the clocks in {stretch.zone} are changed within 12 hours", night, 2 * OF_A_HARD_STRATUM)
    yield Stratum(f"the clocks in {stretch.zone} are not changed yet", known & (moments < change), 100)
    yield Stratum(f"the clocks in {stretch.zone} have been changed", known & (moments >= change), 100)


def _local_hours(moments: Values, zone: str) -> npt.NDArray[np.int64]:
    place = ZoneInfo(zone)
    plain = moments.astype("datetime64[s]").tolist()
    return np.array([-1 if m is None else m.replace(tzinfo=UTC).astimezone(place).hour for m in plain], dtype=np.int64)


def _of_number(name: str, values: Values) -> Iterator[Stratum]:
    finite = np.isfinite(values)
    if not finite.any():
        return
    low, high = np.quantile(values[finite], (0.01, 0.99))
    yield Stratum(f"{name} is 0", finite & (values == 0), OF_AN_EXTREME)
    yield Stratum(f"{name} is negative", finite & (values < 0), OF_AN_EXTREME)
    if low < high:
        yield Stratum(f"{name} is among its lowest hundredth", finite & (values <= low), OF_AN_EXTREME)
        yield Stratum(f"{name} is among its highest hundredth", finite & (values >= high), OF_AN_EXTREME)
        yield Stratum(
            f"{name} is at its end", finite & np.isin(values, (values[finite].min(), values[finite].max())), 2
        )


def _of_category(name: str, values: Values, learned: Values) -> Iterator[Stratum]:
    known = ~is_missing(values)
    words, counts = np.unique(learned[~is_missing(learned)].astype(str), return_counts=True)
    rare = words[counts < RARE * max(1, len(learned))]
    texts = values.astype(str)
    yield Stratum(f"{name} was never seen in training", known & ~np.isin(texts, words), OF_A_HARD_STRATUM)
    yield Stratum(f"{name} is rare", known & np.isin(texts, rare), OF_A_HARD_STRATUM)
