"""The rows that a model's quality is judged on: held-out rows with a known outcome, and the rows it learned from.

Nothing is judged that was seen in training, and nothing passes because there was nothing to look at: every way of
being empty, missing or circular ends here as not demonstrated, in one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix, model_inputs
from mltest.probes.outcomes import Outcome, outcome_of
from mltest.probes.row_digests import digest_of_rows, row_digests, share_seen
from mltest.stats.arrays import FloatArray, is_missing

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Data, Model, Roles

FEWEST_ROWS = 100
"""Below this many rows neither a baseline nor an interval is worth its name."""
MOST_SEEN = 0.01
"""Share of the holdout that may occur in training before the comparison counts as circular."""
_LEAST_LABELLED = 0.5
_MICROSECONDS = 1e6
_SURELY = 3.0


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Training and held-out rows with a known outcome.

    Truths are targets, or positions of classes, shape (rows,); blocks name the unit that depends on itself (a day, or
    the row where there is no time), rising with time; `digest` stands for the set of held-out rows.
    """

    train: pa.Table
    holdout: pa.Table
    roles: Roles
    inputs: tuple[str, ...]
    outcome: Outcome
    train_truth: FloatArray
    truth: FloatArray
    train_blocks: npt.NDArray[Any]
    blocks: npt.NDArray[Any]
    unit: str
    digest: str
    share_seen: float
    share_unlabelled: float

    @property
    def n_blocks(self) -> int:
        return len(np.unique(self.blocks))


def read(data: Data, model: Model, task: str) -> JudgedRows:
    """Both splits. Raises Withheld when they cannot carry a judgement."""
    roles = data.roles
    train, holdout = tables.to_arrow(data.dataset("train")), tables.to_arrow(data.dataset("holdout"))
    for split, table in (("train", train), ("holdout", holdout)):
        _require_columns(table, split, (roles.target, *((roles.time,) if roles.time else ())))
        _require_rows(table, split)
    _require_unseen_time(model.metadata.trained_until, holdout, roles)
    inputs = model_inputs.of_parts(model, None, data)
    if not inputs:
        raise Withheld("nothing is left for the model to read: name its columns as inputs of the roles")
    _require_columns(train, "train", inputs)
    _require_columns(holdout, "holdout", inputs)
    outcome = outcome_of(task, column(train, roles.target), roles.positive)
    learned, train_truth, _ = _labelled(train, "train", outcome, roles.target)
    judged, truth, unlabelled = _labelled(holdout, "holdout", outcome, roles.target)
    seen, digest = _recognised(learned, judged)
    again = _seen_under_other_keys(learned, judged, (*inputs, roles.target))
    if max(seen, again) > MOST_SEEN:
        raise Withheld(
            f"{max(seen, again):.0%} of the holdout's rows are training rows"
            + ("" if seen > MOST_SEEN else " under other keys or dates, with the same inputs and outcome")
            + ": hold out rows that the model has never seen",
            ReasonCode.CIRCULAR,
        )
    return JudgedRows(
        train=learned,
        holdout=judged,
        roles=roles,
        inputs=inputs,
        outcome=outcome,
        train_truth=train_truth,
        truth=truth,
        train_blocks=blocks_of(learned, roles),
        blocks=blocks_of(judged, roles),
        unit=f"{roles.block}s" if roles.block else "days" if roles.time else "rows",
        digest=digest,
        share_seen=seen,
        share_unlabelled=unlabelled,
    )


def predictions(model: Model, rows: JudgedRows) -> FloatArray:
    """The model's answers to the held-out rows, which it gets without their outcome; checked as by `Outcome.answers`.

    Raises Withheld when the answers are the outcomes themselves, to the last digit, and as `answers_to` does.
    """
    answers = answers_to(model, rows.holdout, rows)
    if rows.outcome.is_number and np.array_equal(answers, rows.truth):
        raise Withheld(
            "the model's answers equal the outcomes on every row: an outcome compared with itself says nothing, "
            "find where it leaks into the inputs",
            ReasonCode.CIRCULAR,
        )
    return answers


def answers_to(model: Model, table: pa.Table, rows: JudgedRows) -> FloatArray:
    """The model's answers to `table`, of which it gets what has a role, but neither the outcome nor the keys.

    By its key a row can be looked up, and what nobody declares no baseline gets. Raises Withheld when the model
    answers only with more than that.
    """
    roles = rows.roles
    named = {*rows.inputs, *roles.groups, *roles.slices, roles.time, roles.block}
    given = [name for name in table.column_names if name in named and name != roles.target]
    try:
        answered = model.predict(table.select(given))
    except Exception as error:
        answered = model.predict(table.drop_columns([roles.target]))
        more = [name for name in table.column_names if name not in given and name != roles.target]
        raise Withheld(
            f"the model cannot answer from the columns that it declares ({error}), only with {', '.join(more[:5])} "
            "beside them, which no baseline gets: name everything that it reads as inputs of the roles",
            ReasonCode.CIRCULAR,
        ) from error
    return rows.outcome.answers(answered, table.num_rows)


