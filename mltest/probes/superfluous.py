"""Features that others make superfluous: copies that were rounded, blurred or added up from other inputs.

A boosting splits now on a feature and now on its copy, so that dealing out either one anew costs something, and mercy
would pardon both. So a number that goes with another one is asked for its deviation from what a linear model of all
other features makes expect: that alone is lost when it is dropped. Of copies of each other one is always kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mltest.probes import benefit_estimates, boosting_screen, feature_encoding, feature_units, time_folds
from mltest.probes.ablation_rows import Material
from mltest.probes.benefit_estimates import p_below
from mltest.probes.boosting_screen import Boosting
from mltest.probes.feature_encoding import NumberEncoding
from mltest.probes.feature_ties import Tie
from mltest.probes.feature_units import TOGETHER
from mltest.probes.feature_verdicts import LEVEL, MARGIN, Screens
from mltest.probes.learnable import Learnable
from mltest.stats.bootstrap import Estimate

Numbers = npt.NDArray[np.float64]

ROWS = 20_000
"""Rows, spread evenly, that the linear expectation of a feature is learned from."""
PENALTY = 1e-3


def questioned(rows: Material) -> dict[str, str]:
    """Numbers that go with another feature and that no declared group carries, each with that other one.

    One that is unknown in rows of its own is left out: that it is unknown may tell something, too.
    """
    found = {}
    for name in rows.features:
        mates = [other for other in rows.features if other != name]
        carried = rows.ties.get(name, Tie.NONE) is not Tie.NONE
        if carried or not mates or feature_encoding.is_category(rows.learn.column(name)):
            continue
        nearest = max(mates, key=lambda other: rows.associations.of(name, other))
        if rows.associations.of(name, nearest) > TOGETHER and _known_alike(rows, name, nearest):
            found[name] = nearest
    return found


def own_benefits(
    ready: Learnable, models: Sequence[Boosting], screens: Screens, candidates: Sequence[str], seed: int
) -> dict[str, Estimate]:
    """The candidates that are superfluous, with what they save beyond the others, as a share of the loss.

    The one that the boosting uses least is asked first, each further one together with those found before it.
    """
    own = {name: _benefit(ready, models, (name,), seed) for name in candidates if _is_small(screens.ridge[name])}
    found: dict[str, Estimate] = {}
    for name in sorted(own, key=lambda each: screens.boosting[each].value):
        if _is_small(own[name] if not found else _benefit(ready, models, (*found, name), seed)):
            found[name] = own[name]
    return found


def expected(learned: Learnable, asked: Learnable, names: Sequence[str]) -> dict[str, Numbers]:
    """What all features but `names` make expect of each of `names`, in every row of `asked`; shape (rows,)."""
    own = np.concatenate([learned.encoding.blocks[name] for name in names])
    others = np.setdiff1d(np.arange(learned.design.shape[1]), own)
    chosen = time_folds.thinned(np.arange(learned.rows), ROWS)
    design = learned.design[chosen].astype(np.float64)
    gram = design[:, others].T @ design[:, others] + PENALTY * np.eye(len(others))
    told = {}
    for name in names:
        encoding = learned.encoding.features[name]
        assert isinstance(encoding, NumberEncoding)
        weights = np.linalg.solve(gram, design[:, others].T @ design[:, learned.encoding.blocks[name][0]])
        told[name] = encoding.mean + encoding.deviation * (asked.design[:, others] @ weights)
    return told


def _benefit(ready: Learnable, models: Sequence[Boosting], names: Sequence[str], seed: int) -> Estimate:
    """What the features `names` together tell beyond all others."""
    lost = boosting_screen.dealt(ready, models, {"": names}, expected(ready, ready, names))
    return benefit_estimates.estimates(lost, seed)[""]


def _is_small(estimate: Estimate) -> bool:
    return p_below(estimate, MARGIN) < LEVEL


def _known_alike(rows: Material, name: str, other: str) -> bool:
    column = rows.learn.column(name)
    complete = bool(np.isfinite(feature_encoding.numbers(column)).all())
    return complete or feature_units.missing_alike(column, rows.learn.column(other))
