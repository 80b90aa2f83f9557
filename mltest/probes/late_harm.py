"""Features that helped while the screens learned and do harm on the rows held back: a leak, or a relation that ended.

Dealing out anew cannot see this, for what tells nothing any more loses nothing. So the ridge is refitted without every
feature, which costs little, and a boosting without the few that this makes suspect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mltest.probes import benefit_estimates, boosting_screen, ridge_screen, time_folds
from mltest.probes.benefit_estimates import p_below
from mltest.probes.boosting_screen import Size
from mltest.probes.feature_verdicts import LEVEL, MARGIN
from mltest.probes.learnable import Learnable
from mltest.stats.bootstrap import Estimate
from mltest.stats.multiplicity import holm
from mltest.stats.seeds import estimate_over_seeds

ROWS = 30_000
JUDGES = 18_000
"""Rows that the ridge learns from, as whole days, and held-back rows that judge, from every day."""
REFITS = 3


def harmful(
    learned: Learnable, later: Learnable, features: Sequence[str], size: Size, seed: int
) -> Mapping[str, tuple[Estimate, Estimate]]:
    """Features that both models do better without on the rows `later`, with what they save there (less than nothing).

    Holm's correction is over all features; the boosting's interval has the error of both samples and days.
    """
    judge = time_folds.thinned(np.arange(later.rows), JUDGES)
    learn = time_folds.whole_blocks(learned.blocks.of_row, np.arange(learned.rows), ROWS)
    dropped = ridge_screen.dropped(learned, learn, {name: (name,) for name in features})
    ridge = benefit_estimates.estimates(ridge_screen.judged(later, judge, dropped), seed)
    chances = holm([p_below(ridge[name], 0.0) for name in features])
    suspects = [
        name for name, chance in zip(features, chances, strict=True) if chance < LEVEL and ridge[name].value < -MARGIN
    ]
    if not suspects:
        return {}
    boosting = _refitted(learned, later, judge, suspects, size, seed)
    return {
        name: (ridge[name], boosting[name])
        for name in suspects
        if boosting[name].interval.high < 0.0 and boosting[name].value < -MARGIN
    }


def _refitted(
    learned: Learnable, later: Learnable, judge: npt.NDArray[np.intp], names: Sequence[str], size: Size, seed: int
) -> dict[str, Estimate]:
    """What each feature saves a boosting on later rows, by a fit with and one without it on the same samples."""
    everything, order = np.arange(learned.rows), learned.encoding.features
    samples = boosting_screen.sampled_days(learned, everything, size.learn, seed, REFITS)

    def losses(learn: npt.NDArray[np.intp], turn: int, without: tuple[str, ...]) -> npt.NDArray[np.float64]:
        model = boosting_screen.fitted(learned, learn, seed + turn, without=without)
        kept = [k for k, name in enumerate(order) if name not in without]
        return boosting_screen.losses(later, judge, model, later.trees[judge][:, kept])

    full = np.stack([losses(learn, turn, ()) for turn, learn in enumerate(samples)])
    days = later.blocks.of_row[judge]
    return {
        name: estimate_over_seeds(
            (np.stack([losses(learn, turn, (name,)) for turn, learn in enumerate(samples)]) - full) / full.mean(), days
        )
        for name in names
    }
