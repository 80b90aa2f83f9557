"""Whether one answer is given more often than the model's task explains: a corner of the domain that froze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mltest.probes.numeric_domain import is_number

COARSE = 0.5
"""Largest share of one answer where answers are few anyway: small trees, classes."""
FINE = 0.35
"""The same where no other answer comes twice: a third of the rows may lie on a floor or ceiling of the output."""
_DISTINCT = 0.9
_SAME = 1e-6
_CERTAIN = 0.999


@dataclass(frozen=True)
class Mode:
    """The most frequent answer, its share of the rows, and whether the other answers are nearly all distinct."""

    answer: npt.NDArray[np.float64]
    share: float
    others_distinct: bool


def mode_of(given: npt.NDArray[np.float64]) -> Mode:
    """The mode of answers of shape (rows, k), equal to nine decimals."""
    values, counts = np.unique(np.round(given, 9), axis=0, return_counts=True)
    most = int(counts.argmax())
    others = len(given) - int(counts[most])
    return Mode(values[most], float(counts[most] / len(given)), len(values) - 1 >= _DISTINCT * max(others, 1))


def allowed(mode: Mode, target: pa.ChunkedArray | None) -> float:
    """The largest share that the mode may have: what the target itself has of that value, and a part of the rest.

    A target that is 0 in most rows (rain, claims, deliveries without delay) is learnt well by a model that says 0 in
    most rows. A constant model is never allowed: whatever the target, some share of the rest has to move.
    """
    own = 0.0 if target is None else _share_in(target, mode)
    part = own + FINE * (1.0 - own)
    return part if mode.others_distinct else max(COARSE, part)


def _share_in(target: pa.ChunkedArray, mode: Mode) -> float:
    """Share of the target that is the mode; for scores by class, of its most frequent class if the mode is certain."""
    known = target.drop_null()
    if not len(known):
        return 0.0
    if mode.answer.size > 1:
        most = pc.max(pc.value_counts(known.combine_chunks()).field("counts")).as_py()
        return float(most / len(known)) if mode.answer.max() > _CERTAIN else 0.0
    if not (is_number(known.type) or pa.types.is_boolean(known.type)):
        return 0.0
    values: Any = known.cast(pa.float64()).to_numpy()
    return float(np.mean(np.abs(values - mode.answer[0]) <= _SAME * (values.std() + abs(mode.answer[0]))))
