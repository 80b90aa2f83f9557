"""The rows of a search of the harness's own: to learn from, to choose by, and to judge the choice by, none held out.

The validation split is cut in two by time. On the earlier half settings are chosen, on the later half the chosen one is
judged again, so that it is not praised for the luck that it was chosen by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes.ageing_rows import days_of, instant_of
from mltest.probes.judged_rows import blocks_of, column
from mltest.probes.outcomes import Outcome, outcome_of
from mltest.stats.arrays import FloatArray, is_missing
from mltest.stats.sketches import share_in

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Data, Roles, Split

SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")
FEWEST_LEARNED, FEWEST_JUDGED = 200, 100
MOST_JUDGED = 8_000
"""Rows of a half that are judged at most, spread evenly over its days."""
_CUT = 0.2


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to judge by, what came out, and the days they belong to; arrays of shape (rows,)."""

    rows: pa.Table
    truth: FloatArray
    blocks: npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class TuningRows:
    """Rows to learn from in order, the half to choose by and the half to judge by, and the keys of every split."""

    learn: pa.Table
    choose: Fold
    judge: Fold
    outcome: Outcome
    roles: Roles
    keys: Mapping[Split, Sequence[str]]
    newest: datetime | None

    def thinned(self, most: int) -> pa.Table:
        """About `most` rows to learn from (0: all), evenly over their time; the same table whenever it is asked for."""
        return _evenly(self.learn, most) if most else self.learn


def read(data: Data, task: str) -> TuningRows:
    """Training and validation rows; without a validation split the last fifth of the training days stands in.

    Raises Withheld without a target, without keys, or with too few rows.
    """
    roles = data.roles
    splits = _splits(data, roles)
    if "train" not in splits:
        raise Withheld("there are no training rows with an outcome: offer the split `train`", ReasonCode.PART_MISSING)
    outcome = outcome_of(task, column(splits["train"], roles.target), roles.positive)
    learn, judged = splits["train"], splits.get("validation")
    if judged is None:
        codes = np.unique(blocks_of(learn, roles), return_inverse=True)[1]
        late = codes >= (1.0 - _CUT) * (codes.max() + 1)
        learn, judged = _where(learn, ~late), _where(learn, late)
    codes = np.unique(blocks_of(judged, roles), return_inverse=True)[1]
    early = codes < (codes.max(initial=-1) + 1) / 2
    folds = [_fold(_where(judged, chosen), roles, outcome) for chosen in (early, ~early)]
    fewest = min(fold.rows.num_rows for fold in folds)
    if learn.num_rows < FEWEST_LEARNED or fewest < FEWEST_JUDGED:
        raise Withheld(
            f"{learn.num_rows} rows to learn from and {fewest} in a half of those to judge by, at least "
            f"{FEWEST_LEARNED} and {FEWEST_JUDGED} are needed: offer more training and validation rows",
            ReasonCode.TOO_LITTLE_DATA,
        )
    keys = {split: keys_of(table, roles) for split, table in splits.items()}
    return TuningRows(learn, folds[0], folds[1], outcome, roles, keys, _newest(list(splits.values()), roles))


def keys_of(table: pa.Table, roles: Roles) -> list[str]:
    """The key of every row as text, several columns joined by `|`; empty where the roles name none."""
    if not roles.keys or any(name not in table.column_names for name in roles.keys):
        return []
    columns = [[str(value) for value in table.column(name).to_pylist()] for name in roles.keys]
    return ["|".join(parts) for parts in zip(*columns, strict=True)]


def judged_in(sketched: Sequence[str], rows: TuningRows) -> dict[Split, float]:
    """Share of the rows that a search judged by, in every split. Raises Withheld where it cannot be told."""
    if not rows.roles.keys:
        raise Withheld("the roles name no keys, so rows cannot be recognised: name them", ReasonCode.PART_MISSING)
    if not sketched:
        raise Withheld(
            "the search log does not say which rows its trials were judged on: give `judged_on` a sketch of their keys",
            ReasonCode.PART_MISSING,
        )
    found = {split: share_in(sketched, keys) for split, keys in rows.keys.items()}
    if max(found.values()) < 0.5:
        raise Withheld(
            f"{max(found.values()):.0%} of the rows that the search was judged on are in any split: offer the log of a "
            "search on these data",
            ReasonCode.STALE,
        )
    return found


def _splits(data: Data, roles: Roles) -> dict[Split, pa.Table]:
    found: dict[Split, pa.Table] = {}
    for split in SPLITS:
        try:
            rows = tables.to_arrow(data.dataset(split))
        except (KeyError, Withheld):
            continue
        if roles.target not in rows.column_names:
            raise Withheld(
                f"the {split} rows have no column {roles.target!r}, which the roles call the target: restore it",
                ReasonCode.PART_MISSING,
            )
        known = _where(rows, ~is_missing(column(rows, roles.target)))
        if known.num_rows:
            found[split] = known
    return found


def _newest(splits: Sequence[pa.Table], roles: Roles) -> datetime | None:
    """The newest row of all, None where rows have no time."""
    if roles.time is None or any(roles.time not in rows.column_names for rows in splits):
        return None
    return instant_of(max(float(np.nanmax(days_of(rows, roles))) for rows in splits))


def _fold(rows: pa.Table, roles: Roles, outcome: Outcome) -> Fold:
    thin = _evenly(rows, MOST_JUDGED)
    return Fold(thin, outcome.truth(column(thin, roles.target)), blocks_of(thin, roles))


def _where(rows: pa.Table, chosen: npt.NDArray[np.bool_]) -> pa.Table:
    import pyarrow as pa

    return rows if chosen.all() else rows.filter(pa.array(chosen))


def _evenly(rows: pa.Table, most: int) -> pa.Table:
    if rows.num_rows <= most:
        return rows
    return rows.take(np.linspace(0, rows.num_rows - 1, most).round().astype(np.int64))
