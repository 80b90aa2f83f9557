"""Permutation tests that never report a probability of zero, and that move whole blocks (days), not rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import AnyArray, BoolArray, FloatArray, as_column, as_floats, require_same_length
from mltest.stats.clusters import Clusters, cluster

TwoSampleStatistic = Callable[[AnyArray, AnyArray], float]


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """An observed statistic against its permutation null; `reason` says why there is no p-value (then NaN)."""

    value: float
    p_value: float
    n_permutations: int
    n_blocks: int
    reason: str | None = None


def permutation_p_value(observed: float, null: npt.ArrayLike) -> float:
    """(1 + k) / (1 + N), k of N null statistics being at least as large as the observed one.

    Phipson and Smyth 2010: k / N may be zero and rejects too often. The same formula answers whether this week is
    unusual among past comparisons: hand over their statistics as `null`. NaN anywhere gives NaN; an empty null 1.
    """
    drawn = as_floats("null", null)
    if math.isnan(observed) or np.isnan(drawn).any():
        return math.nan
    return float((1 + np.count_nonzero(drawn >= observed)) / (1 + drawn.size))


def block_assignments(in_current: npt.ArrayLike, blocks: npt.ArrayLike, *, permutations: int, seed: int) -> BoolArray:
    """Random divisions of whole blocks into as many current and reference blocks as were observed.

    `in_current` and `blocks` have one entry per row, shape (n,). Returns shape (permutations, n): True where the
    row falls into the current sample. ValueError when one block has rows in both samples.
    """
    current, grouping = _checked(in_current, blocks)
    block_is_current = _current_blocks(current, grouping)
    generator = np.random.default_rng(seed)
    drawn = generator.permuted(np.tile(block_is_current, (permutations, 1)), axis=1)
    return np.asarray(drawn[:, grouping.codes], dtype=np.bool_)


def block_permutation_test(
    values: npt.ArrayLike,
    in_current: npt.ArrayLike,
    blocks: npt.ArrayLike,
    *,
    statistic: TwoSampleStatistic,
    permutations: int = 999,
    seed: int,
) -> PermutationTest:
    """Is `statistic(reference values, current values)` larger than when whole blocks change sides at random?

    All arrays have shape (n,), large statistics speak against the null. The p-value is never below one over the
    number of distinct divisions. One sample without a block, or a statistic that is NaN, gives `reason`.
    """
    column = as_column("values", values)
    current, grouping = _checked(in_current, blocks)
    require_same_length(values=column, in_current=current)
    n_current = int(np.count_nonzero(_current_blocks(current, grouping)))
    if n_current in (0, grouping.count):
        return PermutationTest(math.nan, math.nan, 0, grouping.count, "one of the two samples is empty")
    observed = statistic(column[~current], column[current])
    drawn = block_assignments(current, blocks, permutations=permutations, seed=seed)
    null: FloatArray = np.array([statistic(column[~side], column[side]) for side in drawn], dtype=np.float64)
    p_value = permutation_p_value(observed, null)
    if math.isnan(p_value):
        return PermutationTest(observed, math.nan, permutations, grouping.count, "the statistic is not a number")
    floor = smallest_p_value(grouping.count, n_current)
    return PermutationTest(observed, max(p_value, floor), permutations, grouping.count)


def smallest_p_value(n_blocks: int, n_current: int) -> float:
    """The least p-value that dividing `n_blocks` blocks, `n_current` of them current, can show."""
    divisions = math.comb(n_blocks, n_current)
    # Too many to write as a float: no bound that matters.
    return 0.0 if divisions > 10**300 else 1.0 / divisions


def _checked(in_current: npt.ArrayLike, blocks: npt.ArrayLike) -> tuple[BoolArray, Clusters]:
    current = as_column("in_current", in_current).astype(np.bool_)
    grouping = cluster(blocks)
    require_same_length(in_current=current, blocks=grouping.codes)
    return current, grouping


def _current_blocks(current: BoolArray, grouping: Clusters) -> BoolArray:
    share = grouping.sums(current.astype(np.float64)) / grouping.sizes()
    if ((share > 0.0) & (share < 1.0)).any():
        raise ValueError("a block has rows in both samples: give blocks, such as days, that lie whole in one of them")
    return np.asarray(share == 1.0, dtype=np.bool_)
