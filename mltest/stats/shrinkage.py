"""Empirical-Bayes shrinkage: among many small slices the worst looks worse than it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray, as_floats, require_same_length


def shrink(values: npt.ArrayLike, standard_errors: npt.ArrayLike) -> FloatArray:
    """Every value drawn towards the common mean, the more the noisier it is; shape (n,).

    Normal means with the variance between them estimated by moments (DerSimonian and Laird 1986). Meant for ranking,
    not for deciding. A value whose error is NaN or not positive carries no known weight: it stays NaN.
    """
    observed, errors = as_floats("values", values), as_floats("standard_errors", standard_errors)
    require_same_length(values=observed, standard_errors=errors)
    usable = np.isfinite(observed) & np.isfinite(errors) & (errors > 0.0)
    shrunken = np.full_like(observed, np.nan)
    if not usable.any():
        return shrunken
    variances = np.square(errors[usable])
    between = _variance_between(observed[usable], variances)
    weights = 1.0 / (variances + between)
    centre = float((weights * observed[usable]).sum() / weights.sum())
    shrunken[usable] = centre + between / (variances + between) * (observed[usable] - centre)
    return shrunken


def _variance_between(values: FloatArray, variances: FloatArray) -> float:
    weights = 1.0 / variances
    total = weights.sum()
    centre = (weights * values).sum() / total
    excess = (weights * np.square(values - centre)).sum() - (len(values) - 1)
    spread = total - np.square(weights).sum() / total
    return float(max(0.0, excess / spread)) if spread > 0.0 else 0.0
