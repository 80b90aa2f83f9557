"""Whether what a training gives speaks the same language as the model that is served.

A sign turned round somewhere leaves two trainings in perfect agreement, so agreement alone shows nothing about it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

OPPOSITE = -0.1
"""Correlation from which on two models are said to contradict each other."""

_NEVER_NEGATIVE = frozenset({"mae", "mse", "rmse", "error", "brier", "accuracy", "auc", "f1", "rows", "count"})


def correlation(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> float | None:
    """Pearson correlation of two models' answers to the same rows, all scores together; None where there is none."""
    if first.shape != second.shape or first.dtype.kind not in "fiub" or second.dtype.kind not in "fiub":
        return None
    one, two = (answers.astype(np.float64).ravel() for answers in (first, second))
    known = np.isfinite(one) & np.isfinite(two)
    if known.sum() < 2 or np.ptp(one[known]) == 0 or np.ptp(two[known]) == 0:
        return None
    return float(np.corrcoef(one[known], two[known])[0, 1])


def contradiction(
    champion: npt.NDArray[np.generic] | None, trained: npt.NDArray[np.generic], metrics: Mapping[str, float]
) -> str | None:
    """The sentence that says what is the wrong way round, or None.

    `champion` and `trained` are answers to the same rows, shape (rows,) or (rows, classes); `metrics` are those that
    the training reported.
    """
    for name, value in metrics.items():
        if value < 0 and _NEVER_NEGATIVE & set(name.lower().replace("-", "_").split("_")):
            return f"the training reports {name} = {value:.4g}, which cannot be negative: check the sign of its metrics"
    agreement = None if champion is None else correlation(np.asarray(champion), trained)
    if agreement is not None and agreement < OPPOSITE:
        return (
            f"the newly trained model and the served one contradict each other (correlation {agreement:.2f} on the "
            "same rows): offer the training that makes the served model, and check the sign of its answers"
        )
    return None
