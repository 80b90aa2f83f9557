"""Faults of arriving columns: another unit, sentinels, another spelling.

A column is changed in every raw table that has it and in the data set under the same name, as a pipeline that copies
it would do; features that are derived from it follow from the raw tables by the system's own code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults import columns
from mltest.faults.liveness import data_changed
from mltest.faults.parts import ExchangedData, ExchangedFeatures
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, floats, latest, overwritten, replaced, share_of, text, with_column
from mltest.system import Roles, System

MILE_IN_KILOMETRES = 1.609
ONE_ROW = 1e-12
"""A share so small that exactly the one row with the smallest draw is taken."""

Mask = Callable[[pa.Table], np.ndarray]


def column_exchanged(
    system: System, column: str, change: Callable[[pa.Table], pa.Table], *, table: str | None = None
) -> System:
    """The system with `change` applied to every table that has `column` (of the raw ones only to `table`, if named).

    Features get it too when the column arises in them and does not arrive in a raw table.
    """
    data = columns.data_of(system)
    arrives = any(column in as_arrow(raw).column_names for raw in data.raw().values())

    def of_table(name: str, rows: pa.Table) -> pa.Table:
        return change(rows) if column in rows.column_names and table in (None, name) else rows

    def of_split(_: str, rows: pa.Table) -> pa.Table:
        return change(rows) if column in rows.column_names else rows

    changed: dict[str, Any] = {"data": ExchangedData(data, rows=of_split, raw_rows=of_table)}
    if system.features is not None and not arrives:
        changed["features"] = ExchangedFeatures(system.features, computed=lambda rows: of_split("", rows))
    return system.with_parts(**changed)


def scaled(system: System, column: str, mask: Mask, *, factor: float, offset: float = 0.0) -> System:
    """`column` times `factor` plus `offset` in the rows under the mask (offset in units of the new scale)."""

    def change(rows: pa.Table) -> pa.Table:
        chosen = mask(rows)
        if not chosen.any():
            return rows
        return with_column(rows, column, replaced(rows.column(column), chosen, lambda v: v * factor + offset))

    return column_exchanged(system, column, change)


def written_over(system: System, column: str, mask: Mask, value: Any) -> System:
    """`column` holds `value` in the rows under the mask (None for missing); numbers are widened if need be."""

    def change(rows: pa.Table) -> pa.Table:
        chosen = mask(rows)
        if not chosen.any():
            return rows
        old = rows.column(column)
        if isinstance(value, int | float):
            return with_column(rows, column, replaced(old, chosen, lambda v: np.full_like(v, value)))
        return with_column(rows, column, overwritten(old, chosen, value))

    return column_exchanged(system, column, change)


def respelled(system: System, column: str, mask: Mask, spelling: Callable[[Any], Any]) -> System:
    """Text `column` passed through `spelling` (a function of a pyarrow text array) in the rows under the mask."""

    def change(rows: pa.Table) -> pa.Table:
        chosen = mask(rows)
        if not chosen.any():
            return rows
        old = text(rows.column(column))
        return with_column(rows, column, pc.if_else(pa.array(chosen), spelling(old), old))

    return column_exchanged(system, column, change)


def in_the_last(days: float, roles: Roles) -> Mask:
    """The rows of the last `days` days; a table without instants counts as 30 days."""
    return lambda rows: latest(rows, roles.time, days)


def in_a_share(share: float, roles: Roles) -> Mask:
    """That share of the rows, by a hash of their keys, and one row at least."""
    return lambda rows: share_of(rows, roles.keys, share)


def seen_range(system: System, column: str) -> tuple[float, float]:
    """The smallest and the largest value of `column` among the rows that the system learns from."""
    values = floats(columns.learned_from(columns.data_of(system)).column(column))
    return float(np.nanmin(values)), float(np.nanmax(values))


@fault(
    "O-D1-a",
    item="data.schema",
    seam="raw",
    doses=(1, 7, 30),
    must_catch=7,
    parts=("data",),
    alive=data_changed,
    why="feeds mix miles and kilometres or two scales of temperature; values stay inside naive ranges",
)
def unit_change(system: System, dose: float, workdir: Path) -> System:
    """A numeric input arrives in another unit (times 1.609) for the last `dose` days (without time: thirtieths)."""
    roles = columns.data_of(system).roles
    return scaled(system, columns.most_varied_number(system), in_the_last(dose, roles), factor=MILE_IN_KILOMETRES)


@twin("O-D1-a")
def smallest_legal_value(system: System, dose: float, workdir: Path) -> System:
    """One row holds the smallest value that was ever seen in that input."""
    column = columns.most_varied_number(system)
    return _one_row_holds(system, column, seen_range(system, column)[0], dose)


@fault(
    "O-D1-b",
    item="data.schema",
    seam="raw",
    doses=(0.0001, 0.001, 0.01),
    must_catch=0.01,
    parts=("data",),
    alive=data_changed,
    why="missing values written as numbers; one wind speed of the public weather data reads 1,048 miles an hour",
)
def sentinel(system: System, dose: float, workdir: Path) -> System:
    """A share of rows holds -999 (or less, where that could be meant) in a numeric input."""
    column = columns.most_varied_number(system)
    smallest, _ = seen_range(system, column)
    value = -999.0 if smallest > -900.0 else 10.0 * smallest
    return written_over(system, column, in_a_share(dose, columns.data_of(system).roles), value)


@twin("O-D1-b")
def largest_legal_value(system: System, dose: float, workdir: Path) -> System:
    """One row holds the largest value that was ever seen in that input."""
    column = columns.most_varied_number(system)
    return _one_row_holds(system, column, seen_range(system, column)[1], dose)


@fault(
    "O-D1-c",
    item="data.schema",
    seam="raw",
    doses=(0.01, 0.1, 0.5),
    must_catch=0.1,
    parts=("data",),
    alive=data_changed,
    why="an upstream edit of an enumeration, or a parser that keeps trailing blanks",
)
def spelling(system: System, dose: float, workdir: Path) -> System:
    """A share of rows spells a category with a trailing blank."""
    column = columns.category(system)
    mask = in_a_share(dose, columns.data_of(system).roles)
    return respelled(system, column, mask, lambda words: pc.binary_join_element_wise(words, pa.scalar(" "), ""))


@twin("O-D1-c")
def one_unseen_value(system: System, dose: float, workdir: Path) -> System:
    """One row holds a value never seen before, of the usual form, in the column with the largest vocabulary."""
    column = columns.category(system, open_vocabulary=True)
    share = ONE_ROW if dose else 0.0
    mask = in_a_share(share, columns.data_of(system).roles)
    return written_over(system, column, mask, unseen_value(system, column))


def unseen_value(system: System, column: str) -> str:
    """A word of the form of those in `column` (a letter for a letter, a digit for a digit) that is not among them."""
    rows = columns.learned_from(columns.data_of(system))
    known = set(text(rows.column(column)).drop_null().to_pylist())
    word = min(known)
    for _ in range(26 * len(known) + 26):
        word = _next_word(word)
        if word not in known:
            return word
    return f"{word}{word}"


def _next_word(word: str) -> str:
    """Counts on from the right, every sign within its own class."""
    signs = list(word)
    for position in range(len(signs) - 1, -1, -1):
        sign = signs[position]
        for alphabet in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"):
            if sign in alphabet:
                rank = alphabet.index(sign) + 1
                signs[position] = alphabet[rank % len(alphabet)]
                if rank < len(alphabet):
                    return "".join(signs)
    return "".join(signs)


def _one_row_holds(system: System, column: str, value: float, dose: float) -> System:
    share = ONE_ROW if dose else 0.0
    return written_over(system, column, in_a_share(share, columns.data_of(system).roles), value)
