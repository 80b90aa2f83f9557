"""What features save, as a share of the loss, with an interval over days: the common currency of all screens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.bootstrap import Estimate, cluster_bootstrap, unknown_estimate

Sums = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Differences:
    """Sums by block: the `loss` of the full model, and by unit how much more is lost without it; each (blocks,)."""

    loss: Sums
    benefit: Mapping[str, Sums]

    def plus(self, other: Differences) -> Differences:
        """Both together: another fold, seed or repetition over the same blocks."""
        return Differences(
            self.loss + other.loss, {unit: sums + other.benefit[unit] for unit, sums in self.benefit.items()}
        )


def estimates(differences: Differences, seed: int) -> dict[str, Estimate]:
    """For each unit the share of the loss that it saves (0.01 is one per cent), with a 95 % interval over blocks."""
    judged = differences.loss > 0
    labels = np.flatnonzero(judged)
    return {
        unit: _estimate(sums[judged], differences.loss[judged], labels, seed)
        for unit, sums in differences.benefit.items()
    }


def p_above(estimate: Estimate, limit: float) -> float:
    """One-sided p-value of the claim that the truth is above `limit`; 1 where nothing is known."""
    return 1.0 - _lower_tail(estimate, limit, unknown=0.0)


def p_below(estimate: Estimate, limit: float) -> float:
    """One-sided p-value of the claim that the truth is below `limit`; 1 where nothing is known."""
    return _lower_tail(estimate, limit, unknown=1.0)


def total(parts: Sequence[Differences]) -> Differences:
    """All parts together. Raises ValueError when there is none."""
    if not parts:
        raise ValueError("no fold could be judged: more blocks are needed")
    summed = parts[0]
    for part in parts[1:]:
        summed = summed.plus(part)
    return summed


def _estimate(sums: Sums, loss: Sums, labels: npt.NDArray[np.intp], seed: int) -> Estimate:
    if not sums.any():
        return Estimate(0.0, unknown_estimate("", 0, 0, 0.95).interval, len(sums), len(sums), 0.0)
    return cluster_bootstrap(sums, labels, statistic="ratio", reference=loss, seed=seed)


def _lower_tail(estimate: Estimate, limit: float, unknown: float) -> float:
    """The chance of a value as low as this one, if the truth were `limit`."""
    from scipy.special import stdtr

    if estimate.reason is not None or math.isnan(estimate.standard_error):
        return unknown
    distance = estimate.value - limit
    if estimate.standard_error == 0.0:
        return 1.0 if distance > 0 else 0.0 if distance < 0 else 0.5
    return float(stdtr(max(estimate.n_clusters - 1, 1), distance / estimate.standard_error))
