"""Whether expectations were read off the very rows that they are to judge.

An inference leaves traces: bounds that are the ends of the judged rows, as they are, rounded outwards or with a little
slack, where the training rows reach further and an expectation that knew them would too; or bounds that are the ends
of all rows together, to the last digit, where the judged rows reach furthest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.probes import feature_encoding, pandera_schemas
from mltest.probes.pandera_schemas import Declared

MOST_COPIED = 0.5
"""Share of the telling columns whose bounds may coincide with those of the judged rows."""
FEWEST_TELLING = 2
SLACK = 0.02
"""Share of the range by which an inference may have widened it."""
DECIMALS = range(4)
WRITTEN_DIGITS = 5
"""Nobody writes a bound by hand with more significant digits."""


@dataclass(frozen=True)
class Circularity:
    """Columns, or ends of their ranges, where judged and other rows differ, and those declared as judged."""

    telling: tuple[str, ...]
    copied: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether most of at least two telling columns are declared as the judged rows have them."""
        return len(self.telling) >= FEWEST_TELLING and len(self.copied) > MOST_COPIED * len(self.telling)


@dataclass(frozen=True)
class _End:
    """One end of a range, counted outwards (the lower end with its sign changed)."""

    column: str
    declared: float
    judged: float
    learned: float
    span: float
    """Of the judged rows."""


def circularity(
    schema: Any, columns: Sequence[str], judged: pa.Table, train: pa.Table, validation: pa.Table | None = None
) -> Circularity:
    """Compares declared ranges and sets with the extents of the judged and of the other rows, trace by trace."""
    exact = _read_off(schema, columns, judged, train)
    ends = list(_ends(schema, columns, judged, [train] if validation is None else [train, validation]))
    traces = [exact, _within_slack(ends), _of_all_rows(ends)]
    traces += [_rounded(ends, decimals) for decimals in DECIMALS]
    return next((trace for trace in traces if trace.found), exact)


def _read_off(schema: Any, columns: Sequence[str], judged: pa.Table, train: pa.Table) -> Circularity:
    """Both ends, or the whole set of values, are exactly those of the judged rows."""
    telling, copied = [], []
    for name in columns:
        if name not in judged.column_names or name not in train.column_names:
            continue
        said = pandera_schemas.declared(schema, name)
        here, there = _extent(judged.column(name), said), _extent(train.column(name), said)
        if here is None or here == there:
            continue
        telling.append(name)
        if _as_extent(said) == here:
            copied.append(name)
    return Circularity(tuple(telling), tuple(copied))


def _within_slack(ends: Sequence[_End]) -> Circularity:
    """Bounds a little outside the judged rows, and well inside what the training rows hold."""
    return _inside(
        ends, lambda end: end.judged + SLACK * end.span, lambda end, most: end.judged <= end.declared <= most
    )


def _rounded(ends: Sequence[_End], decimals: int) -> Circularity:
    """Bounds that are the ends of the judged rows rounded outwards, inside what the training rows hold."""
    return _inside(
        ends, lambda end: _outwards(end.judged, decimals), lambda end, most: math.isclose(end.declared, most)
    )


def _inside(
    ends: Sequence[_End], inferred: Callable[[_End], float], coincides: Callable[[_End, float], bool]
) -> Circularity:
    """Ends where an inference from the judged rows would refuse training rows, which no honest bound does."""
    telling = [end for end in ends if end.judged <= inferred(end) < end.learned]
    return Circularity(_names(telling), _names([end for end in telling if coincides(end, inferred(end))]))


def _of_all_rows(ends: Sequence[_End]) -> Circularity:
    """Bounds that are, digit for digit, the ends of the judged rows where no other row reaches as far."""
    telling = [end for end in ends if end.judged > end.learned and _is_long(end.judged)]
    return Circularity(_names(telling), _names([end for end in telling if end.declared == end.judged]))


def _names(ends: Sequence[_End]) -> tuple[str, ...]:
    return tuple(end.column for end in ends)


def _ends(schema: Any, columns: Sequence[str], judged: pa.Table, learned: Sequence[pa.Table]) -> Iterator[_End]:
    for name in columns:
        tables = [judged, *learned]
        if any(name not in table.column_names for table in tables):
            continue
        said = pandera_schemas.declared(schema, name)
        extents = [_extent(table.column(name), said) for table in tables]
        ranges = [extent for extent in extents if isinstance(extent, tuple)]
        if said.low is None or said.high is None or len(ranges) < len(tables):
            continue
        here, there = ranges[0], ranges[1:]
        span = here[1] - here[0]
        yield _End(f"{name} below", -said.low, -here[0], -min(low for low, _ in there), span)
        yield _End(f"{name} above", said.high, here[1], max(high for _, high in there), span)


def _outwards(value: float, decimals: int) -> float:
    scale = float(10**decimals)
    return math.ceil(value * scale) / scale


def _is_long(value: float) -> bool:
    return float(f"{value:.{WRITTEN_DIGITS}g}") != value


def _as_extent(said: Declared) -> object:
    if said.values is not None:
        return frozenset(str(value) for value in said.values)
    return said.low, said.high


def _extent(column: pa.ChunkedArray, said: Declared) -> tuple[float, float] | frozenset[str] | None:
    """What an inference would read off the column, in the terms in which it is declared; None for neither."""
    if said.values is not None:
        return frozenset(str(value) for value in feature_encoding.words(column).drop_null().unique().to_pylist())
    if said.low is None or said.high is None or feature_encoding.is_category(column):
        return None
    values = feature_encoding.numbers(column)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else None
