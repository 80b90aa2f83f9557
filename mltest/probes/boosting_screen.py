"""What a gradient boosting makes of each unit: how much is lost when the unit's values are dealt out anew.

Permuting on later rows asks about the model as it was fitted. It makes much of a feature that a correlated one could
replace (Hooker, Mentch and Zhou 2021), so it errs towards mercy: what it finds worthless it never used to advantage.
Copies, which mercy would let pass, are asked for what they tell beyond the others alone.
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
Numbers = npt.NDArray[np.float64]
Units = Mapping[str, Sequence[str]]
Expected = Mapping[str, Numbers]

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


@dataclass(frozen=True, eq=False)
class Boosting:
    """A fitted boosting, the later rows that judge it, and the seed by which units are dealt out anew among them."""

    model: Any
    judge: Indices
    seed: int


def differences(rows: Learnable, folds: Sequence[Fold], units: Units, size: Size, seed: int) -> Differences:
    """What dealing out each unit anew costs on the later rows of every fold."""
    return dealt(rows, boostings(rows, folds, size, seed), units)


def boostings(rows: Learnable, folds: Sequence[Fold], size: Size, seed: int) -> tuple[Boosting, ...]:
    """Boostings for every fold: one where rows are many, several on samples of the days where they are few."""
    return tuple(
        Boosting(fitted(rows, learn, seed + turn), thinned(fold.judge, size.judge), seed + MOST_SAMPLES * number + turn)
        for number, fold in enumerate(folds)
        for turn, learn in enumerate(_samples(rows, fold.learn, size.learn, seed))
    )


def more_boostings(rows: Learnable, folds: Sequence[Fold], size: Size, seed: int) -> tuple[Boosting, ...]:
    """Boostings on further samples of the days of every fold, for a closer look at what is near the margin."""
    return tuple(
        Boosting(fitted(rows, learn, seed + turn), thinned(fold.judge, size.judge), seed + MOST_SAMPLES * number + turn)
        for number, fold in enumerate(folds)
        for turn, learn in enumerate(sampled_days(rows, fold.learn, size.learn, seed, MOST_SAMPLES))
    )


def dealt(rows: Learnable, models: Sequence[Boosting], units: Units, expected: Expected | None = None) -> Differences:
    """What dealing out each unit anew costs all of `models` together; see `dealt_anew`."""
    return total([dealt_anew(rows, each.judge, each.model, units, each.seed, expected) for each in models])


def _samples(rows: Learnable, learn: Indices, wanted: int, seed: int) -> list[Indices]:
    """One sample of many rows, or several overlapping ones of few: what single trees make of noise averages out."""
    repeats = min(MOST_SAMPLES, max(1, wanted // max(len(learn), 1)))
    if repeats == 1:
        return [whole_blocks(rows.blocks.of_row, learn, wanted)]
    return sampled_days(rows, learn, wanted, seed, repeats)


def sampled_days(rows: Learnable, learn: Indices, wanted: int, seed: int, repeats: int) -> list[Indices]:
    """`repeats` overlapping samples of the days of `learn`, of about `wanted` rows at most."""
    generator, present = np.random.default_rng((seed, 0x626167)), np.unique(rows.blocks.of_row[learn])
    kept = max(1, round(SHARE_OF_A_SAMPLE * present.size))
    return [
        whole_blocks(
            rows.blocks.of_row,
            learn[np.isin(rows.blocks.of_row[learn], generator.choice(present, kept, replace=False))],
            wanted,
        )
        for _ in range(repeats)
    ]


def dealt_anew(
    rows: Learnable, judge: Indices, model: Any, units: Units, seed: int, expected: Expected | None = None
) -> Differences:
    """Differences of the rows `judge`, each unit's values permuted among them, the mean of two deals.

    For features that `expected` holds (by name: what the other features make expect in every row, shape (rows,)) only
    the deviation from it is dealt out: the unit loses what it tells beyond the others (conditional permutation; Strobl
    et al. 2008). Where such a feature is unknown it stays so.
    """
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
            for column, name in zip(columns, features, strict=True):
                told = None if expected is None else expected.get(name)
                own = rows.trees[judge, column]
                values[:, column] = own[deal] if told is None else _deviations_dealt(own, told[judge], deal)
            lost += (losses(rows, judge, model, values) - full) / DEALS
        values[:, columns] = kept
        benefit[unit] = _summed(of_block, lost, count)
    return Differences(_summed(of_block, full, count), benefit)


def _deviations_dealt(own: Numbers, told: Numbers, deal: Indices) -> Numbers:
    deviations = np.nan_to_num((own - told)[deal])
    return np.where(np.isnan(own), np.nan, told + deviations)


def losses(rows: Learnable, judge: Indices, model: Any, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Loss of the rows `judge` under the boosting's answers to `values`; shape (judge,)."""
    if rows.outcome.is_number:
        return rows.losses(judge, model.predict(values)[:, None])
    chances = np.zeros((len(judge), len(rows.outcome.classes)))
    chances[:, model.classes_.astype(np.intp)] = model.predict_proba(values)
    return rows.losses(judge, chances)


def _summed(of_block: Indices, values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    return np.bincount(of_block, weights=values, minlength=count).astype(np.float64)
