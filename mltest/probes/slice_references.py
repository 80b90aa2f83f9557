"""Two yardsticks for a slice, each blind where the other sees.

The *linear model* learned from the same training rows: it shows what the model alone gets wrong, but where training
labels of a slice are corrupt it is just as wrong. The *correction* learned from held-out rows of other days: given the
model's answer, the inputs and the slices, what would it have answered? It never saw a training row, so that it shows
errors that everyone who trusted those rows shares; where nothing can be corrected it agrees with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mltest.probes import baselines, design_matrix, linear_model
from mltest.probes.judged_rows import JudgedRows
from mltest.probes.outcomes import Outcome
from mltest.stats.arrays import BoolArray, FloatArray
from mltest.system import Effort

if TYPE_CHECKING:
    import pyarrow as pa

Yardstick = Literal["linear", "correction"]

FEWEST_CORRECTED = 500
"""Held-out rows from which on a correction is learned; from half of fewer it is noise: of 88 rows, 0.1 to 20 times its
loss was possible."""
_MOST_ROWS_OF_CLASSES = 10_000
_ANSWER = "(answer of the model) "
_LEAST_CHANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Reference:
    """Losses of one yardstick on the held-out rows, shape (n,)."""

    yardstick: Yardstick
    losses: FloatArray


def references(
    rows: JudgedRows, answers: FloatArray, slice_columns: Sequence[str], *, seed: int, effort: Effort
) -> tuple[Reference, ...]:
    """The yardsticks for a model that gave `answers`, shape (n,) or (n, classes): both, where rows and inputs allow.

    With few held-out rows and no input that a linear model can read there is still the correction.
    """
    made = []
    encoder = design_matrix.fit(rows.train, rows.inputs)
    if encoder.width:
        learned = baselines.linear(rows, encoder, seed, effort)
        made.append(Reference("linear", learned.losses))
    if not made or len(rows.truth) >= FEWEST_CORRECTED:
        made.append(Reference("correction", correction_losses(rows, answers, slice_columns, seed=seed)))
    return tuple(made)


def correction_losses(rows: JudgedRows, answers: FloatArray, slice_columns: Sequence[str], *, seed: int) -> FloatArray:
    """Loss per held-out row of a linear correction that was learned on the other half of the blocks, shape (n,)."""
    table = _augmented(rows, answers, slice_columns)
    first = _half(rows, seed)
    losses = np.empty(len(rows.truth))
    for judged in (first, ~first):
        chosen = ~judged if rows.outcome.is_number else _thinned(~judged, _MOST_ROWS_OF_CLASSES, seed)
        losses[judged] = _corrected(table, rows, chosen, judged)
    return losses


def _corrected(table: pa.Table, rows: JudgedRows, chosen: BoolArray, judged: BoolArray) -> FloatArray:
    import pyarrow as pa

    learned = table.filter(pa.array(chosen))
    encoder = design_matrix.fit(learned, table.column_names)
    fitted = linear_model.fit(encoder.wide(learned), rows.truth[chosen], rows.blocks[chosen], rows.outcome)
    answer = fitted.answer(encoder.wide(table.filter(pa.array(judged))))
    return rows.outcome.losses(rows.truth[judged], answer)


def _augmented(rows: JudgedRows, answers: FloatArray, slice_columns: Sequence[str]) -> pa.Table:
    """The model's inputs, the slices and their pairs as categories, and what the model answered."""
    import pyarrow as pa

    columns: dict[str, Any] = {name: rows.holdout.column(name) for name in rows.inputs}
    named = {name: _as_text(rows.holdout.column(name)) for name in slice_columns}
    columns |= {f"{name} (slice)": pa.array(values) for name, values in named.items()}
    for one, other in combinations(named, 2):
        pair = np.char.add(np.char.add(named[one].astype(str), " and "), named[other].astype(str))
        columns[f"{one} and {other}"] = pa.array(pair)
    for number, values in enumerate(_answer_columns(answers, rows.outcome)):
        columns[f"{_ANSWER}{number}"] = pa.array(values)
    return pa.table(columns)


def _as_text(column: Any) -> np.ndarray:
    names, codes = design_matrix.level_codes(column)
    return np.array(names)[codes]


def _answer_columns(answers: FloatArray, outcome: Outcome) -> list[FloatArray]:
    if outcome.is_number:
        return [answers]
    chances = np.clip(answers, _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
    shown = chances[:, 1:]
    return [np.log(shown[:, k] / (1.0 - shown[:, k])) for k in range(shown.shape[1])]


def _half(rows: JudgedRows, seed: int) -> BoolArray:
    _, codes = np.unique(rows.blocks, return_inverse=True)
    count = int(codes.max()) + 1
    return np.isin(codes, np.random.default_rng(seed + 2).permutation(count)[: count // 2])


def _thinned(mask: BoolArray, most: int, seed: int) -> BoolArray:
    members = np.flatnonzero(mask)
    if len(members) <= most:
        return mask
    kept = np.random.default_rng(seed).choice(members, most, replace=False)
    thinned = np.zeros_like(mask)
    thinned[kept] = True
    return thinned
