"""Labels set against requests by their keys: once here, and once as the system does it.

A join without the date, or with two labels a key, still gives a number; it is seen when both joins are laid side by
side. Labels arrive late, so that coverage is asked of requests that are old enough alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix, judged_rows
from mltest.probes.outcomes import Outcome
from mltest.probes.row_digests import Digests, row_digests
from mltest.stats.arrays import BoolArray, FloatArray

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Roles

ARRIVED_AT = "arrived_at"
LEAST_COVERED = 0.8
MOST_CONFLICTS = 0.001
MOST_MISMATCHES = 0.005
LEAST_FOUND = 0.95

_MATURE = 0.95
_AGREES = 1e-6


@dataclass(frozen=True, eq=False)
class OwnJoin:
    """Requests with the labels of their keys: `outcome` is NaN without one, shape (rows,).

    `covered` is the share of requests old enough to have a label that have one; `conflicts` the share of requests with
    labels that contradict each other; `early` the labels that had not arrived yet when they were handed out.
    """

    outcome: FloatArray
    covered: float
    conflicts: float
    early: int

    @property
    def labelled(self) -> BoolArray:
        return np.asarray(np.isfinite(self.outcome))


@dataclass(frozen=True)
class Comparison:
    """The system's join beside ours on the same answers.

    `rows_each` is how many rows it gives an answer at most, `mismatched` the share of its rows whose outcome or
    prediction is not that of their key, `found` the share of our labelled answers that it has, `strangers` its rows of
    keys that were never asked.
    """

    rows_each: int
    mismatched: float
    found: float
    strangers: int

    @property
    def broken(self) -> bool:
        wrong = self.mismatched > MOST_MISMATCHES or self.found < LEAST_FOUND
        return self.rows_each > 1 or wrong or self.strangers > 0


def own_join(requests: pa.Table, labels: pa.Table, roles: Roles, outcome: Outcome, at: datetime) -> OwnJoin:
    """Joins by the keys of the roles. Raises Withheld when a side lacks a column, or hardly any label is there."""
    _require(requests, "requests", roles.keys)
    _require(labels, "labels", (*roles.keys, roles.target, ARRIVED_AT))
    asked, known = row_digests(requests, roles.keys), row_digests(labels, roles.keys)
    values = outcome.truth(judged_rows.column(labels, roles.target))
    order = np.argsort(known, kind="stable")
    lowest, highest, keys = _ends(known[order], values[order])
    place = np.searchsorted(keys, asked)
    hit = np.zeros(len(asked), dtype=np.bool_)
    inside = place < len(keys)
    hit[inside] = keys[place[inside]] == asked[inside]
    joined, other = np.full(len(asked), np.nan), np.full(len(asked), np.nan)
    joined[hit], other[hit] = lowest[place[hit]], highest[place[hit]]
    arrived = _seconds(labels.column(ARRIVED_AT))
    mature = _mature(requests, labels, roles, asked, known, at)
    covered = float(np.isfinite(joined[mature]).mean()) if mature.any() else 0.0
    conflicts = float((np.abs(other - joined) > _AGREES)[hit].mean()) if hit.any() else 0.0
    if covered < LEAST_COVERED:
        raise Withheld(
            f"{covered:.0%} of the requests that are old enough have a label, {LEAST_COVERED:.0%} are needed: check "
            "that labels and requests share their keys, and wait until the labels are in",
            ReasonCode.TOO_LITTLE_DATA,
        )
    return OwnJoin(joined, covered, conflicts, int((arrived > at.timestamp()).sum()))


def compare(
    theirs: pa.Table, requests: pa.Table, predictions: FloatArray, own: OwnJoin, roles: Roles, outcome: Outcome
) -> Comparison:
    """The system's join of `predictions` (one a request, shape (rows,)) beside ours."""
    _require(theirs, "joined labels", (*roles.keys, roles.target, "prediction"))
    asked, given = row_digests(requests, roles.keys), row_digests(theirs, roles.keys)
    order = np.argsort(asked, kind="stable")
    place = np.minimum(np.searchsorted(asked[order], given), len(asked) - 1)
    position = order[place]
    known = asked[position] == given
    values = outcome.truth(judged_rows.column(theirs, roles.target))
    said = design_matrix.numbers_of(theirs.column("prediction"))
    ours, answers = own.outcome[position], predictions[position]
    labelled = known & np.isfinite(ours)
    agrees = (np.abs(values - ours) <= _AGREES) & (np.abs(said - answers) <= _AGREES * (1.0 + np.abs(answers)))
    counts = np.bincount(position[known], minlength=len(asked))
    found = np.isin(np.flatnonzero(own.labelled), position[known])
    return Comparison(
        rows_each=int(counts.max(initial=0)),
        mismatched=float((~agrees[labelled]).mean()) if labelled.any() else 0.0,
        found=float(found.mean()) if len(found) else 0.0,
        strangers=int((~known).sum()),
    )


def _ends(keys: Digests, values: FloatArray) -> tuple[FloatArray, FloatArray, Digests]:
    """Smallest and largest value of every distinct key, in order of the keys."""
    if not len(keys):
        return np.empty(0), np.empty(0), keys
    distinct, starts = np.unique(keys, return_index=True)
    return np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts), distinct


def _mature(
    requests: pa.Table, labels: pa.Table, roles: Roles, asked: Digests, known: Digests, at: datetime
) -> BoolArray:
    """Requests that are older than nineteen of twenty labels were when they arrived; all where there is no time."""
    if roles.time is None or roles.time not in requests.column_names:
        return np.ones(len(asked), dtype=np.bool_)
    moments = _seconds(requests.column(roles.time))
    order = np.argsort(asked, kind="stable")
    place = order[np.minimum(np.searchsorted(asked[order], known), len(asked) - 1)]
    matched = asked[place] == known
    delays = _seconds(labels.column(ARRIVED_AT))[matched] - moments[place[matched]]
    if not len(delays):
        return np.ones(len(asked), dtype=np.bool_)
    return np.asarray(moments <= at.timestamp() - max(0.0, float(np.nanquantile(delays, _MATURE))))


def _seconds(column: Any) -> FloatArray:
    import pyarrow.types as pt

    if not pt.is_timestamp(column.type):
        raise Withheld(f"a column of instants holds {column.type}: give aware instants", ReasonCode.PART_MISSING)
    return np.asarray(design_matrix.numbers_of(column) / 1e6)


def _require(table: pa.Table, what: str, names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in table.column_names]
    if missing or not table.num_rows:
        raise Withheld(
            f"the {what} have no column {missing[0]!r}" if missing else f"the {what} have no rows",
            ReasonCode.PART_MISSING,
        )
