"""Maximum mean discrepancy: one distance over all columns together, which sees joint drift that no column shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.stats.arrays import BoolArray, FloatArray
from mltest.stats.permutation import block_assignments, permutation_p_value, smallest_p_value


@dataclass(frozen=True, slots=True)
class MeanDiscrepancy:
    """Unbiased squared discrepancy with its permutation p-value; it may be slightly negative without drift.

    `bandwidth` is in standard deviations of the reference. With a `reason` value and p-value are NaN.
    """

    value: float
    p_value: float
    bandwidth: float
    n_reference: int
    n_current: int
    n_blocks: int
    reason: str | None = None


def mean_discrepancy(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    reference_blocks: npt.ArrayLike | None = None,
    current_blocks: npt.ArrayLike | None = None,
    permutations: int = 999,
    max_rows: int = 1000,
    seed: int,
) -> MeanDiscrepancy:
    """Two-sample test with a Gaussian kernel (Gretton et al. 2012) on shapes (n, columns) and (m, columns).

    Columns are scaled by the reference's mean and standard deviation (a column that is constant there keeps its
    unit), and the bandwidth is the median distance within the reference alone: one taken from both samples would
    grow with the very drift it should show. At most `max_rows` rows of each sample take part, drawn at random.
    Blocks (one label per row: days) are moved whole in the permutations; without them rows count as independent.

    Too few rows, values that are not finite (impute first, and test missingness by itself) and a reference of
    one repeated row give a `reason`. ValueError when shapes or blocks do not fit each other.
    """
    first, second = _matrix("reference", reference), _matrix("current", current)
    _require_same_columns(first, second)
    blocks_first = _block_labels("reference", reference_blocks, current_blocks, len(first))
    blocks_second = _block_labels("current", current_blocks, reference_blocks, len(second))
    generator = np.random.default_rng(seed)
    kept_first, kept_second = _subsample(generator, len(first), max_rows), _subsample(generator, len(second), max_rows)
    first, second = first[kept_first], second[kept_second]
    reason = _why_not(first, second)
    if reason:
        return _undefined(first, second, reason)
    squared = _squared_distances(_standardised(first, second))
    bandwidth = _median_distance(squared[: len(first), : len(first)])
    if bandwidth == 0.0:
        return _undefined(first, second, "half of the reference's rows are equal: there is no bandwidth")
    kernel = np.exp(-squared / (2.0 * bandwidth**2))
    blocks = np.concatenate([blocks_first[kept_first], blocks_second[kept_second]])
    in_current = np.arange(len(blocks)) >= len(first)
    return _tested(kernel, in_current, blocks, bandwidth, permutations, seed)


def _tested(
    kernel: FloatArray,
    in_current: BoolArray,
    blocks: npt.NDArray[np.str_],
    bandwidth: float,
    permutations: int,
    seed: int,
) -> MeanDiscrepancy:
    sides = block_assignments(in_current, blocks, permutations=permutations, seed=seed)
    observed = float(_discrepancies(kernel, in_current[None, :])[0])
    n_blocks, n_current_blocks = len(np.unique(blocks)), len(np.unique(blocks[in_current]))
    null = _discrepancies(kernel, sides)
    # A division that leaves a side with fewer than two rows has no unbiased estimate.
    p_value = permutation_p_value(observed, null[np.isfinite(null)])
    p_value = max(p_value, smallest_p_value(n_blocks, n_current_blocks))
    n_current = int(np.count_nonzero(in_current))
    return MeanDiscrepancy(observed, p_value, bandwidth, len(in_current) - n_current, n_current, n_blocks)


def _discrepancies(kernel: FloatArray, in_current: BoolArray) -> FloatArray:
    current = in_current.astype(np.float64)
    reference = 1.0 - current
    m, n = current.sum(axis=1), reference.sum(axis=1)
    current_to_all, all_to_all = current @ kernel, kernel.sum(axis=0)
    current_current = np.einsum("ij,ij->i", current_to_all, current)
    current_reference = np.einsum("ij,ij->i", current_to_all, reference)
    reference_reference = reference @ all_to_all - current_reference
    with np.errstate(divide="ignore", invalid="ignore"):
        within = (current_current - m) / (m * (m - 1.0)) + (reference_reference - n) / (n * (n - 1.0))
        return np.asarray(within - 2.0 * current_reference / (m * n), dtype=np.float64)


def _standardised(reference: FloatArray, current: FloatArray) -> FloatArray:
    scale = reference.std(axis=0)
    scale[scale == 0.0] = 1.0
    return np.asarray((np.concatenate([reference, current]) - reference.mean(axis=0)) / scale, dtype=np.float64)


def _squared_distances(rows: FloatArray) -> FloatArray:
    norms = np.square(rows).sum(axis=1)
    return np.asarray(np.maximum(0.0, norms[:, None] + norms[None, :] - 2.0 * rows @ rows.T), dtype=np.float64)


def _median_distance(squared: FloatArray) -> float:
    above_diagonal = squared[np.triu_indices(len(squared), k=1)]
    median = float(np.median(above_diagonal))
    # The expansion of the square leaves rounding noise where two rows are equal.
    return 0.0 if median < 1e-12 else math.sqrt(median)


def _matrix(name: str, values: npt.ArrayLike) -> FloatArray:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"{name} has {matrix.ndim} dimensions: give rows by columns")
    return matrix


def _block_labels(
    name: str, blocks: npt.ArrayLike | None, other: npt.ArrayLike | None, rows: int
) -> npt.NDArray[np.str_]:
    if (blocks is None) != (other is None):
        raise ValueError("blocks are given for one sample only: give them for both or for neither")
    if blocks is None:
        return np.char.add(f"{name} row ", np.arange(rows).astype(np.str_))
    labels = np.asarray(blocks).astype(np.str_)
    if labels.shape != (rows,):
        raise ValueError(f"{name} has {rows} rows and {labels.size} block labels: give one label per row")
    return labels


def _require_same_columns(reference: FloatArray, current: FloatArray) -> None:
    if reference.shape[1] != current.shape[1]:
        told = f"reference has {reference.shape[1]} columns and current {current.shape[1]}"
        raise ValueError(f"{told}: give the same columns in the same order")


def _subsample(generator: np.random.Generator, rows: int, limit: int) -> npt.NDArray[np.intp]:
    chosen = generator.choice(rows, size=limit, replace=False) if rows > limit else np.arange(rows)
    return np.sort(chosen).astype(np.intp)


def _why_not(reference: FloatArray, current: FloatArray) -> str | None:
    for name, rows in (("reference", reference), ("current sample", current)):
        if len(rows) < 2:
            return f"the {name} has {len(rows)} rows: at least 2 are needed"
        bad = int(np.count_nonzero(~np.isfinite(rows).all(axis=1)))
        if bad:
            return f"{bad} of {len(rows)} rows of the {name} hold missing or infinite values"
    if reference.shape[1] == 0:
        return "there are no columns"
    return None


def _undefined(reference: FloatArray, current: FloatArray, reason: str) -> MeanDiscrepancy:
    return MeanDiscrepancy(math.nan, math.nan, math.nan, len(reference), len(current), 0, reason)
