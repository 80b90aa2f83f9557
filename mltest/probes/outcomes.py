"""What is predicted, a number or a class, and the loss that goes with it.

Numbers are judged by their absolute error in the unit of the target. Classes are judged by the Brier score (1950): it
is proper, stays bounded where a log loss is ruined by one confident mistake, and takes bare decisions as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.stats.arrays import BoolArray, FloatArray

NUMBER_TASKS = ("regression", "forecast")
CLASS_TASKS = ("binary", "multiclass", "routing", "document", "classification", "anomaly")
_MOST_CLASSES = 1000
_UNKNOWN_CLASS = -1.0


class Unanswered(Withheld):
    """Some answers are not finite; `rows` marks the rows that have none, shape (rows,)."""

    def __init__(self, reason: str, rows: BoolArray) -> None:
        super().__init__(reason)
        self.rows = rows


@dataclass(frozen=True)
class Outcome:
    """What the target is: `classes` in the order of the model's scores, or none for a number.

    `positive` is the class that a single score a row speaks of, as a position in `classes`.
    """

    classes: tuple[str, ...] = ()
    positive: int = 1

    @property
    def is_number(self) -> bool:
        return not self.classes

    @property
    def loss_name(self) -> str:
        return "absolute error" if self.is_number else "Brier score"

    def truth(self, values: npt.NDArray[Any]) -> FloatArray:
        """Targets as numbers, or as positions in `classes` (-1 for one unseen in training); NaN where missing."""
        if self.is_number:
            return _as_numbers(values)
        position = {name: float(number) for number, name in enumerate(self.classes)}
        names = (class_name(value) for value in values.tolist())
        coded = (np.nan if name is None else position.get(name, _UNKNOWN_CLASS) for name in names)
        return np.fromiter(coded, dtype=np.float64, count=len(values))

    def answers(self, predicted: Any, rows: int) -> FloatArray:
        """Predictions of shape (rows,) for a number, (rows, classes) for classes.

        Raises PartFailure for another shape, Unanswered for answers that are not finite, and Withheld for those that
        are no probabilities.
        """
        given = np.asarray(predicted)
        if given.ndim == 0 or len(given) != rows:
            count = 1 if given.ndim == 0 else len(given)
            raise PartFailure(f"the part `model` gave {count} answers to {rows} rows: it must give one a row, in order")
        if given.ndim == 2 and given.shape[1] == 1:
            given = given[:, 0]
        return self._numbers(given) if self.is_number else self._probabilities(given)

    def losses(self, truth: FloatArray, answers: FloatArray) -> FloatArray:
        """Loss per row, at least 0, shape (n,): |truth - answer|, or the Brier score (halved, so that it ends at 1)."""
        if self.is_number:
            return np.abs(truth - answers)
        happened = (truth[:, None] == np.arange(len(self.classes))[None, :]).astype(np.float64)
        missed = (truth == _UNKNOWN_CLASS).astype(np.float64)
        return np.asarray((np.square(answers - happened).sum(axis=1) + missed) / 2.0, dtype=np.float64)

    def _numbers(self, given: npt.NDArray[Any]) -> FloatArray:
        if given.ndim != 1 or given.dtype.kind not in "fiub":
            raise PartFailure(
                f"the part `model` answers with {given.dtype} of shape {given.shape}: one number a row is needed"
            )
        return _finite(given.astype(np.float64))

    def _probabilities(self, given: npt.NDArray[Any]) -> FloatArray:
        known = len(self.classes)
        if given.ndim == 1 and (given.dtype.kind in "OUS" or known > 2):
            return self._decisions(given)
        chances = _finite(given.astype(np.float64))
        if chances.ndim == 1:
            chances = np.column_stack([1.0 - chances, chances] if self.positive == 1 else [chances, 1.0 - chances])
        if chances.shape != (len(given), known):
            raise PartFailure(
                f"the part `model` gives {chances.shape[-1]} scores a row, training has {known} classes: "
                "give one score a class, in the order of the sorted classes"
            )
        if (chances < -1e-6).any() or (chances > 1.0 + 1e-6).any() or (np.abs(chances.sum(axis=1) - 1.0) > 1e-3).any():
            raise Withheld("the model's scores are no probabilities: give them after the link function, from 0 to 1")
        return chances

    def _decisions(self, given: npt.NDArray[Any]) -> FloatArray:
        decided = self.truth(given)
        unknown = int(np.count_nonzero(~(decided >= 0.0)))
        if unknown:
            raise PartFailure(f"the part `model` answers {unknown} rows with a class that training does not have")
        return np.eye(len(self.classes))[decided.astype(np.intp)]


def outcome_of(task: str, targets: npt.NDArray[Any], positive: str | int | float | bool | None) -> Outcome:
    """The kind of outcome of a task whose training targets are `targets`, shape (n,).

    An unknown task is one of classes when its targets are texts, truth values or two numbers. Raises Withheld when
    training knows fewer than two classes, or when `positive` is none of them.
    """
    names = None
    if task in CLASS_TASKS or (task not in NUMBER_TASKS and _looks_like_classes(targets)):
        names = _sorted_classes(class_name(value) for value in targets.tolist())
    if names is None:
        return Outcome()
    if not 2 <= len(names) <= _MOST_CLASSES:
        raise Withheld(f"training knows {len(names)} classes: at least two are needed", ReasonCode.TOO_LITTLE_DATA)
    if positive is None:
        return Outcome(names)
    chosen = class_name(positive)
    if chosen not in names:
        raise Withheld(f"the positive class {chosen!r} is none of the classes in training ({', '.join(names[:5])})")
    return Outcome(names, names.index(chosen))


def class_name(value: Any) -> str | None:
    """One text for one class, so that True, 1 and 1.0 are the same; None where it is missing."""
    if value is None or value != value:
        return None
    return f"{float(value):g}" if isinstance(value, bool | int | float) else str(value)


def _looks_like_classes(targets: npt.NDArray[Any]) -> bool:
    return targets.dtype.kind in "OUSb" or len(np.unique(targets[~np.isnan(targets.astype(np.float64))])) <= 2


def _sorted_classes(names: Iterable[str | None]) -> tuple[str, ...]:
    distinct = {name for name in names if name is not None}
    try:
        return tuple(sorted(distinct, key=float))
    except ValueError:
        return tuple(sorted(distinct))


def _as_numbers(values: npt.NDArray[Any]) -> FloatArray:
    if values.dtype.kind not in "fiub":
        raise Withheld("the target holds values that are no numbers, and the task asks for numbers: name another task")
    return values.astype(np.float64)


def _finite(answers: FloatArray) -> FloatArray:
    bad = int(answers.size - np.count_nonzero(np.isfinite(answers)))
    if bad:
        raise Unanswered(
            f"{bad} of {answers.size} answers of the model are not finite, so losses cannot be compared on the same "
            "rows: make it answer every row of the holdout",
            np.asarray(~np.isfinite(answers).reshape(len(answers), -1).all(axis=1)),
        )
    return answers
