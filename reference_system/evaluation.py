"""How far a model is off, on rows whose outcome is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from reference_system import encoding
from reference_system.runtime import MEDIAN, Predictor


def labelled(table: pa.Table, target: str) -> tuple[pa.Table, np.ndarray]:
    """The rows whose outcome is known, and their outcomes in minutes."""
    outcome = encoding.number_values(encoding.column_of(table, target), target)
    known = ~np.isnan(outcome)
    return table.filter(pa.array(known)), outcome[known]


def measure(predictor: Predictor, table: pa.Table, target: str) -> dict[str, float]:
    """Mean absolute error, coverage and width of the interval between the outer quantiles; minutes and shares.

    An answer that is not a number makes the error NaN: it is never left out.
    """
    rows, outcome = labelled(table, target)
    quantiles = predictor.quantiles(rows)
    lower, upper = quantiles[:, 0], quantiles[:, -1]
    if not rows.num_rows:
        return {"validation_rows": 0.0, "validation_mae": float("nan")}
    return {
        "validation_rows": float(rows.num_rows),
        "validation_mae": float(np.abs(quantiles[:, MEDIAN] - outcome).mean()),
        "validation_coverage": float(((lower <= outcome) & (outcome <= upper)).mean()),
        "validation_width": float((upper - lower).mean()),
    }
