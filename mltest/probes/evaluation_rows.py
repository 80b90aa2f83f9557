"""Which rows does the offline metric leave out, and are they the hard ones?

Three looks: at the labelled rows of the data set in the time of the evaluation that are not evaluated, at those in the
time of the requests that were never asked about, and at the labelled requests that the data set does not have. A sample
that does not look at outcomes leaves the loss alone; one without the hard rows flatters every model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import judged_rows, row_sample
from mltest.probes.impact_replay import Replay
from mltest.probes.row_digests import Digests, row_digests
from mltest.probes.slice_coverage import existing_splits
from mltest.stats.arrays import BoolArray, FloatArray
from mltest.stats.group_gaps import group_gap
from mltest.stats.intervals import Interval
from mltest.system import Data, Effort, Model

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST_FLATTERY = 5.0
"""Per cent by which the loss may be lower on the evaluated rows than on all of them."""

_LEVEL = 0.99
_LEAST_SHARED = 0.5
_MOST_SHARED = 0.5
_LEAST_LEFT_OUT = 0.002
_ROWS: dict[Effort, int] = {"quick": 6_000, "standard": 20_000, "thorough": 200_000}


@dataclass(frozen=True)
class Flattery:
    """`value` per cent lower is the loss on the rows that are kept than on all; `left_out` is the share of the rest.

    `by` says who leaves them out.
    """

    value: float
    interval: Interval
    left_out: float
    n: int
    by: str


def looked_at(evaluated: pa.Table, replay: Replay, data: Data, model: Model, *, effort: Effort) -> tuple[Flattery, ...]:
    """What the evaluation and the requests leave out of the data set, and the data set of the requests; worst first.

    Raises Withheld when the evaluated rows have no keys or occur in no split, so that nobody can tell what is missing,
    and when they are the replayed requests themselves.
    """
    roles = replay.roles
    missing = [name for name in (*roles.keys, roles.time, roles.target) if name not in evaluated.column_names]
    if missing:
        raise Withheld(f"the evaluated rows have no column {missing[0]!r}: give it in rows()", ReasonCode.PART_MISSING)
    kept, asked = row_digests(evaluated, roles.keys), row_digests(replay.everything, roles.keys)
    if len(kept) and np.isin(kept, asked).mean() > _MOST_SHARED:
        raise Withheld(
            "the offline metric is computed on the replayed requests themselves, whose labels nobody has when a model "
            "is chosen: evaluate on earlier rows",
            ReasonCode.CIRCULAR,
        )
    splits = [tables.to_arrow(split) for split in existing_splits(data)]
    there = np.concatenate([row_digests(split, roles.keys) for split in splits])
    if not np.isin(kept, there).mean() >= _LEAST_SHARED:
        raise Withheld(
            "the rows that the offline metric is computed on are not those of any split, so nobody can tell which ones "
            "it leaves out: evaluate on rows of the data set, under their keys",
            ReasonCode.PART_MISSING,
        )
    found = [
        _of_data(splits, evaluated, kept, replay, model, effort, "the offline evaluation"),
        _of_data(splits, replay.everything, asked, replay, model, effort, "the replay of requests"),
    ]
    served, labelled = np.isin(row_digests(replay.requests, roles.keys), there), replay.judged
    if labelled.any() and served[labelled].mean() >= _LEAST_SHARED:
        lost = replay.outcome.losses(np.where(labelled, replay.own.outcome, 0.0), replay.answers(model))
        found.append(_flattery(lost, served, labelled, replay.blocks, "the data set"))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.value))


def _of_data(
    splits: Sequence[pa.Table], chosen: pa.Table, kept: Digests, replay: Replay, model: Model, effort: Effort, by: str
) -> Flattery | None:
    """What the chosen rows leave out of the rows of the data set in their time; None where hardly any is among them."""
    around = [_within(split, chosen, str(replay.roles.time)) for split in splits]
    rows = row_sample.evenly(_together([part for part in around if part.num_rows]), _ROWS[effort])
    if not rows.num_rows:
        return None
    inside = np.isin(row_digests(rows, replay.roles.keys), kept)
    if not inside.any():
        return None
    truth = replay.outcome.truth(judged_rows.column(rows, replay.roles.target))
    known = np.isfinite(truth)
    answers = replay.outcome.answers(model.predict(rows.drop_columns([replay.roles.target])), rows.num_rows)
    losses = replay.outcome.losses(np.where(known, truth, 0.0), answers)
    return _flattery(losses, inside, known, judged_rows.blocks_of(rows, replay.roles), by)


def _flattery(losses: FloatArray, kept: BoolArray, known: BoolArray, blocks: Any, by: str) -> Flattery:
    left_out = float((~kept[known]).mean())
    if left_out < _LEAST_LEFT_OUT:
        return Flattery(0.0, Interval(0.0, 0.0, _LEVEL), left_out, int(known.sum()), by)
    ratio = group_gap(losses, kept & known, blocks, statistic="ratio", rest=known)
    bounds = ratio.interval(_LEVEL)
    interval = Interval(100.0 * (1.0 - bounds.high), 100.0 * (1.0 - bounds.low), _LEVEL)
    return Flattery(100.0 * (1.0 - ratio.value), interval, left_out, int(known.sum()), by)


def _within(split: pa.Table, evaluated: pa.Table, time: str) -> pa.Table:
    """Rows of the split from the first to the last instant of the evaluated ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = pc.min_max(evaluated.column(time)).as_py()
    if ends["min"] is None:
        return split.slice(0, 0)
    moments = split.column(time)
    low, high = (pa.scalar(ends[end]).cast(moments.type) for end in ("min", "max"))
    return split.filter(pc.and_(pc.greater_equal(moments, low), pc.less_equal(moments, high)))


def _together(parts: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    if not parts:
        return pa.table({})
    names = [name for name in parts[0].column_names if all(name in part.column_names for part in parts)]
    return pa.concat_tables([part.select(names) for part in parts], promote_options="permissive")
