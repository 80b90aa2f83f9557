"""Are all slices still there? A slice that a join lost cannot be judged by its loss: its rows are gone.

Two looks: a sizeable level of the held-out rows that training hardly had, and a level, or two levels that meet, of the
raw rows of a split's own span of time that the split hardly kept. A level that is out of season in one of them is
neither, nor is one that is new in the raw rows too: it is judged by its loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import combinations
from typing import Any

import numpy as np

from mltest import tables
from mltest.evidence import Withheld
from mltest.probes import design_matrix
from mltest.probes.judged_rows import JudgedRows
from mltest.stats.clusters import ENOUGH_CLUSTERS
from mltest.system import Data, Roles, Split, Window

SMALLEST_IN_TRAINING = 0.1
"""Least share in training over share in the holdout."""
SMALLEST_KEPT = 0.2
"""Least share of a level's raw rows that the data set keeps, over the share kept of all rows."""

_FEWEST_ROWS = 50
_LEAST_SHARE = 0.005
LEAST_HELD_OUT = 0.01
FEWEST_OF_A_PAIR = 50.0
_FEWEST_BLOCKS = 5
_FEWEST_EXPECTED = 20.0
_ENOUGH_TO_LEARN = 500
_MOST_LEVELS = 2000
_SAME_LANGUAGE = 0.8
Level = tuple[str, ...]
_SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well the slice `name` is covered: `ratio` of what is there to what would be expected, `n` rows that need it.

    `found` rows are there.
    """

    name: str
    ratio: float
    n: int
    found: int


def worst(found: Iterable[Coverage | None]) -> Coverage | None:
    """Of those below what is allowed the one that lost most rows, else the one with the smallest ratio."""
    known = [one for one in found if one is not None]
    lost = [one for one in known if one.ratio < SMALLEST_KEPT]
    if lost:
        return max(lost, key=lambda one: (one.n - one.found, one.name))
    return min(known, key=lambda one: (one.ratio, -one.n), default=None)


def in_training(rows: JudgedRows, columns: Sequence[str], data: Data) -> Coverage | None:
    """The level of the held-out rows that training covers worst; None when no level has enough rows.

    A level needs 50 held-out rows that are half a per cent of them, on 5 blocks (days) where there are many: a
    smaller one may be new, and is judged by its loss. Its share of the training rows is set against its share of the
    holdout; from 500 training rows on it is covered whatever the share, and so is what the raw rows of the training
    time did not have either.
    """
    found: list[Coverage] = []
    raw = _raw_while_learning(rows, data)
    for name in columns:
        learned = _counts(rows.train, (name,))
        expected = _expected(_arrived(raw, (name,), data.roles), learned) or {}
        names, codes = design_matrix.level_codes(rows.holdout.column(name))
        if len(names) > _MOST_LEVELS:
            continue
        for code in np.unique(codes).tolist():
            members = codes == code
            n = int(np.count_nonzero(members))
            few_days = len(np.unique(rows.blocks[members])) < _FEWEST_BLOCKS <= ENOUGH_CLUSTERS <= rows.n_blocks
            if n < max(_FEWEST_ROWS, _LEAST_SHARE * len(codes)) or few_days:
                continue
            level = (names[code],)
            seen = learned.get(level, 0)
            asked = min(n / len(codes) * len(rows.train_truth), _ENOUGH_TO_LEARN)
            asked = min(asked, expected.get(level, 0.0) if expected else asked)
            found.append(Coverage(_named((name,), level), min(1.0, seen / asked) if asked else 1.0, n, seen))
    return min(found, key=lambda one: (one.ratio, -one.n), default=None)


def in_data(data: Data, columns: Sequence[str]) -> Coverage | None:
    """The level of the raw rows that the data set keeps worst; None when no raw table speaks of these columns.

    All splits are set against all raw rows. With a time, training is also set against what had arrived when it ended,
    and the holdout against what arrived since it began: seasons would blur both. In the holdout a level counts from
    one raw row in a hundred on: a smaller one that was left out there cannot have hidden much. Where two columns meet,
    their levels count as pairs too.
    """
    roles, everything, existing = data.roles, data.raw(), existing_splits(data)
    train, holdout = data.dataset("train"), data.dataset("holdout")
    learned, judged = span_of(train, roles), span_of(holdout, roles)
    timed = learned is not None and judged is not None
    while_learning = data.raw(learned) if timed else {}
    before = data.raw((learned[0], judged[0])) if learned is not None and judged is not None else {}
    looks = []
    for names in (*((name,) for name in columns), *combinations(columns, 2)):
        arrived = _arrived(everything, names, roles)
        if not arrived:
            continue
        looks.append(kept_of_raw(names, arrived, _summed(existing, names)))
        if timed:
            looks.append(kept_of_raw(names, _arrived(while_learning, names, roles), _counts(train, names)))
            since = arrived - _arrived(before, names, roles)
            looks.append(kept_of_raw(names, since, _counts(holdout, names), least_share=LEAST_HELD_OUT))
    return worst(looks)


def kept_of_raw(
    names: Sequence[str], arrived: Mapping[Level, int], kept: Mapping[Level, int], *, least_share: float = 0.0
) -> Coverage | None:
    """The level of the columns `names` that is kept worst, from rows by level as they arrived and as they were kept.

    A level counts when it has `least_share` of the rows that arrived, and at least 20 of them (50 where columns meet,
    for there are many) would be expected among the kept ones. None when the two sides name their levels differently,
    so that nothing can be matched.
    """
    expected = _expected(arrived, kept)
    if expected is None:
        return None
    found, total = [], sum(arrived.values())
    fewest = _FEWEST_EXPECTED if len(names) == 1 else FEWEST_OF_A_PAIR
    for level, n in arrived.items():
        if expected[level] >= fewest and n >= least_share * total:
            there = kept.get(level, 0)
            found.append(Coverage(_named(names, level), min(1.0, there / expected[level]), n, there))
    return worst(found)


def _named(names: Sequence[str], level: Level) -> str:
    return " and ".join(f"{name} = {value}" for name, value in zip(names, level, strict=True))


def _expected(arrived: Mapping[Level, int], kept: Mapping[Level, int]) -> dict[Level, float] | None:
    """Rows of each arrived level that would be kept if all were kept alike; None where the levels cannot be matched."""
    known = sum(count for level, count in kept.items() if level in arrived)
    total = sum(arrived.values())
    if not known or known < _SAME_LANGUAGE * sum(kept.values()) or len(arrived) > _MOST_LEVELS:
        return None
    return {level: n * known / total for level, n in arrived.items()}


def _raw_while_learning(rows: JudgedRows, data: Data) -> Mapping[str, Any]:
    """The raw tables as they stood when the training rows ended; none where their time is unknown."""
    learned = span_of(rows.train, data.roles)
    return {} if learned is None else data.raw(learned)


def span_of(table: Any, roles: Roles) -> Window | None:
    """From the first instant of a split to just after the last; None where its time is no timestamp."""
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if roles.time is None:
        return None
    times = tables.to_arrow(table, [roles.time]).column(roles.time)
    if not pt.is_timestamp(times.type):
        return None
    first, last = (moment.as_py() for moment in pc.min_max(times).values())
    if first is None:
        return None
    zone = first.tzinfo or UTC
    return first.replace(tzinfo=zone), last.replace(tzinfo=zone) + timedelta(seconds=1)


def existing_splits(data: Data) -> list[Any]:
    """The rows of every split that exists, labelled or not."""
    found = []
    for split in _SPLITS:
        try:
            found.append(data.dataset(split))
        except (KeyError, Withheld):
            continue
    return found


def _counts(table: Any, names: Sequence[str]) -> Counter[Level]:
    """Rows by their levels in all of the columns `names`."""
    rows = tables.to_arrow(table, list(names))
    coded = [design_matrix.level_codes(rows.column(name)) for name in names]
    cells = np.zeros(rows.num_rows, dtype=np.int64)
    for levels, codes in coded:
        cells = cells * len(levels) + codes
    counts: Counter[Level] = Counter()
    for cell, count in zip(*(each.tolist() for each in np.unique(cells, return_counts=True)), strict=True):
        level: list[str] = []
        for levels, _ in reversed(coded):
            cell, code = divmod(cell, len(levels))
            level.insert(0, levels[code])
        counts[tuple(level)] += count
    return counts


def _summed(splits: Sequence[Any], names: Sequence[str]) -> Counter[Level]:
    return sum((_counts(rows, names) for rows in splits), Counter())


def _arrived(raw: Mapping[str, Any], names: Sequence[str], roles: Roles) -> Counter[Level]:
    """Rows by level in the raw table of the roles' entity or outcome, else in the largest one with the columns.

    Where the table has the outcome, rows that still lack it are left out: they may be announced and not yet happened,
    or never happen.
    """
    with_columns = {table: raw[table] for table in raw if set(names) <= set(columns_of(raw[table]))}
    for pointer in (roles.entity, roles.outcome):
        if pointer is not None and pointer.table in raw:
            table = with_columns.get(pointer.table)
            return Counter() if table is None else _counts(_settled(table, pointer.table, names, roles), names)
    largest = max(with_columns.values(), key=tables.row_count, default=None)
    return Counter() if largest is None else _counts(largest, names)


def _settled(table: Any, which: str, names: Sequence[str], roles: Roles) -> Any:
    """Columns `names` of the rows whose outcome is known, of all rows where the table does not tell."""
    import pyarrow.compute as pc

    outcome = roles.outcome
    if outcome is None or outcome.table != which or outcome.column not in columns_of(table):
        return table
    rows = tables.to_arrow(table, list(dict.fromkeys((*names, outcome.column))))
    return rows.filter(pc.is_valid(rows.column(outcome.column)))


def columns_of(table: Any) -> Sequence[str]:
    """Names of the columns of any kind of table."""
    names: Sequence[str] = getattr(table, "column_names", None) or table.columns
    return names
