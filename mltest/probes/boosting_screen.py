"""What a gradient boosting makes of each unit: how much is lost when the unit's values are dealt out anew.

Permuting on later rows asks about the model as it was fitted. It makes much of a feature that a correlated one could
replace (Hooker, Mentch and Zhou 2021), so it errs towards mercy: what it finds worthless it never used to advantage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltest import extras
from mltest.probes.benefit_estimates import Differences, total
from mltest.probes.learnable import Learnable
from mltest.probes.time_folds import Fold, thinned, whole_blocks

Indices = npt.NDArray[np.intp]
Units = Mapping[str, Sequence[str]]

ITERATIONS = 60
LEAVES = 15
RATE = 0.1
LEAST_SHARE_OF_A_LEAF = 0.01
"""Share of the rows that a leaf holds at least: finer ones learn single rows by heart, and noise with them."""
DEALS = 2
MOST_SAMPLES = 4
SHARE_OF_A_SAMPLE = 0.7


@dataclass(frozen=True)
class Size:
    """How many rows are learned from, as whole blocks, and how many judge, from every block."""

    learn: int
    judge: int


def fitted(rows: Learnable, learn: Indices, seed: int, without: Sequence[str] = ()) -> Any:
    """A boosting on the rows `learn`, blind to the features `without`."""
    ensemble = extras.load("sklearn.ensemble", "baselines")
    chosen = [n for n, name in enumerate(rows.encoding.features) if name not in without]
    kind = ensemble.HistGradientBoostingRegressor if rows.outcome.is_number else ensemble.HistGradientBoostingClassifier
    model = kind(
        max_iter=ITERATIONS,
        max_leaf_nodes=LEAVES,
        learning_rate=RATE,
        min_samples_leaf=max(20, round(LEAST_SHARE_OF_A_LEAF * len(learn))),
        early_stopping=False,
        categorical_features=np.array(rows.encoding.categorical)[chosen],
        random_state=seed,
    )
    return model.fit(rows.trees[learn][:, chosen], rows.truth[learn])


def differences(rows: Learnable, folds: Sequence[Fold], units: Units, size: Size, seed: int) -> Differences:
    """What dealing out each unit anew costs on the later rows of every fold."""
    parts = []
    for number, fold in enumerate(folds):
        judge = thinned(fold.judge, size.judge)
        for turn, learn in enumerate(_samples(rows, fold.learn, size.learn, seed)):
            model = fitted(rows, learn, seed + turn)
            parts.append(dealt_anew(rows, judge, model, units, seed + MOST_SAMPLES * number + turn))
    return total(parts)


def _samples(rows: Learnable, learn: Indices, wanted: int, seed: int) -> list[Indices]:
    """One sample of many rows, or several overlapping ones of few: what single trees make of noise averages out."""
    repeats = min(MOST_SAMPLES, max(1, wanted // max(len(learn), 1)))
    if repeats == 1:
        return [whole_blocks(rows.blocks.of_row, learn, wanted)]
    generator, present = np.random.default_rng((seed, 0x626167)), np.unique(rows.blocks.of_row[learn])
    kept = max(1, round(SHARE_OF_A_SAMPLE * present.size))
    return [
        learn[np.isin(rows.blocks.of_row[learn], generator.choice(present, kept, replace=False))]
        for _ in range(repeats)
    ]


def dealt_anew(rows: Learnable, judge: Indices, model: Any, units: Units, seed: int) -> Differences:
    """Differences of the rows `judge`, each unit's values permuted among them, the mean of two deals."""
    values = rows.trees[judge]
    of_block, count = rows.blocks.of_row[judge], rows.blocks.count
    full = losses(rows, judge, model, values)
    order = list(rows.encoding.features)
    generator = np.random.default_rng((seed, 0x6465616C))
    deals = [generator.permutation(len(judge)) for _ in range(DEALS)]
    benefit = {}
    for unit, features in units.items():
        columns = [order.index(name) for name in features]
        kept = values[:, columns].copy()
        lost = np.zeros(len(judge))
        for deal in deals:
            values[:, columns] = kept[deal]
            lost += (losses(rows, judge, model, values) - full) / DEALS
        values[:, columns] = kept
        benefit[unit] = _summed(of_block, lost, count)
    return Differences(_summed(of_block, full, count), benefit)


def losses(rows: Learnable, judge: Indices, model: Any, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Loss of the rows `judge` under the boosting's answers to `values`; shape (judge,)."""
    if rows.outcome.is_number:
        return rows.losses(judge, model.predict(values)[:, None])
    chances = np.zeros((len(judge), len(rows.outcome.classes)))
    chances[:, model.classes_.astype(np.intp)] = model.predict_proba(values)
    return rows.losses(judge, chances)


def _summed(of_block: Indices, values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    return np.bincount(of_block, weights=values, minlength=count).astype(np.float64)
