"""What would the model say to the same row of another group? (Counterfactual exchange; Kusner et al. 2017.)

The inputs that settle a group, the group column itself among them, take the values that they have in a row of another
group, all together, so that no row is made of parts that cannot meet. It shows what the model makes of a group; whether
it may make anything of it is for a policy to say, and without one nothing is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes import design_matrix, judged_rows
from mltest.probes.group_rows import GroupedRows, Grouping
from mltest.probes.outcomes import Unanswered

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Model

_MOST_ROWS = 2_000
_MOST_VALUES = 500
_LOOKED_AT = 5_000
_SETTLED = 0.99


@dataclass(frozen=True)
class Exchange:
    """The exchange of one group column: mean size and mean of the change of answers, in per cent of the loss.

    `inputs` are those that carry the group; without any the model cannot tell groups apart by what settles them.
    """

    column: str
    inputs: tuple[str, ...]
    size: float
    signed: float
    n: int


def judge(rows: GroupedRows, model: Model, *, seed: int) -> tuple[Exchange, ...]:
    """Every group column, with rows of all its groups alike and donors drawn at random from the other groups."""
    return tuple(_exchanged(rows, grouping, model, seed) for grouping in rows.groupings)


def carriers(rows: GroupedRows, grouping: Grouping) -> tuple[str, ...]:
    """Inputs that settle the group: each of their values has it alike in 99 of 100 rows, and they are no mere rows."""
    names = []
    for name in rows.judged.inputs:
        if _codes(rows.table.column(name).slice(0, _LOOKED_AT))[1] > _MOST_VALUES:
            continue
        codes, count = _codes(rows.table.column(name))
        if count > _MOST_VALUES or count < 2:
            continue
        width = len(grouping.levels)
        known = grouping.known
        cells = np.bincount(codes[known] * width + grouping.codes[known], minlength=count * width).reshape(count, width)
        apart = np.count_nonzero(cells.max(axis=0)) > 1
        if cells.sum() and cells.max(axis=1).sum() / cells.sum() >= _SETTLED and apart and _tells(cells):
            names.append(name)
    return tuple(names)


def _tells(cells: Any) -> bool:
    """Whether values differ in the group that they stand for; a group that nearly everybody is in settles nothing."""
    stands_for = cells.argmax(axis=1)[cells.sum(axis=1) > 0]
    caught = sum(
        cells[cells.argmax(axis=1) == level, level].sum() / max(1, cells[:, level].sum())
        for level in np.unique(stands_for)
    )
    return len(np.unique(stands_for)) > 1 and caught / len(np.unique(stands_for)) >= _SETTLED


def _exchanged(rows: GroupedRows, grouping: Grouping, model: Model, seed: int) -> Exchange:
    import pyarrow as pa

    inputs = carriers(rows, grouping)
    if not inputs:
        return Exchange(grouping.column, (), 0.0, 0.0, 0)
    own, donors = _drawn(grouping, rows.answered, seed)
    before = rows.table.take(pa.array(own))
    after = before
    for name in (*inputs, grouping.column):
        position = after.column_names.index(name)
        after = after.set_column(position, name, rows.table.column(name).take(pa.array(donors)))
    try:
        changes = _answers(model, after, rows) - _answers(model, before, rows)
    except Unanswered:
        return Exchange(grouping.column, inputs, float("nan"), float("nan"), 0)
    size = 100.0 * float(np.abs(changes).mean()) / rows.loss
    return Exchange(grouping.column, inputs, size, 100.0 * float(changes.mean()) / rows.loss, len(own))


def _drawn(grouping: Grouping, answered: Any, seed: int) -> tuple[Any, Any]:
    """Rows of every group in equal numbers, and for each a row of another group."""
    random = np.random.default_rng(seed)
    present = [place for place in range(len(grouping.levels)) if ((grouping.codes == place) & answered).any()]
    each = _MOST_ROWS // len(present)
    own, donors = [], []
    for place in present:
        members = np.flatnonzero((grouping.codes == place) & answered)
        others = np.flatnonzero((grouping.codes >= 0) & (grouping.codes != place) & answered)
        chosen = random.choice(members, min(each, len(members)), replace=False)
        own.append(chosen)
        donors.append(random.choice(others, len(chosen)))
    return np.concatenate(own), np.concatenate(donors)


def _answers(model: Model, table: pa.Table, rows: GroupedRows) -> Any:
    return judged_rows.answers_to(model, table, rows.judged)


def _codes(values: Any) -> tuple[Any, int]:
    if design_matrix.is_number_like(values):
        numbers = design_matrix.numbers_of(values)
        distinct, codes = np.unique(np.nan_to_num(numbers, nan=np.inf), return_inverse=True)
        return codes.astype(np.intp), len(distinct)
    names, codes = design_matrix.level_codes(values)
    return codes, len(names)


def decided(exchange: Exchange, must_not_matter: Sequence[str]) -> bool:
    """Whether the policy wants that this group changes nothing."""
    return exchange.column in must_not_matter