def column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """A column as a numpy array: numbers with NaN for missing, everything else as objects with None; shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    values = table.column(name)
    kind = values.type
    if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind):
        numbers = pc.fill_null(pc.cast(values, pa.float64(), safe=False), float("nan"))
        return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.array([*values.to_pylist(), None], dtype=object)[:-1]


def blocks_of(table: pa.Table, roles: Roles) -> npt.NDArray[Any]:
    """The block of every row as a number that rises with time: declared block, else day of the time, else the row."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    name = roles.block or roles.time
    if name is None or name not in table.column_names:
        return np.arange(table.num_rows, dtype=np.int64)
    values = table.column(name)
    if roles.block is None and pt.is_timestamp(values.type):
        days = pc.cast(pc.floor_temporal(values, unit="day"), pa.timestamp("s", getattr(values.type, "tz", None)))
        return np.asarray(pc.fill_null(pc.cast(days, pa.int64()), -1).to_numpy(zero_copy_only=False))
    if roles.block is None and (pt.is_string(values.type) or pt.is_large_string(values.type)):
        values = pc.utf8_slice_codeunits(values, 0, 10)
    names = np.array(["" if value is None else str(value) for value in values.to_pylist()])
    if pt.is_integer(values.type) or pt.is_floating(values.type):
        return np.asarray(np.nan_to_num(column(table, name), nan=-1.0))
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _require_columns(table: pa.Table, split: str, names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise Withheld(
            f"the {split} rows have no column {missing[0]!r}, so nothing can be compared: restore it, or correct its "
            "name in the roles",
            ReasonCode.PART_MISSING,
        )


def _require_unseen_time(until: datetime | None, holdout: pa.Table, roles: Roles) -> None:
    """A model that learned until after the holdout began may have seen it; one from the future says nothing true."""
    if until is None:
        return
    moment = until if until.tzinfo else until.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise Withheld(
            f"the model says it was trained until {moment:%Y-%m-%d}, which is in the future: mend its metadata",
            ReasonCode.STALE,
        )
    if roles.time is None or not _is_instant(holdout.column(roles.time)):
        return
    instants = design_matrix.numbers_of(holdout.column(roles.time)) / _MICROSECONDS
    overtaken = float((instants <= moment.timestamp()).mean())
    if overtaken > MOST_SEEN:
        raise Withheld(
            f"the model was trained until {moment:%Y-%m-%d}, and {overtaken:.0%} of the holdout is older: hold out "
            "rows that are newer than the training",
            ReasonCode.STALE,
        )


def _is_instant(values: Any) -> bool:
    import pyarrow.types as pt

    return bool(pt.is_timestamp(values.type))


def _require_rows(table: pa.Table, split: str) -> None:
    if table.num_rows < FEWEST_ROWS:
        raise Withheld(
            f"the {split} split has {table.num_rows} rows, {FEWEST_ROWS} are needed at least",
            ReasonCode.TOO_LITTLE_DATA,
        )


def _labelled(table: pa.Table, split: str, outcome: Outcome, target: str) -> tuple[pa.Table, FloatArray, float]:
    """Rows with an outcome, their truths, and the share of those without."""
    import pyarrow as pa

    truth = outcome.truth(column(table, target))
    known = ~is_missing(truth)
    share = 1.0 - float(known.mean())
    if share > _LEAST_LABELLED:
        raise Withheld(
            f"{share:.0%} of the {split} rows have no {target!r}: add outcomes before anything is compared",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if not np.isfinite(truth[known]).all():
        raise Withheld(f"{target!r} holds infinite values in the {split} rows: mend them first")
    rows, values = (table, truth) if known.all() else (table.filter(pa.array(known)), truth[known])
    _require_rows(rows, split)
    if len(np.unique(values)) < 2:
        raise Withheld(
            f"every {target!r} in the {split} rows is the same: there is nothing to predict", ReasonCode.TOO_LITTLE_DATA
        )
    return rows, values, share


def _recognised(learned: pa.Table, judged: pa.Table) -> tuple[float, str]:
    shared = [name for name in judged.column_names if name in learned.column_names]
    digests = row_digests(judged, shared)
    return share_seen(digests, row_digests(learned, shared)), digest_of_rows(digests)


def _seen_under_other_keys(learned: pa.Table, judged: pa.Table, columns: tuple[str, ...]) -> float:
    """Share of the judged rows whose inputs and outcome occur in training, if surely more than repeats by nature; or 0.

    What is natural shows on training rows spread evenly, about as many as are judged, among the other training rows.
    """
    digests, others = row_digests(judged, columns), row_digests(learned, columns)
    aside = np.zeros(len(others), dtype=np.bool_)
    aside[:: max(2, len(others) // max(len(digests), 1))] = True
    seen, natural = share_seen(digests, others[~aside]), share_seen(others[aside], others[~aside])
    error = np.sqrt(seen * (1 - seen) / len(digests) + natural * (1 - natural) / np.count_nonzero(aside))
    return seen if seen - natural - _SURELY * float(error) > MOST_SEEN else 0.0
