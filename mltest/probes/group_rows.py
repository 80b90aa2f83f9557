"""Held-out rows with the groups that people belong to, and what the model says to them.

The validation rows are judged beside the holdout where the model never learned from them: small groups are what this is
about, and they have few rows. Groups that cannot be found, or of which too many rows know nothing, end here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix, judged_rows, linear_model
from mltest.probes.judged_rows import MOST_SEEN, JudgedRows
from mltest.probes.outcomes import Unanswered
from mltest.probes.row_digests import row_digests, share_seen
from mltest.stats.arrays import BoolArray, FloatArray, is_missing

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Data, Model

MOST_UNKNOWN = 0.1
"""Share of rows without a group, from which on the groups are said not to match."""
MOST_GROUPS = 40
MISSING = "(missing)"

_LEAST_ANSWERED = 0.5
_MICROSECONDS = 1e6


@dataclass(frozen=True, eq=False)
class Grouping:
    """One column of groups: `codes` gives each row its position in `levels`, -1 for rows of no known group."""

    column: str
    levels: tuple[str, ...]
    codes: npt.NDArray[np.intp]

    @property
    def unknown(self) -> float:
        """Share of the rows that belong to no known group."""
        return float((self.codes < 0).mean())

    def members(self, level: str) -> BoolArray:
        """Which rows belong to the level, shape (rows,)."""
        return np.asarray(self.codes == self.levels.index(level))

    @property
    def known(self) -> BoolArray:
        return np.asarray(self.codes >= 0)


@dataclass(frozen=True, eq=False)
class GroupedRows:
    """Rows to judge and their groups.

    `errors` are answer - truth, shape (rows, 1) for numbers; chance - happened, shape (rows, classes) for classes; NaN
    where the model gave no answer. `blocks` name the unit that depends on itself, `held_out` marks rows of the holdout.
    """

    judged: JudgedRows
    table: pa.Table
    errors: FloatArray
    blocks: npt.NDArray[np.generic]
    held_out: BoolArray
    groupings: tuple[Grouping, ...]

    @property
    def answered(self) -> BoolArray:
        return np.asarray(np.isfinite(self.errors).all(axis=1))

    @property
    def loss(self) -> float:
        """Mean absolute error over rows and classes, the yardstick of every margin."""
        return float(np.abs(self.errors[self.answered]).mean())


def read(data: Data, model: Model, task: str) -> GroupedRows:
    """Rows of the holdout and of an unseen validation split with their groups and errors.

    Raises Withheld when no groups are declared, when they are missing, match nothing or hold everybody alike, and when
    the model is no better than a constant, whose errors say nothing about groups.
    """
    declared = data.roles.groups
    if not declared:
        raise Withheld(
            "no groups are declared: agree which people and communities to look at, and name their columns as groups "
            "of the roles",
            ReasonCode.PART_MISSING,
        )
    judged = judged_rows.read(data, model, task)
    for column in declared:
        if column not in judged.holdout.column_names or column not in judged.train.column_names:
            raise Withheld(
                f"the group column {column!r} is not in the rows: restore it, or correct the groups of the roles",
                ReasonCode.PART_MISSING,
            )
    parts = [(judged.holdout, judged.truth)]
    more = _unseen_validation(data, model, judged)
    if more is not None:
        parts.append(more)
    table = _together([rows for rows, _ in parts])
    truth = np.concatenate([known for _, known in parts])
    groupings = tuple(_grouping(table, judged.train, column) for column in declared)
    errors = _errors(model, table, truth, judged)
    held_out = np.arange(len(truth)) < len(judged.truth)
    found = GroupedRows(judged, table, errors, judged_rows.blocks_of(table, judged.roles), held_out, groupings)
    _require_skill(found, truth)
    return found


def _unseen_validation(data: Data, model: Model, judged: JudgedRows) -> tuple[pa.Table, FloatArray] | None:
    """Labelled rows of the validation split, if there is one and the model learned from none of them."""
    import pyarrow as pa

    try:
        rows = tables.to_arrow(data.dataset("validation"))
    except (KeyError, Withheld):
        return None
    if not rows.num_rows or not set(judged.holdout.column_names) <= set(rows.column_names):
        return None
    truth = judged.outcome.truth(judged_rows.column(rows, judged.roles.target))
    known = np.isfinite(np.where(is_missing(truth), np.nan, truth))
    rows, truth = rows.filter(pa.array(known)), truth[known]
    shared = [name for name in judged.roles.keys or rows.column_names if name in judged.train.column_names]
    digests = row_digests(rows, shared)
    learned = row_digests(judged.train, shared)
    again = row_digests(judged.holdout, shared)
    if not len(truth) or max(share_seen(digests, learned), share_seen(digests, again)) > MOST_SEEN:
        return None
    return (rows, truth) if _is_later(rows, model, judged) else None


def _is_later(rows: pa.Table, model: Model, judged: JudgedRows) -> bool:
    import pyarrow.types as pt

    until, time = model.metadata.trained_until, judged.roles.time
    if until is None or time is None or not pt.is_timestamp(rows.column(time).type):
        return True
    instants = design_matrix.numbers_of(rows.column(time)) / _MICROSECONDS
    return bool((instants > until.timestamp()).mean() >= 1.0 - MOST_SEEN)


def _together(parts: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    names = parts[0].column_names
    return pa.concat_tables([part.select(names) for part in parts], promote_options="permissive")


def _grouping(table: pa.Table, train: pa.Table, column: str) -> Grouping:
    names, codes = design_matrix.level_codes(table.column(column))
    counted = np.bincount(codes, minlength=len(names))
    learned = set(design_matrix.level_codes(train.column(column))[0])
    levels = tuple(sorted({n for n, c in zip(names, counted.tolist(), strict=True) if c} | learned - {MISSING}))
    levels = tuple(level for level in levels if level not in (MISSING, "nan", ""))
    position = {level: place for place, level in enumerate(levels)}
    found = Grouping(column, levels, np.array([position.get(name, -1) for name in names], dtype=np.intp)[codes])
    if found.unknown > MOST_UNKNOWN:
        raise Withheld(
            f"{found.unknown:.0%} of the held-out rows belong to no known group of {column}, at most "
            f"{MOST_UNKNOWN:.0%} may: check that the keys of the table of groups still match the rows",
            ReasonCode.PART_MISSING,
        )
    if len(levels) > MOST_GROUPS:
        raise Withheld(f"{column} has {len(levels)} groups, at most {MOST_GROUPS} can be judged: agree on wider ones")
    if np.count_nonzero(np.bincount(found.codes[found.known], minlength=len(levels))) < 2:
        raise Withheld(
            f"every held-out row with a known group of {column} is in the same one, so that nothing can be compared: "
            "check that the keys of the table of groups still match the rows",
            ReasonCode.PART_MISSING,
        )
    return found


def _errors(model: Model, table: pa.Table, truth: FloatArray, judged: JudgedRows) -> FloatArray:
    """answer - truth by row and class, NaN where there is no finite answer."""
    import pyarrow as pa

    silent = np.zeros(len(truth), dtype=np.bool_)
    try:
        answers = judged_rows.answers_to(model, table, judged)
    except Unanswered as refused:
        silent = refused.rows
        if silent.mean() > 1.0 - _LEAST_ANSWERED:
            raise
        answers = judged_rows.answers_to(model, table.filter(pa.array(~silent)), judged)
    known = truth[~silent]
    if judged.outcome.is_number:
        if np.array_equal(answers, known):
            raise Withheld(
                "the model's answers equal the outcomes on every row: find where the outcome leaks into the inputs",
                ReasonCode.CIRCULAR,
            )
        given = (answers - known)[:, None]
    else:
        happened = known[:, None] == np.arange(len(judged.outcome.classes))[None, :]
        given = answers - happened
        given = given[:, 1:] if given.shape[1] == 2 else given
    errors = np.full((len(truth), given.shape[1]), np.nan)
    errors[~silent] = given
    return errors


def _require_skill(found: GroupedRows, truth: FloatArray) -> None:
    judged, answered = found.judged, found.answered
    constant = linear_model.constant_answer(judged.train_truth, judged.outcome)
    plain = judged.outcome.losses(truth[answered], np.repeat(constant, int(answered.sum()), axis=0))
    if judged.outcome.is_number:
        own = np.abs(found.errors[answered, 0])
    else:
        squares = np.square(found.errors[answered])
        own = squares.sum(axis=1) / (1.0 if squares.shape[1] == 1 else 2.0)
    if not own.mean() < plain.mean():
        raise Withheld(
            f"the model's loss of {own.mean():.4g} is no better than the {plain.mean():.4g} of a constant, whose "
            "errors tell nothing about groups: check the sign of its answers, and make it learn first"
        )
