"""Training is random too: seeds and days are two sources of error, and an estimate has to carry both."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import FloatArray
from mltest.stats.bootstrap import Estimate, unknown_estimate
from mltest.stats.clusters import Clusters, cluster, ratio_error
from mltest.stats.intervals import Interval


def estimate_over_seeds(differences: npt.ArrayLike, clusters: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Mean of paired loss differences of shape (seeds, n), with the error of both seeds and clusters (days).

    Seeds are crossed with days: error^2 = variance between seed means / seeds + cluster-robust error^2 of the mean
    over seeds (Bouthillier et al. 2021 on why seeds count). Degrees of freedom follow Satterthwaite (1946). One
    seed, one cluster or a difference that is not finite gives a `reason`. ValueError when shapes do not fit.
    """
    from scipy.special import stdtrit

    table = np.asarray(differences, dtype=np.float64)
    grouping = cluster(clusters)
    if table.ndim != 2 or table.shape[1] != len(grouping.codes):
        raise ValueError(
            f"differences have shape {table.shape}: give one row per seed and {len(grouping.codes)} columns"
        )
    reason = _why_not(table, grouping)
    if reason:
        return unknown_estimate(reason, table.shape[1], grouping.count, level)
    value, day_error = ratio_error(grouping.sums(table.mean(axis=0)), grouping.sizes())
    seeds = len(table)
    seed_part, day_part = float(table.mean(axis=1).var(ddof=1)) / seeds, day_error**2
    total = seed_part + day_part
    if total == 0.0:
        return Estimate(value, Interval(value, value, level), table.shape[1], grouping.count, 0.0)
    freedom = total**2 / (seed_part**2 / (seeds - 1) + day_part**2 / (grouping.count - 1))
    reach = float(stdtrit(freedom, 0.5 + level / 2.0)) * math.sqrt(total)
    interval = Interval(value - reach, value + reach, level)
    return Estimate(value, interval, table.shape[1], grouping.count, math.sqrt(total))


def _why_not(table: FloatArray, grouping: Clusters) -> str | None:
    if len(table) < 2:
        return f"{len(table)} seeds: the randomness of training shows from 2 on"
    if table.shape[1] == 0 or grouping.count < 2:
        return f"{grouping.count} clusters: at least 2 are needed"
    bad = int(table.size - np.count_nonzero(np.isfinite(table)))
    return f"{bad} of {table.size} differences are not finite" if bad else None
