"""Screens every feature with a ridge and a boosting, on folds in order of time, beside columns of pure noise.

The screens learn on the training split. What they suspect they ask again on rows held back from them: the validation
split, else the holdout, else the last fifth of the training days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import (
    benefit_estimates,
    boosting_screen,
    feature_units,
    feature_verdicts,
    late_harm,
    learnable,
    ridge_screen,
    superfluous,
    suspicions,
    time_folds,
)
from mltest.probes.ablation_rows import Material
from mltest.probes.boosting_screen import Boosting, Size
from mltest.probes.feature_verdicts import Benefit, Screens
from mltest.probes.learnable import NOISE, Learnable
from mltest.probes.time_folds import Fold
from mltest.system import Effort, SystemRef

SIZES: Mapping[Effort, Size] = {
    "quick": Size(15_000, 4_500),
    "standard": Size(40_000, 15_000),
    "thorough": Size(120_000, 50_000),
}
FOLDS: Mapping[Effort, int] = {"quick": 3, "standard": 4, "thorough": 6}
ENOUGH_WORTHLESS = 2
"""Columns of noise, of three, that have to be seen to be worthless."""


@dataclass(frozen=True)
class Screened:
    """What the screens say: a verdict for each input, and the estimates behind it by unit.

    `beside` names for each superfluous input the one that it goes with.
    """

    verdicts: Mapping[str, Benefit]
    units: Mapping[str, tuple[str, ...]]
    screens: Screens
    strongest: str
    strongest_unit: str
    held_back_as: str
    days: int
    rows: int
    beside: Mapping[str, str] = field(default_factory=dict)

    def inputs_that_are(self, *verdicts: Benefit) -> tuple[str, ...]:
        return tuple(name for name, verdict in self.verdicts.items() if verdict in verdicts)


def screen(rows: Material, ref: SystemRef) -> Screened:
    """A verdict for every input. Raises Withheld when a control of the screens comes out wrong."""
    units = units_of(rows)
    table = learnable.with_noise(rows.learn, ref.seed)
    ready = learnable.make(table, (*rows.features, *NOISE), rows.roles, rows.outcome, None)
    folds = time_folds.folds(ready.blocks.of_row, ready.blocks.count, FOLDS[ref.effort])
    screens, models = _screens(ready, folds, units, rows, ref)
    beside = superfluous.questioned(rows)
    if beside:
        models = (*models, *boosting_screen.more_boostings(ready, folds, SIZES[ref.effort], ref.seed + 2))
    own = superfluous.own_benefits(ready, models, screens, tuple(beside), ref.seed)
    screens = Screens(screens.ridge, {**screens.boosting, **own})
    claims = feature_verdicts.claims(screens, (*rows.features, *NOISE))
    strongest = max(rows.features, key=lambda name: _weaker(screens, name))
    _require_controls(claims, screens, strongest)
    later = learnable.make(
        learnable.with_noise(rows.held_back, ref.seed + 1), (), rows.roles, rows.outcome, ready.encoding
    )
    suspects = suspicions.of(rows, claims)
    again = _asked_again(ready, later, suspects, tuple(own), ref)
    kept = feature_verdicts.confirmed(suspects, again) if again else {}
    asked = tuple(name for name in suspicions.standing_alone(rows) if name not in suspects)
    harm = late_harm.harmful(ready, later, asked, SIZES[ref.effort], ref.seed) if asked else {}
    joint = {unit: _weaker(screens, unit) for unit in units if unit not in NOISE}
    return Screened(
        verdicts=suspicions.verdicts(rows, claims, kept, harm),
        units=units,
        screens=suspicions.seen_later(screens, harm),
        strongest=strongest,
        strongest_unit=max(joint, key=lambda unit: joint[unit]),
        held_back_as=rows.held_back_as,
        days=sum(len(np.unique(ready.blocks.of_row[fold.judge])) for fold in folds),
        rows=ready.rows,
        beside={name: beside[name] for name in own},
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
    ready: Learnable, folds: tuple[Fold, ...], units: Mapping[str, tuple[str, ...]], rows: Material, ref: SystemRef
) -> tuple[Screens, tuple[Boosting, ...]]:
    """Both screens of all units, and the boostings: more of them where the first few cannot tell what noise is."""
    size = SIZES[ref.effort]
    ridge = benefit_estimates.estimates(ridge_screen.differences(ready, folds, units), ref.seed)
    models = boosting_screen.boostings(ready, folds, size, ref.seed)
    seen = boosting_screen.dealt(ready, models, units)
    screens = Screens(ridge, benefit_estimates.estimates(seen, ref.seed))
    claims = feature_verdicts.claims(screens, (*rows.features, *NOISE))
    if len(_worthless(claims)) >= ENOUGH_WORTHLESS:
        return screens, models
    more = boosting_screen.more_boostings(ready, folds, size, ref.seed + 1)
    seen = seen.plus(boosting_screen.dealt(ready, more, units))
    return Screens(ridge, benefit_estimates.estimates(seen, ref.seed)), (*models, *more)


def _asked_again(
    ready: Learnable,
    later: Learnable,
    suspects: Mapping[str, Benefit],
    beside_others: tuple[str, ...],
    ref: SystemRef,
) -> Screens | None:
    """Both screens of the suspects, learned on all training rows and judged on the rows held back."""
    if not suspects:
        return None
    units = {name: (name,) for name in suspects}
    everything, judge = np.arange(ready.rows), np.arange(later.rows)
    ridge = ridge_screen.judged(later, judge, ridge_screen.dropped(ready, everything, units))
    size = SIZES[ref.effort]
    learn = time_folds.whole_blocks(ready.blocks.of_row, everything, size.learn)
    model = boosting_screen.fitted(ready, learn, ref.seed + 1)
    judge = time_folds.thinned(judge, size.judge * FOLDS[ref.effort])
    expected = {name: superfluous.expected(ready, later, (name,))[name] for name in beside_others}
    boosting = boosting_screen.dealt_anew(later, judge, model, units, ref.seed + 1, expected)
    return Screens(benefit_estimates.estimates(ridge, ref.seed), benefit_estimates.estimates(boosting, ref.seed))


def _require_controls(claims: Mapping[str, Benefit], screens: Screens, strongest: str) -> None:
    """Noise must come out worthless, and the strongest feature beneficial: otherwise the screens are blind."""
    promising = [name for name in NOISE if claims[name] is Benefit.BENEFICIAL]
    if len(promising) > 1:
        raise Withheld(f"the screens call {' and '.join(promising)} beneficial: their verdicts mean nothing here")
    if len(_worthless(claims)) < ENOUGH_WORTHLESS:
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


def _worthless(claims: Mapping[str, Benefit]) -> list[str]:
    return [name for name in NOISE if claims[name] in (Benefit.NONE, Benefit.HARMFUL)]


def _weaker(screens: Screens, unit: str) -> float:
    """The benefit that both screens agree on."""
    return min(screens.ridge[unit].value, screens.boosting[unit].value)
