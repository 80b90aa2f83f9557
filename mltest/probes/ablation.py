"""Screens every feature with a ridge and a boosting, on folds in order of time, beside columns of pure noise.

The screens learn on the training split. What they suspect they ask again on rows held back from them: the validation
split, else the holdout, else the last fifth of the training days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import (
    benefit_estimates,
    boosting_screen,
    feature_units,
    feature_verdicts,
    learnable,
    ridge_screen,
    time_folds,
)
from mltest.probes.ablation_rows import Material
from mltest.probes.boosting_screen import Size
from mltest.probes.feature_verdicts import Benefit, Screens
from mltest.probes.learnable import NOISE, Learnable
from mltest.probes.time_folds import Fold
from mltest.system import Effort, SystemRef

SIZES: Mapping[Effort, Size] = {
    "quick": Size(15_000, 6_000),
    "standard": Size(40_000, 15_000),
    "thorough": Size(120_000, 50_000),
}
FOLDS: Mapping[Effort, int] = {"quick": 3, "standard": 4, "thorough": 6}


@dataclass(frozen=True)
class Screened:
    """What the screens say: a verdict for each input, and the estimates behind it by unit."""

    verdicts: Mapping[str, Benefit]
    units: Mapping[str, tuple[str, ...]]
    screens: Screens
    strongest: str
    strongest_unit: str
    held_back_as: str
    days: int
    rows: int

    def inputs_that_are(self, *verdicts: Benefit) -> tuple[str, ...]:
        return tuple(name for name, verdict in self.verdicts.items() if verdict in verdicts)


def screen(rows: Material, ref: SystemRef) -> Screened:
    """A verdict for every input. Raises Withheld when a control of the screens comes out wrong."""
    units = units_of(rows)
    table = learnable.with_noise(rows.learn, ref.seed)
    ready = learnable.make(table, (*rows.features, *NOISE), rows.roles, rows.outcome, None)
    folds = time_folds.folds(ready.blocks.of_row, ready.blocks.count, FOLDS[ref.effort])
    screens = _screens(ready, folds, units, ref)
    single = (*rows.features, *NOISE)
    claims = feature_verdicts.claims(screens, single)
    strongest = max(rows.features, key=lambda name: _weaker(screens, name))
    _require_controls(claims, screens, strongest)
    suspects = _suspects(rows, claims)
    again = _asked_again(rows, ready, suspects, ref)
    verdicts = _verdicts(rows, claims, suspects, feature_verdicts.confirmed(suspects, again) if again else {})
    joint = {unit: _weaker(screens, unit) for unit in units if unit not in NOISE}
    return Screened(
        verdicts=verdicts,
        units=units,
        screens=screens,
        strongest=strongest,
        strongest_unit=max(joint, key=lambda unit: joint[unit]),
        held_back_as=rows.held_back_as,
        days=sum(len(np.unique(ready.blocks.of_row[fold.judge])) for fold in folds),
        rows=ready.rows,
    )


def units_of(rows: Material) -> dict[str, tuple[str, ...]]:
    """What is dropped together: every feature, every declared group, every cluster of the rest, and each noise."""
    units: dict[str, tuple[str, ...]] = {name: (name,) for name in (*rows.features, *NOISE)}
    for group, members in rows.groups.items():
        left = tuple(member for member in members if member in rows.features)
        if len(left) > 1:
            units[f"group {group}"] = left
    declared = {member for members in rows.groups.values() for member in members}
    for cluster in feature_units.clusters(rows.associations):
        free = tuple(member for member in cluster if member in rows.features and member not in declared)
        if len(free) > 1:
            units[f"cluster {' + '.join(free)}"] = free
    return units


def _screens(
    ready: Learnable, folds: tuple[Fold, ...], units: Mapping[str, tuple[str, ...]], ref: SystemRef
) -> Screens:
    """Both screens of all units."""
    ridge = ridge_screen.differences(ready, folds, units)
    boosting = boosting_screen.differences(ready, folds, units, SIZES[ref.effort], ref.seed)
    return Screens(benefit_estimates.estimates(ridge, ref.seed), benefit_estimates.estimates(boosting, ref.seed))


def _asked_again(rows: Material, ready: Learnable, suspects: Mapping[str, Benefit], ref: SystemRef) -> Screens | None:
    """Both screens of the suspects, learned on all training rows and judged on the rows held back."""
    if not suspects:
        return None
    units = {name: (name,) for name in suspects}
    later = learnable.make(
        learnable.with_noise(rows.held_back, ref.seed + 1), (), rows.roles, rows.outcome, ready.encoding
    )
    everything, judge = np.arange(ready.rows), np.arange(later.rows)
    ridge = ridge_screen.judged(later, judge, ridge_screen.dropped(ready, everything, units))
    size = SIZES[ref.effort]
    learn = time_folds.whole_blocks(ready.blocks.of_row, everything, size.learn)
    model = boosting_screen.fitted(ready, learn, ref.seed + 1)
    judge = time_folds.thinned(judge, size.judge * FOLDS[ref.effort])
    boosting = boosting_screen.dealt_anew(later, judge, model, units, ref.seed + 1)
    return Screens(benefit_estimates.estimates(ridge, ref.seed), benefit_estimates.estimates(boosting, ref.seed))


def _suspects(rows: Material, claims: Mapping[str, Benefit]) -> dict[str, Benefit]:
    """Features that look worthless or harmful on their own account, and are not carried by a declared group."""
    return {
        name: claims[name]
        for name in rows.features
        if claims[name] in (Benefit.NONE, Benefit.HARMFUL) and not _carried(rows, name, claims[name])
    }


def _carried(rows: Material, name: str, claim: Benefit) -> bool:
    """Whether a declared group that a feature without a benefit of its own is related to stands in for it."""
    mates = [member for members in rows.groups.values() if name in members for member in members]
    alive = [mate for mate in mates if mate in rows.associations.names]
    return claim is Benefit.NONE and rows.associations.strongest(name, alive) >= feature_units.UNRELATED


def _verdicts(
    rows: Material,
    claims: Mapping[str, Benefit],
    suspects: Mapping[str, Benefit],
    kept: Mapping[str, Benefit],
) -> dict[str, Benefit]:
    found: dict[str, Benefit] = {}
    for name in rows.inputs:
        if name in suspects:
            found[name] = kept[name]
        else:
            found[name] = Benefit.CARRIED if claims[name] is Benefit.NONE else claims[name]
    return found


def _require_controls(claims: Mapping[str, Benefit], screens: Screens, strongest: str) -> None:
    """Noise must come out worthless, and the strongest feature beneficial: otherwise the screens are blind."""
    promising = [name for name in NOISE if claims[name] is Benefit.BENEFICIAL]
    if len(promising) > 1:
        raise Withheld(f"the screens call {' and '.join(promising)} beneficial: their verdicts mean nothing here")
    worthless = [name for name in NOISE if claims[name] in (Benefit.NONE, Benefit.HARMFUL)]
    if len(worthless) < 2:
        width = max(screens.boosting[name].standard_error for name in NOISE)
        more = max(2.0, (2 * width / feature_verdicts.MARGIN) ** 2)
        raise Withheld(
            "the screens cannot even tell noise from a benefit of 0.1 % of the loss: about "
            f"{more:.0f} times as many rows or days would do",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if claims[strongest] is not Benefit.BENEFICIAL:
        raise Withheld(
            f"not even the strongest feature, {strongest}, shows a benefit in the screens: more rows or days are "
            "needed, or the target has nothing to do with the inputs",
            ReasonCode.TOO_LITTLE_DATA,
        )


def _weaker(screens: Screens, unit: str) -> float:
    """The benefit that both screens agree on."""
    return min(screens.ridge[unit].value, screens.boosting[unit].value)
