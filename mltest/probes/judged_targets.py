"""A few held-out rows with their targets, fixed for a whole probe, so that several models can be asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mltest.evidence import ReasonCode, Withheld
from mltest.probes.judged_rows import column
from mltest.probes.outcomes import Outcome, outcome_of
from mltest.probes.row_sample import evenly
from mltest.stats.arrays import FloatArray
from mltest.system import Data
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 2_000
FEWEST = 30


@dataclass(frozen=True, eq=False)
class JudgedTargets:
    """Rows to predict, and what came out of them as `outcome` codes it: `truth` has shape (rows,)."""

    rows: pa.Table
    truth: FloatArray
    outcome: Outcome


def of(data: Data, task: str) -> JudgedTargets:
    """Rows spread evenly over the holdout. Raises Withheld without a holdout, without a target or below 30 rows."""
    target = data.roles.target
    rows = evenly(to_arrow(data.dataset("holdout")), MOST)
    if rows.num_rows < FEWEST:
        raise Withheld(
            f"{rows.num_rows} held-out rows to predict, {FEWEST} are needed: give the split `holdout` more rows",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if target not in rows.column_names:
        raise Withheld(
            f"the held-out rows have no column {target!r}, which the roles call the target: restore it",
            ReasonCode.PART_MISSING,
        )
    try:
        learned = column(to_arrow(data.dataset("train"), [target]), target)
    except KeyError as error:
        raise Withheld(f"the training rows: {error.args[0]}", ReasonCode.PART_MISSING) from error
    outcome = outcome_of(task, learned, data.roles.positive)
    return JudgedTargets(rows, outcome.truth(column(rows, target)), outcome)
