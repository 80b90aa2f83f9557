"""Loss of every row, in the order of the rows: paired comparisons, slices and days all start from these.

A missing outcome or prediction gives a NaN loss, which the statistics refuse to average away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray, as_column, as_floats, require_same_length, require_share


@dataclass(frozen=True, slots=True)
class LogLosses:
    """Log loss per row in nats, shape (n,). `clipped` rows gave their outcome a probability below the floor.

    Their true loss is larger, up to infinite; `reason` says so in words, and is None when nothing was clipped.
    """

    values: FloatArray
    clipped: int
    reason: str | None = None


def absolute_error(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> FloatArray:
    """|actual - predicted| per row, in their unit; shape (n,)."""
    return np.abs(_difference(actual, predicted))


def squared_error(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> FloatArray:
    """(actual - predicted) squared per row; shape (n,)."""
    return np.square(_difference(actual, predicted))


def pinball_loss(actual: npt.ArrayLike, predicted: npt.ArrayLike, quantile: float) -> FloatArray:
    """Loss per row that the true `quantile` minimises (Koenker and Bassett 1978); at 0.5 half the absolute error."""
    require_share("quantile", quantile)
    above = _difference(actual, predicted)
    return np.maximum(quantile * above, (quantile - 1.0) * above)


def binary_log_loss(outcome: npt.ArrayLike, probability: npt.ArrayLike, *, floor: float = 1e-15) -> LogLosses:
    """-ln of the probability given to what happened; `outcome` 0 or 1, `probability` of 1; both shape (n,).

    ValueError for other outcomes and for probabilities outside 0 to 1.
    """
    happened, chance = as_floats("outcome", outcome), as_floats("probability", probability)
    require_same_length(outcome=happened, probability=chance)
    if not np.isin(happened[~np.isnan(happened)], (0.0, 1.0)).all():
        raise ValueError("outcome holds values other than 0 and 1: give 1 for the positive class")
    _require_probabilities(chance)
    given = np.where(happened == 1.0, chance, 1.0 - chance)
    return _clipped(np.where(np.isnan(happened), np.nan, given), floor)


def multiclass_log_loss(outcome: npt.ArrayLike, probabilities: npt.ArrayLike, *, floor: float = 1e-15) -> LogLosses:
    """-ln of the probability given to the class that happened.

    `outcome` holds class numbers from 0, shape (n,); `probabilities` one column per class, shape (n, classes).
    ValueError for class numbers out of range and for rows that are no probabilities or do not sum to one.
    """
    happened, chances = as_column("outcome", outcome), np.asarray(probabilities, dtype=np.float64)
    if chances.ndim != 2 or len(chances) != len(happened):
        raise ValueError(f"probabilities have shape {chances.shape}: give {len(happened)} rows, one column per class")
    if happened.dtype.kind not in "iu" or not ((happened >= 0) & (happened < chances.shape[1])).all():
        raise ValueError(f"outcome must hold class numbers from 0 to {chances.shape[1] - 1}")
    _require_probabilities(chances)
    sums = chances.sum(axis=1)
    if not np.isclose(sums[np.isfinite(sums)], 1.0, atol=1e-4).all():
        raise ValueError("probabilities of a row do not sum to one: give the scores after softmax")
    return _clipped(chances[np.arange(len(happened)), happened], floor)


def _difference(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> FloatArray:
    first, second = as_floats("actual", actual), as_floats("predicted", predicted)
    require_same_length(actual=first, predicted=second)
    return first - second


def _require_probabilities(chances: FloatArray) -> None:
    if (chances < 0.0).any() or (chances > 1.0).any():
        raise ValueError("probabilities leave the range 0 to 1: give the scores after the link function")


def _clipped(given: FloatArray, floor: float) -> LogLosses:
    clipped = int(np.count_nonzero(given < floor))
    reason = f"{clipped} of {given.size} rows gave what happened a probability below {floor:g}" if clipped else None
    return LogLosses(-np.log(np.maximum(given, floor)), clipped, reason)
