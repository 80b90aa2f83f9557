"""All rows of a system with a known outcome, in order of time: what a backtest cuts anew, whatever the splits were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes.judged_rows import blocks_of, column
from mltest.probes.outcomes import Outcome, outcome_of
from mltest.stats.arrays import FloatArray, is_missing

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Data, Roles, Split

SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")
FEWEST_ROWS = 700
"""Below this a tenth of the rows is no training."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400e6


@dataclass(frozen=True, eq=False)
class AgeingRows:
    """Rows in order of time: `days` since 1970 in UTC, `blocks` that depend on themselves, `truth`; shape (rows,).

    `newest` is the newest row of every split that there is, as an instant.
    """

    table: pa.Table
    days: FloatArray
    blocks: np.ndarray[Any, Any]
    truth: FloatArray
    outcome: Outcome
    roles: Roles
    newest: Mapping[str, datetime]

    @property
    def end(self) -> float:
        """Just after the newest row, in days."""
        return float(self.days[-1]) + 1e-6


def read(data: Data, task: str) -> AgeingRows:
    """The rows of all splits. Raises Withheld without a time, a target, or rows that are worth it."""
    import pyarrow as pa

    roles = data.roles
    if roles.time is None:
        raise Withheld("the roles name no time, so nothing has an age: name the time column", ReasonCode.PART_MISSING)
    splits = _splits(data)
    if "train" not in splits:
        raise Withheld(
            "there are no training rows, so nothing can be learned up to any date: offer their history",
            ReasonCode.TOO_LITTLE_DATA,
        )
    for split, rows in splits.items():
        for name in (roles.target, roles.time):
            if name not in rows.column_names:
                raise Withheld(
                    f"the {split} rows have no column {name!r}, which the roles name: restore it",
                    ReasonCode.PART_MISSING,
                )
    newest = {split: instant_of(float(np.nanmax(days_of(rows, roles)))) for split, rows in splits.items()}
    table = pa.concat_tables(list(splits.values()), promote_options="permissive")
    days = days_of(table, roles)
    outcome = outcome_of(task, column(table, roles.target), roles.positive)
    truth = outcome.truth(column(table, roles.target))
    known = np.flatnonzero(~is_missing(truth) & np.isfinite(days))
    if known.size < FEWEST_ROWS:
        raise Withheld(
            f"{known.size} rows have a time and an outcome, at least {FEWEST_ROWS} are needed to train up to several "
            "dates: offer more history",
            ReasonCode.TOO_LITTLE_DATA,
        )
    order = known[np.argsort(days[known], kind="stable")]
    chosen = table.take(pa.array(order))
    return AgeingRows(chosen, days[order], blocks_of(chosen, roles), truth[order], outcome, roles, newest)


def days_of(table: pa.Table, roles: Roles) -> FloatArray:
    """The time of every row in days since 1970 (UTC unless it says otherwise), NaN where unknown; shape (rows,).

    Raises Withheld when the time is no date.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    values = table.column(str(roles.time))
    if pt.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        if pt.is_timestamp(values.type) and values.type.tz is not None:
            values = values.cast(pa.timestamp("us", "UTC"), safe=False)
        elif pt.is_temporal(values.type) or pt.is_string(values.type) or pt.is_large_string(values.type):
            values = values.cast(pa.timestamp("us"), safe=False)
        else:
            raise pa.ArrowInvalid(f"its type is {values.type}")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Withheld(
            f"the time column {roles.time!r} holds no dates ({error}): give timestamps, or dates as ISO text"
        ) from error
    micros = pc.cast(pc.cast(values, pa.int64()), pa.float64(), safe=False)
    return np.asarray(pc.fill_null(micros, float("nan")).to_numpy(zero_copy_only=False)) / _DAY


def instant_of(days: float) -> datetime:
    """The instant of so many days since 1970."""
    return _EPOCH + timedelta(days=days)


def _splits(data: Data) -> dict[str, pa.Table]:
    """Every split that exists and is not empty."""
    found: dict[str, pa.Table] = {}
    for split in SPLITS:
        try:
            rows = tables.to_arrow(data.dataset(split))
        except (KeyError, Withheld):
            continue
        if rows.num_rows:
            found[split] = rows
    return found
