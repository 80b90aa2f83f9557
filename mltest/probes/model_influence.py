"""What a model reads beyond the inputs that it names, and inputs that say what a barred column says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers import governance
from mltest.offers.governance import DATASET, FeaturePolicy
from mltest.probes import scrambling
from mltest.probes.direction import correlation
from mltest.probes.governed_rows import GovernedRows
from mltest.probes.row_sample import evenly
from mltest.system import System
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 500
COMPARED = 5_000
SAME = 0.9999
"""Rank correlation from which on two columns order the rows alike, whatever their units."""
_FEWEST_A_LEVEL = 5


@dataclass(frozen=True)
class Influence:
    """Columns beside the inputs that move answers, and inputs with the barred column that they repeat.

    `columns` were tried on `rows`; `answers_move` says that answers follow the inputs, `steady` that the same rows get
    the same answers.
    """

    read: tuple[str, ...]
    repeated: tuple[tuple[str, str], ...]
    columns: int
    rows: int
    answers_move: bool
    steady: bool


def of_system(system: System, rows: GovernedRows, seed: int) -> Influence:
    """Influence on the model of a system. Raises Withheld as `of_files` does where nothing computes its inputs."""
    policy = governance.of(system).policy
    if system.features is None:
        table, barred = of_files(rows, system.data, policy)
    else:
        named = (*policy.forbidden, *policy.known_later)
        table, barred = rows.holdout, tuple(column.column for column in named if column.table == DATASET)
    every = tuple(dict.fromkeys((*barred, rows.roles.target)))
    return of_model(system.model, table, rows.inputs, every, np.random.default_rng(seed))


def of_model(
    model: Any, rows: pa.Table, inputs: Sequence[str], barred: Sequence[str], random: np.random.Generator
) -> Influence:
    """Exchanges every column of `rows` that is no input, then all inputs, and compares the answers bit by bit."""
    batch = evenly(rows, ROWS)
    others = [name for name in batch.column_names if name not in inputs]
    before = np.asarray(model.predict(batch))
    steady = _equal(before, np.asarray(model.predict(batch)))
    read = _moving(model, batch, before, others, random) if steady else ()
    control, _ = scrambling.replaced(batch, [name for name in inputs if name in batch.column_names], random)
    moves = not _equal(before, np.asarray(model.predict(control)))
    return Influence(
        tuple(read), repeated(evenly(rows, COMPARED), inputs, barred), len(others), batch.num_rows, moves, steady
    )


def of_files(rows: GovernedRows, data: Any, policy: FeaturePolicy) -> tuple[pa.Table, tuple[str, ...]]:
    """The held-back rows with all their columns, and those of them that are barred: forbidden, or known later.

    Raises Withheld for barred columns that the table does not have, and where rows have a time: what was known when
    can only be seen in raw tables.
    """
    if rows.roles.time is not None:
        raise Withheld(
            "rows have a time and nothing computes their inputs from raw tables, so that nobody can see what was known "
            "when: give the System a `features` part beside its data",
            ReasonCode.PART_MISSING,
        )
    tables = data.raw()
    table = to_arrow(tables["holdout"]) if "holdout" in tables else rows.holdout
    barred = tuple(dict.fromkeys(c.column for c in (*policy.forbidden, *policy.known_later) if c.table == DATASET))
    if not policy.forbidden or not policy.known_later:
        absent = "forbids no column" if not policy.forbidden else "names no column that is known later"
        raise Withheld(
            f"the policy {absent}: name those that no model may follow, as `forbidden` (what identifies somebody) and "
            "as `known_later` (the outcome and what follows from it)",
            ReasonCode.PART_MISSING,
        )
    missing = [name for name in barred if name not in table.column_names]
    if missing or len(barred) < len({*policy.forbidden, *policy.known_later}):
        raise Withheld(
            f"the policy bars {', '.join(missing) or 'columns of another table'}, which the held-back rows do not "
            f"have: correct the name, or offer the column; its table is called {DATASET}",
            ReasonCode.PART_MISSING,
        )
    return table, barred


def copies(table: pa.Table, column: str, among: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns `among` that say what `column` says in every row of a table."""
    return tuple(name for name, _ in repeated(evenly(table, COMPARED), among, [column]))


def repeated(rows: pa.Table, inputs: Sequence[str], barred: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of an input and a barred column that say the same of each row, in whatever unit or spelling."""
    names = [name for name in dict.fromkeys((*inputs, *barred)) if name in rows.column_names]
    codes = {name: _codes(rows.column(name)) for name in names}
    return tuple(
        (name, column)
        for column in barred
        for name in inputs
        if name != column and name in codes and column in codes and _say_the_same(codes[name], codes[column])
    )


def _moving(
    model: Any, batch: pa.Table, before: np.ndarray, names: Sequence[str], random: np.random.Generator
) -> list[str]:
    """The columns that answers follow, one by one; all at once first, as mostly none does."""
    if not names or _stays(model, batch, before, list(names), random):
        return []
    return [name for name in names if not _stays(model, batch, before, [name], random)] or list(names)


def _stays(model: Any, batch: pa.Table, before: np.ndarray, names: list[str], random: np.random.Generator) -> bool:
    other, _ = scrambling.replaced(batch, names, random)
    if not _equal(before, np.asarray(model.predict(other))):
        return False
    try:
        return _equal(before, np.asarray(model.predict(scrambling.emptied(batch, names))))
    except PartFailure:
        # A batch that lacks its key may be refused; what it holds was changed above.
        return True


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _codes(column: Any) -> np.ndarray:
    """Ranks of the values, 0 for missing; shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = scrambling.flat(column)
    if pa.types.is_nested(plain.type):
        return np.zeros(len(plain), dtype=np.int64)
    if pa.types.is_boolean(plain.type):
        plain = plain.cast(pa.int8())
    levels = pc.unique(plain.drop_null())
    levels = levels.take(pc.sort_indices(levels))
    codes = pc.fill_null(pc.index_in(plain, levels), -1).to_numpy(zero_copy_only=False)
    return np.asarray(codes.astype(np.int64) + 1)


def _say_the_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether each value of one goes with a single value of the other and back, or both order the rows alike."""
    known = (one > 0) & (other > 0)
    if known.sum() < _FEWEST_A_LEVEL * 2:
        return False
    one, other = one[known], other[known]
    levels = (len(np.unique(one)), len(np.unique(other)))
    if min(levels) < 2:
        return False
    pairs = len(np.unique(np.stack([one, other]), axis=1).T)
    if pairs == levels[0] == levels[1] and len(one) >= _FEWEST_A_LEVEL * pairs:
        return True
    if min(levels) < _FEWEST_A_LEVEL:
        return False
    agreement = correlation(_ranks(one), _ranks(other))
    return agreement is not None and abs(agreement) >= SAME


def _ranks(codes: np.ndarray) -> np.ndarray:
    """Mean ranks, ties shared; shape (rows,)."""
    _, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2.0)[places], dtype=np.float64)
