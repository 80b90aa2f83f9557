"""Rows made ready to learn from: encoded features, coded target, days, and columns of noise to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mltest.probes import feature_encoding, time_folds
from mltest.probes.feature_encoding import Encoding, Matrix, Numbers
from mltest.probes.outcomes import Outcome
from mltest.probes.time_folds import Blocks
from mltest.system import Roles

NOISE = ("noise control 1", "noise control 2", "noise control 3")
"""Columns of standard normal noise that every screen carries: whatever they seem to bring is chance."""


@dataclass(frozen=True)
class Learnable:
    """`rows` rows: `design` (rows, columns) for linear models, `trees` (rows, features) for trees, `truth` (rows,)."""

    encoding: Encoding
    design: Matrix
    trees: Numbers
    outcome: Outcome
    truth: npt.NDArray[np.float64]
    blocks: Blocks

    @property
    def rows(self) -> int:
        return len(self.truth)

    def scores(self) -> Numbers:
        """What a linear model is to give: the number, or an indicator for each class; shape (rows, k)."""
        if self.outcome.is_number:
            return self.truth[:, None]
        classes = np.arange(len(self.outcome.classes))
        return np.asarray(self.truth[:, None] == classes[None, :], dtype=np.float64)

    def losses(self, chosen: npt.NDArray[np.intp], scores: Numbers) -> Numbers:
        """Loss of every chosen row under scores of shape (chosen, k); shape (chosen,)."""
        answers = scores[:, 0] if self.outcome.is_number else scores
        return np.asarray(self.outcome.losses(self.truth[chosen], answers), dtype=np.float64)


def targets(rows: pa.Table, roles: Roles) -> npt.NDArray[np.generic]:
    """The target column as an array, missing values as NaN or None; shape (rows,)."""
    column = rows.column(roles.target)
    if not feature_encoding.is_category(column):
        return feature_encoding.numbers(column)
    return np.array(feature_encoding.words(column).to_pylist(), dtype=object)


def with_known_target(rows: pa.Table, roles: Roles) -> pa.Table:
    """The rows whose target is known."""
    known = [value is not None and value == value for value in targets(rows, roles).tolist()]
    return rows if all(known) else rows.filter(pa.array(known))


def with_noise(rows: pa.Table, seed: int) -> pa.Table:
    """The rows with the noise controls appended."""
    generator = np.random.default_rng((seed, 0x6E6F697365))
    for name in NOISE:
        rows = rows.append_column(name, pa.array(generator.standard_normal(rows.num_rows)))
    return rows


def make(
    rows: pa.Table, features: Sequence[str], roles: Roles, outcome: Outcome, encoding: Encoding | None
) -> Learnable:
    """Rows with a known target, encoded as `encoding` says, or by an encoding of their own."""
    fitted = encoding or feature_encoding.fit(rows, features)
    return Learnable(
        encoding=fitted,
        design=fitted.design(rows),
        trees=fitted.trees(rows),
        outcome=outcome,
        truth=outcome.truth(targets(rows, roles)),
        blocks=time_folds.blocks(rows, roles),
    )
