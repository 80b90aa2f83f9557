"""Makes outcomes depend on the toy feature, so that a training which reads it cannot but learn it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from mltest.probes.feature_encoding import is_category, numbers
from mltest.probes.outcomes import outcome_of
from mltest.system import Effort, Roles

ROWS: Mapping[Effort, int] = {"quick": 12_000, "standard": 40_000, "thorough": 100_000}
"""Rows of the stretch to learn from and of the one to serve together."""

STRENGTH = 2.0
"""Standard deviations of the outcome that one of the toy feature adds."""


def planted(rows: pa.Table, feature: str, roles: Roles, task: str) -> pa.Table:
    """The rows with a target that follows `feature`: twice its spread is added, or the outer thirds get a class."""
    column = rows.column(roles.target)
    toy = _standardised(rows.column(feature))
    targets = np.array(column.to_pylist(), dtype=object) if is_category(column) else numbers(column)
    outcome = outcome_of(task, targets, roles.positive)
    if outcome.is_number:
        moved = targets + STRENGTH * float(np.nanstd(targets)) * toy
        made = pa.array(moved, pa.float64(), from_pandas=True)
        return rows.set_column(rows.column_names.index(roles.target), roles.target, made)
    values = column.to_pylist()
    kinds = sorted({value for value in values if value is not None}, key=str)
    low, high = np.quantile(toy, (1 / 3, 2 / 3))
    changed = [kinds[0] if t <= low else kinds[-1] if t >= high else v for t, v in zip(toy, values, strict=True)]
    return rows.set_column(rows.column_names.index(roles.target), roles.target, pa.array(changed, column.type))


def held_still(rows: pa.Table, feature: str) -> pa.Table:
    """The rows with the middle value of `feature` in all of them."""
    values = numbers(rows.column(feature))
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    kind = rows.column(feature).type
    still = pa.array(np.full(rows.num_rows, middle)).cast(kind, safe=False)
    return rows.set_column(rows.column_names.index(feature), feature, still)


def _standardised(column: pa.ChunkedArray) -> np.ndarray:
    values = numbers(column)
    known = np.isfinite(values)
    if not known.any() or float(np.std(values[known])) == 0:
        return np.zeros(len(values))
    return np.where(known, (values - values[known].mean()) / values[known].std(), 0.0)
