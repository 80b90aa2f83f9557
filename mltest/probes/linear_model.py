"""Regularised linear models as yardsticks: ridge for numbers, logistic regression for classes.

The penalty is chosen by the loss that the comparison uses, on training rows that come later than those fitted (few
rows: in five contiguous folds), so that the yardstick is as tuned as it deserves and never sees a held-out row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltest import extras
from mltest.probes.design_matrix import Matrix
from mltest.probes.outcomes import Outcome
from mltest.stats.arrays import BoolArray, FloatArray

_RIDGE_PENALTIES = (1.0, 10.0, 100.0, 1000.0, 10000.0)
_LOGISTIC_STRENGTHS = (0.01, 0.1, 1.0, 10.0)
_MANY_ROWS = 5000
_LATE_SHARE = 0.2
_FOLDS = 5
_ROWS_AT_ONCE = 8_192

Answer = Callable[[Matrix], FloatArray]


@dataclass(frozen=True)
class Fitted:
    """A fitted model, and the share of the constant rule's loss that it saved on the training rows kept aside."""

    answer: Answer
    gain_inside: float


def fit(matrix: Matrix, truth: FloatArray, blocks: npt.NDArray[Any], outcome: Outcome) -> Fitted:
    """Fits `matrix` (rows, columns) to `truth` (rows,). Raises Withheld without scikit-learn where classes need it."""
    folds = late_folds(blocks)
    if outcome.is_number:
        return _ridge(matrix, truth, folds)
    return _logistic(matrix, truth, folds, outcome)


def constant_answer(truth: FloatArray, outcome: Outcome) -> FloatArray:
    """The answer that is best without looking: the median, shape (1,), or the class frequencies, shape (1, classes)."""
    if outcome.is_number:
        return np.array([np.median(truth)])
    counts = np.bincount(truth.astype(np.intp), minlength=len(outcome.classes))
    return np.asarray(counts / counts.sum(), dtype=np.float64)[None, :]


def late_folds(blocks: npt.NDArray[Any]) -> list[BoolArray]:
    """Masks of rows to keep aside: the latest fifth of the blocks, or five contiguous fifths where rows are few."""
    _, codes = np.unique(blocks, return_inverse=True)
    count = int(codes.max()) + 1
    if len(blocks) >= _MANY_ROWS or count < _FOLDS:
        late = codes >= int(count * (1.0 - _LATE_SHARE))
        return [late if 0 < late.sum() < len(late) else np.arange(len(codes)) >= int(len(codes) * (1.0 - _LATE_SHARE))]
    return [codes * _FOLDS // count == fold for fold in range(_FOLDS)]


def _ridge(matrix: Matrix, truth: FloatArray, folds: Sequence[BoolArray]) -> Fitted:
    centre = float(truth.mean())
    everything = _Moments.of(matrix, truth - centre)
    losses = np.zeros(len(_RIDGE_PENALTIES))
    plain = 0.0
    for aside in folds:
        kept = everything.without(_Moments.of(matrix[aside], truth[aside] - centre))
        median = float(np.median(truth[~aside]))
        plain += float(np.abs(truth[aside] - median).sum())
        weights = np.column_stack([kept.solve(penalty) for penalty in _RIDGE_PENALTIES])
        missed = truth[:, None] - _apply(matrix, weights)
        # Squared error gives the mean; the loss that is compared asks for the median.
        losses += np.abs(missed[aside] - np.median(missed[~aside], axis=0)).sum(axis=0)
    best = int(np.argmin(losses))
    weights = everything.solve(_RIDGE_PENALTIES[best])
    shift = float(np.median(truth - _apply(matrix, weights)))
    gain = 1.0 - losses[best] / plain if plain > 0.0 else 0.0
    return Fitted(lambda rows: shift + _apply(rows, weights), float(gain))


def _apply(matrix: Matrix, weights: FloatArray) -> FloatArray:
    answers: FloatArray = (matrix @ weights[1:].astype(np.float32)).astype(np.float64) + weights[0]
    return answers


@dataclass(frozen=True)
class _Moments:
    """Sums of products of the columns (with a leading column of ones) with each other and with the target."""

    gram: FloatArray
    target: FloatArray

    @classmethod
    def of(cls, matrix: Matrix, target: FloatArray) -> _Moments:
        width = matrix.shape[1] + 1
        gram, products = np.zeros((width, width)), np.zeros(width)
        for start in range(0, len(matrix), _ROWS_AT_ONCE):
            part = matrix[start : start + _ROWS_AT_ONCE]
            rows = np.column_stack([np.ones(len(part), dtype=np.float32), part])
            # Products of a few thousand rows keep six figures in single precision; the sums of parts need more.
            gram += rows.T @ rows
            products += rows.T @ target[start : start + _ROWS_AT_ONCE].astype(np.float32)
        return cls(gram, products)

    def without(self, other: _Moments) -> _Moments:
        return _Moments(self.gram - other.gram, self.target - other.target)

    def solve(self, penalty: float) -> FloatArray:
        """Weights, the intercept first and unpenalised."""
        penalties = np.full(len(self.target), penalty)
        penalties[0] = 1e-6
        return np.asarray(np.linalg.solve(self.gram + np.diag(penalties), self.target), dtype=np.float64)


def _logistic(matrix: Matrix, truth: FloatArray, folds: Sequence[BoolArray], outcome: Outcome) -> Fitted:
    losses = np.zeros(len(_LOGISTIC_STRENGTHS))
    plain = 0.0
    for aside in folds:
        if len(np.unique(truth[~aside])) < 2:
            continue
        constant = constant_answer(truth[~aside], outcome)
        plain += float(outcome.losses(truth[aside], np.repeat(constant, int(aside.sum()), axis=0)).sum())
        for number, strength in enumerate(_LOGISTIC_STRENGTHS):
            answer = _logistic_answer(matrix[~aside], truth[~aside], strength, outcome)
            losses[number] += float(outcome.losses(truth[aside], answer(matrix[aside])).sum())
    best = int(np.argmin(losses))
    gain = 1.0 - losses[best] / plain if plain > 0.0 else 0.0
    return Fitted(_logistic_answer(matrix, truth, _LOGISTIC_STRENGTHS[best], outcome), float(gain))


def _logistic_answer(matrix: Matrix, truth: FloatArray, strength: float, outcome: Outcome) -> Answer:
    linear = extras.load("sklearn.linear_model", "baselines")
    # More iterations move the answers by less than the interval of any comparison.
    model = linear.LogisticRegression(C=strength, max_iter=200, tol=1e-4)
    present = truth >= 0.0
    with np.errstate(all="ignore"):
        model.fit(matrix[present].astype(np.float64), truth[present].astype(np.intp))
    known = model.classes_.astype(np.intp)

    def answer(rows: Matrix) -> FloatArray:
        chances = np.zeros((len(rows), len(outcome.classes)))
        chances[:, known] = model.predict_proba(rows.astype(np.float64))
        return chances

    return answer
