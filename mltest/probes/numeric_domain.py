"""The domain that a model learned from: observed and not declared.

What occurs in the training rows, however rare, is legal and must be answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.system import Data, Split

FEWEST_ROWS = 100
ORDINARY_ROWS = 5_000
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


def _numeric(rows: pa.Table, name: str, nullable: bool) -> NumericInput:
    values = floats(rows[name])
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise Withheld(f"the training rows hold no number in {name!r}: nothing is known of its domain")
    if np.isinf(values).any():
        raise Withheld(f"the training rows hold an infinite {name!r}: mend the data before the model is judged")
    return NumericInput(name, float(finite.min()), float(finite.max()), nullable)


def floats(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The numbers of a column, NaN where there is none."""
    numbers = pc.fill_null(pc.cast(column, pa.float64(), safe=False), float("nan"))
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _nans(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py())
