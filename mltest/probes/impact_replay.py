"""Requests as they were served, replayed to every variant, with the labels that had arrived when the last one came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.offers.impact import OnlineImpact, ReplayableLabels
from mltest.probes import judged_rows, label_join, row_sample
from mltest.probes.label_join import Comparison, OwnJoin
from mltest.probes.outcomes import Outcome, outcome_of
from mltest.probes.row_digests import row_digests
from mltest.stats.arrays import BoolArray, FloatArray
from mltest.stats.clusters import ENOUGH_CLUSTERS
from mltest.system import Data, Effort, Model, Roles

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST = 200
_ROWS: dict[Effort, int] = {"quick": 6_000, "standard": 20_000, "thorough": 200_000}


@dataclass(frozen=True, eq=False)
class Replay:
    """`requests` without outcomes, `own` the labels that belong to them, `at` when the last request came.

    `everything` holds keys and time of all requests, of which those that are replayed are some.
    """

    requests: pa.Table
    everything: pa.Table
    own: OwnJoin
    blocks: npt.NDArray[Any]
    roles: Roles
    outcome: Outcome
    at: datetime

    @property
    def judged(self) -> BoolArray:
        """Requests with a label, shape (rows,)."""
        return self.own.labelled

    def answers(self, model: Model) -> FloatArray:
        """Answers to all requests, checked as by `Outcome.answers`."""
        return self.outcome.answers(model.predict(self.requests), self.requests.num_rows)

    def impact(self, answers: FloatArray, impact: OnlineImpact) -> FloatArray:
        """What the answers to the labelled requests were worth, shape (labelled,). Raises Withheld unless finite."""
        given = np.asarray(impact.per_row(answers[self.judged], self.own.outcome[self.judged]), dtype=np.float64)
        if given.shape != (int(self.judged.sum()),) or not np.isfinite(given).all():
            raise Withheld(
                f"{impact.name} gives values of shape {given.shape} for {int(self.judged.sum())} labelled requests, "
                "or some that are not finite: give one finite number a row"
            )
        return given

    def compared(self, labels: ReplayableLabels, answers: FloatArray) -> Comparison:
        """The system's own join of these answers beside ours."""
        import pyarrow as pa

        numbers = answers if answers.ndim == 1 else answers[:, -1]
        names = [*self.roles.keys, *((self.roles.time,) if self.roles.time else ())]
        handed = self.requests.select(names).append_column("prediction", pa.array(numbers))
        theirs = tables.to_arrow(labels.joined(handed, self.at))
        return label_join.compare(theirs, self.requests, numbers, self.own, self.roles, self.outcome)


def read(labels: ReplayableLabels, data: Data, task: str, *, effort: Effort) -> Replay:
    """Requests spread evenly over their days, with labels.

    Raises Withheld without keys and a time, below 200 labelled requests on 30 blocks (days), and as `own_join` does.
    """
    roles = data.roles
    if not roles.keys or roles.time is None:
        raise Withheld(
            "labels arrive later than answers and are joined to them by their keys: name keys and time in the roles",
            ReasonCode.PART_MISSING,
        )
    learned = judged_rows.column(tables.to_arrow(data.dataset("train"), [roles.target]), roles.target)
    outcome = outcome_of(task, learned, roles.positive)
    asked = tables.to_arrow(labels.requests())
    if not asked.num_rows or roles.time not in asked.column_names:
        raise Withheld("there are no requests to replay: give labels.requests() rows", ReasonCode.TOO_LITTLE_DATA)
    at = _last(asked, roles.time)
    names = [name for name in (*roles.keys, roles.time) if name in asked.column_names]
    asked = _once(asked, roles)
    everything = asked.select(names)
    asked = row_sample.evenly(asked, _ROWS[effort])
    own = label_join.own_join(asked, tables.to_arrow(labels.arrived(at)), roles, outcome, at)
    blocks = judged_rows.blocks_of(asked, roles)
    days = len(np.unique(blocks[own.labelled]))
    if own.labelled.sum() < FEWEST or days < ENOUGH_CLUSTERS:
        raise Withheld(
            f"{int(own.labelled.sum())} replayed requests on {days} days have a label, {FEWEST} on {ENOUGH_CLUSTERS} "
            "are needed",
            ReasonCode.TOO_LITTLE_DATA,
        )
    requests = asked.drop_columns([name for name in (roles.target,) if name in asked.column_names])
    return Replay(requests, everything, own, blocks, roles, outcome, at)


def _once(asked: pa.Table, roles: Roles) -> pa.Table:
    """The first request of every key: a client that asked again got the same answer."""
    import pyarrow as pa

    if not set(roles.keys) <= set(asked.column_names):
        return asked
    _, first = np.unique(row_digests(asked, roles.keys), return_index=True)
    return asked if len(first) == asked.num_rows else asked.take(pa.array(np.sort(first)))


def _last(asked: pa.Table, time: str) -> datetime:
    import pyarrow.compute as pc

    last = pc.max(asked.column(time)).as_py()
    if not isinstance(last, datetime):
        raise Withheld(f"the requests have no instants in {time!r}: give aware instants", ReasonCode.PART_MISSING)
    return last if last.tzinfo else last.replace(tzinfo=UTC)
