"""Folds in order of time: learned from the past, judged on what came after, and counted by the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mltest.system import Roles

Indices = npt.NDArray[np.intp]

STAND_IN_BLOCKS = 200
"""Blocks that rows are dealt into where nothing says which of them depend on each other."""


@dataclass(frozen=True)
class Blocks:
    """The block (day) of every row, as a number that rises with time; `real` is False for dealt ones; shape (rows,)."""

    of_row: Indices
    count: int
    real: bool


@dataclass(frozen=True)
class Fold:
    """Rows to learn from and later rows to judge by."""

    learn: Indices
    judge: Indices


def blocks(rows: pa.Table, roles: Roles) -> Blocks:
    """Blocks by `roles.block`, else by the calendar day of `roles.time`, else dealt in turn to 200 stand-ins."""
    name = roles.block or roles.time
    if name is None or name not in rows.column_names:
        count = max(1, min(STAND_IN_BLOCKS, rows.num_rows))
        return Blocks(np.arange(rows.num_rows, dtype=np.intp) % count, count, real=False)
    column = rows.column(name)
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if roles.block is None and pt.is_timestamp(column.type):
        column = pc.floor_temporal(column, unit="day")
    labels = column.to_numpy() if not pt.is_timestamp(column.type) else column.cast(pa.int64()).to_numpy()
    distinct, codes = np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)
    return Blocks(_by_time(codes.astype(np.intp), rows, roles), len(distinct), real=True)


def folds(of_row: Indices, count: int, number: int) -> tuple[Fold, ...]:
    """`number` folds over `count` blocks: each learns from all earlier parts and judges the next one.

    Fewer than two blocks a part give fewer folds, down to none.
    """
    parts = min(number + 1, count // 2)
    if parts < 2:
        return ()
    edges = np.linspace(0, count, parts + 1).round().astype(int)
    return tuple(
        Fold(np.flatnonzero(of_row < edges[k]), np.flatnonzero((of_row >= edges[k]) & (of_row < edges[k + 1])))
        for k in range(1, parts)
    )


def whole_blocks(of_row: Indices, among: Indices, rows: int) -> Indices:
    """About `rows` of the rows `among`, as whole blocks spread evenly over time."""
    if among.size <= rows:
        return among
    present = np.unique(of_row[among])
    wanted = max(1, round(present.size * rows / among.size))
    chosen = present[np.linspace(0, present.size - 1, wanted).round().astype(int)]
    return among[np.isin(of_row[among], chosen)]


def thinned(among: Indices, rows: int) -> Indices:
    """About `rows` of the rows `among`, evenly spread, so that every block stays represented."""
    step = max(1, -(-among.size // max(rows, 1)))
    return among[::step]


def _by_time(codes: Indices, rows: pa.Table, roles: Roles) -> Indices:
    """Codes renumbered in the order in which their blocks begin, where a time says so."""
    if roles.block is None or roles.time is None or roles.time not in rows.column_names:
        return codes
    order = pc.sort_indices(rows.column(roles.time)).to_numpy().astype(np.intp)
    _, first = np.unique(codes[order], return_index=True)
    rank = np.empty(first.size, dtype=np.intp)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    return rank[codes]
