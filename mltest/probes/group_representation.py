"""Is every group among the training rows as it is among those who are served?

Its share of the training rows is set against its share of the raw rows that arrived while they were collected, or an
equal share where that is less: who thins out a majority to hear the others better leaves nobody out. Where
the raw tables do not name the group, a column that both sides have and that settles it (a destination, a carrier)
translates; where nothing does, the held-out rows stand in, with a wider limit, since seasons move shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix, slice_coverage
from mltest.probes.group_rows import MISSING, MOST_UNKNOWN
from mltest.stats.intervals import Interval, wilson
from mltest.system import Data, Window

SMALLEST_BESIDE_RAW = 0.8
"""Share among the training rows over that among the raw rows of the same time: four fifths."""
SMALLEST_BESIDE_HOLDOUT = 0.5
MOST_LOST = 0.01
"""Share of raw rows of which nothing tells the group."""

_LEVEL = 0.99
_FEWEST_EXPECTED = 20.0
_MOST_KEYS = 5_000
_SAME_LANGUAGE = 0.8
_HARDLY_MORE = 1.2
_HOLDOUT = "the holdout"


@dataclass(frozen=True)
class Representation:
    """One group among `n_train` training rows: `found` of them belong to it, `share` of the traffic does.

    `ratio` is its share of training over its share of the traffic, or over an equal share where that is less; `source`
    says what the traffic was read from.
    """

    column: str
    level: str
    found: int
    n_train: int
    share: float
    ratio: float
    interval: Interval
    source: str

    @property
    def name(self) -> str:
        return f"{self.column} = {self.level}"

    @property
    def beside_raw(self) -> bool:
        return self.source != _HOLDOUT

    @property
    def limit(self) -> float:
        return SMALLEST_BESIDE_RAW if self.beside_raw else SMALLEST_BESIDE_HOLDOUT


@dataclass(frozen=True)
class _Traffic:
    """Rows by group, and what they were read from; `lost` is the share of raw rows whose group nothing tells."""

    counts: Counter[str]
    source: str
    lost: float = 0.0


def judge(data: Data) -> tuple[Representation, ...]:
    """Every group of which the traffic asks for at least 20 training rows, least represented first.

    Raises Withheld when no groups are declared, when training or holdout lacks them or has none of a column, and when
    too many raw rows are of a kind that no split has, so that nobody can tell which group was lost.
    """
    train, holdout = data.dataset("train"), data.dataset("holdout")
    _require_groups(data.roles.groups, {"training": train, "held-out": holdout})
    learned_from = slice_coverage.span_of(train, data.roles)
    raw = data.raw(learned_from)
    splits = [train, holdout, *_validation(data)]
    found: list[Representation] = []
    for column in data.roles.groups:
        learned = _counts(train, column)
        traffic = _traffic(data, raw, learned_from, splits, column) or _Traffic(_counts(holdout, column), _HOLDOUT)
        if traffic.lost > MOST_LOST:
            raise Withheld(
                f"{traffic.lost:.1%} of the raw rows have a value in {traffic.source} that no row of the data set has, "
                f"at most {MOST_LOST:.0%} may: find the join or filter that loses them, so that their {column} is known"
            )
        found += _ratios(column, learned, traffic)
    return tuple(sorted(found, key=lambda one: (one.interval.low >= one.limit, one.ratio / one.limit, one.name)))


def _validation(data: Data) -> list[Any]:
    try:
        return [data.dataset("validation")]
    except (KeyError, Withheld):
        return []


def _ratios(column: str, learned: Counter[str], traffic: _Traffic) -> Iterator[Representation]:
    total, n_train = sum(traffic.counts.values()), sum(learned.values())
    equal = 1.0 / max(1, len(traffic.counts))
    for level in sorted(set(traffic.counts) | set(learned)):
        share = traffic.counts.get(level, 0) / total
        if share * n_train >= _FEWEST_EXPECTED:
            seen = learned.get(level, 0)
            bounds = wilson(float(seen), float(n_train), _LEVEL)
            asked = min(share, equal)
            interval = Interval(bounds.low / asked, bounds.high / asked, _LEVEL)
            ratio = seen / n_train / asked
            yield Representation(column, level, seen, n_train, share, ratio, interval, traffic.source)


def _require_groups(groups: Sequence[str], splits: Mapping[str, Any]) -> None:
    if not groups:
        raise Withheld("no groups are declared: name their columns as groups of the roles", ReasonCode.PART_MISSING)
    for split, table in splits.items():
        for column in groups:
            if column not in slice_coverage.columns_of(table):
                raise Withheld(
                    f"the {split} rows have no column {column!r}: restore it, or correct the groups of the roles",
                    ReasonCode.PART_MISSING,
                )
            known, rows = sum(_counts(table, column).values()), tables.row_count(table)
            if known < (1.0 - MOST_UNKNOWN) * rows or not known:
                raise Withheld(
                    f"{known} of {rows} {split} rows belong to a known group of {column}: check that the keys of the "
                    "table of groups still match the rows",
                    ReasonCode.PART_MISSING,
                )


def _traffic(
    data: Data, raw: Mapping[str, Any], learned_from: Window | None, splits: Sequence[Any], column: str
) -> _Traffic | None:
    """Raw rows by group, while training rows were collected, in the table that the roles point into; None without."""
    pointers = [pointer for pointer in (data.roles.entity, data.roles.outcome) if pointer is not None]
    named = next((pointer.table for pointer in pointers if pointer.table in raw), None)
    table = _largest(raw) if named is None else named
    if table is None:
        return None
    names = slice_coverage.columns_of(raw[table])
    if column in names:
        counted = _arrived(data, raw, learned_from, table, column, splits)
        return _Traffic(counted, f"{column} of {table}") if counted else None
    for key in names:
        translation = _translation(splits, key, column)
        if translation is None:
            continue
        counted = _arrived(data, raw, learned_from, table, key, splits)
        total = sum(counted.values())
        known = sum(n for name, n in counted.items() if name in translation)
        if total and known >= _SAME_LANGUAGE * total:
            groups: Counter[str] = Counter()
            for name, n in counted.items():
                if translation.get(name, MISSING) != MISSING:
                    groups[translation[name]] += n
            return _Traffic(groups, f"{key} of {table}", 1.0 - known / total)
    return None


def _arrived(
    data: Data,
    raw: Mapping[str, Any],
    learned_from: Window | None,
    table: str,
    column: str,
    splits: Sequence[Any],
) -> Counter[str]:
    """Rows by value that arrived while training rows were collected; older ones are taken off where there are many."""
    counted = _counts(_settled(raw[table], table, data), column)
    if learned_from is None or sum(counted.values()) <= _HARDLY_MORE * tables.row_count(splits[0]):
        return counted
    earlier = data.raw((learned_from[0] - timedelta(seconds=1), learned_from[0])).get(table)
    return counted if earlier is None else counted - _counts(_settled(earlier, table, data), column)


def _translation(splits: Sequence[Any], key: str, column: str) -> dict[str, str] | None:
    """The group of every value of `key`, if each value belongs to one group alone in all rows that there are."""
    found: dict[str, str] = {}
    for split in splits:
        names = slice_coverage.columns_of(split)
        if key not in names or column not in names:
            return None
        rows = tables.to_arrow(split, [key, column])
        if design_matrix.is_number_like(rows.column(key)):
            return None
        keys, key_codes = design_matrix.level_codes(rows.column(key))
        groups, group_codes = design_matrix.level_codes(rows.column(column))
        if len(keys) > _MOST_KEYS:
            return None
        for pair in np.unique(key_codes * len(groups) + group_codes).tolist():
            name, group = keys[pair // len(groups)], groups[pair % len(groups)]
            if found.setdefault(name, group) != group:
                return None
    return found if len(set(found.values())) > 1 else None


def _settled(table: Any, which: str, data: Data) -> Any:
    """Rows whose outcome is known, where the table has it: what never happened could not be learned from."""
    import pyarrow.compute as pc

    outcome = data.roles.outcome
    if outcome is None or outcome.table != which or outcome.column not in slice_coverage.columns_of(table):
        return table
    rows = tables.to_arrow(table)
    return rows.filter(pc.is_valid(rows.column(outcome.column)))


def _largest(raw: Mapping[str, Any]) -> str | None:
    return max(raw, key=lambda name: tables.row_count(raw[name]), default=None)


def _counts(table: Any, column: str) -> Counter[str]:
    """Rows by group; those that belong to none are left out."""
    names, codes = design_matrix.level_codes(tables.to_arrow(table, [column]).column(column))
    counted: Counter[str] = Counter()
    for name, count in zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True):
        if count and name != MISSING:
            counted[name] += count
    return counted
