"""Drop-one and drop-group for a ridge regression, in closed form: every unit is dropped and refitted on all rows.

With S the inverse of the penalised Gram matrix and B the columns of a unit, the coefficients without the unit are
beta - S[:, B] inverse(S[B, B]) beta[B] (the block form of leaving variables out; Seber and Lee 2003, section 3.7).
Classes are fitted as indicators and judged by the Brier score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mltest.probes.benefit_estimates import Differences, total
from mltest.probes.learnable import Learnable
from mltest.probes.time_folds import Fold

Numbers = npt.NDArray[np.float64]
Units = Mapping[str, Sequence[str]]

PENALTY = 1.0
_ROWS_AT_ONCE = 20_000


def differences(rows: Learnable, folds: Sequence[Fold], units: Units) -> Differences:
    """What dropping each of `units` (names of the features dropped together) costs on the later rows of every fold."""
    parts = []
    for fold in folds:
        coefficients = dropped(rows, fold.learn, units)
        parts.append(judged(rows, fold.judge, coefficients))
    return total(parts)


def dropped(rows: Learnable, learn: npt.NDArray[np.intp], units: Units) -> dict[str, Numbers]:
    """Coefficients without each unit, and under the empty name those of the full model; each (columns, k)."""
    gram, moments = _normal_equations(rows, learn)
    penalty = np.full(len(gram), PENALTY)
    penalty[0] = 0.0
    inverse = np.linalg.inv(gram + np.diag(penalty + 1e-9))
    full = inverse @ moments
    fitted = {"": full}
    for unit, features in units.items():
        block = np.concatenate([rows.encoding.blocks[name] for name in features]).astype(np.intp)
        if block.size == 0:
            fitted[unit] = full
            continue
        share = np.linalg.solve(inverse[np.ix_(block, block)], full[block])
        without = full - inverse[:, block] @ share
        without[block] = 0.0
        fitted[unit] = without
    return fitted


def judged(rows: Learnable, judge: npt.NDArray[np.intp], coefficients: Mapping[str, Numbers]) -> Differences:
    """Differences of the rows `judge` under coefficients as `dropped` gives them."""
    units = [unit for unit in coefficients if unit]
    loss = np.zeros(rows.blocks.count)
    benefit = {unit: np.zeros(rows.blocks.count) for unit in units}
    wide = np.concatenate([coefficients[""], *(coefficients[unit] for unit in units)], axis=1)
    k = coefficients[""].shape[1]
    for chosen in _portions(judge):
        scores = rows.design[chosen].astype(np.float64) @ wide
        of_block = rows.blocks.of_row[chosen]
        full = rows.losses(chosen, scores[:, :k])
        loss += np.bincount(of_block, weights=full, minlength=rows.blocks.count)
        for number, unit in enumerate(units, start=1):
            without = rows.losses(chosen, scores[:, number * k : (number + 1) * k])
            benefit[unit] += np.bincount(of_block, weights=without - full, minlength=rows.blocks.count)
    return Differences(loss, benefit)


def _normal_equations(rows: Learnable, learn: npt.NDArray[np.intp]) -> tuple[Numbers, Numbers]:
    width, scores = rows.design.shape[1], rows.scores()
    gram, moments = np.zeros((width, width)), np.zeros((width, scores.shape[1]))
    for chosen in _portions(learn):
        design = rows.design[chosen].astype(np.float64)
        gram += design.T @ design
        moments += design.T @ scores[chosen]
    return gram, moments


def _portions(chosen: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for start in range(0, len(chosen), _ROWS_AT_ONCE):
        yield chosen[start : start + _ROWS_AT_ONCE]
