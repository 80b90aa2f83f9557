"""Which features are suspects after the screens, and what becomes of each.

A feature without a benefit of its own is no suspect while its declared group carries it: as part of one feature, or as
one of a few that are related to their group. Where most of a group bring nothing, it carries nobody: every member of
such a bundle stands for itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from mltest.probes.ablation_rows import Material
from mltest.probes.feature_ties import Tie
from mltest.probes.feature_verdicts import Benefit, Screens
from mltest.stats.bootstrap import Estimate

Harm = Mapping[str, tuple[Estimate, Estimate]]


def of(rows: Material, claims: Mapping[str, Benefit]) -> dict[str, Benefit]:
    """Features that look worthless or harmful on their own account, and are not carried by a declared group."""
    return {
        name: claims[name]
        for name in rows.features
        if claims[name] is Benefit.HARMFUL or (claims[name] is Benefit.NONE and not _carried(rows, name, claims))
    }


def standing_alone(rows: Material) -> tuple[str, ...]:
    """Features that are no part of a declared one: dropping a single part says little about the whole."""
    return tuple(name for name in rows.features if rows.ties.get(name, Tie.NONE) is not Tie.CLOSE)


def verdicts(
    rows: Material, claims: Mapping[str, Benefit], kept: Mapping[str, Benefit], harm: Harm
) -> dict[str, Benefit]:
    """What each input is called: suspects as the rows held back say, harm there as harm, the rest as the screens do."""
    found: dict[str, Benefit] = {}
    for name in rows.inputs:
        if name in kept:
            found[name] = kept[name]
        elif name in harm:
            found[name] = Benefit.HARMFUL
        else:
            found[name] = Benefit.CARRIED if claims[name] is Benefit.NONE else claims[name]
    return found


def seen_later(screens: Screens, harm: Harm) -> Screens:
    """The screens, with what the rows held back say of features that do harm there."""
    return Screens(
        {**screens.ridge, **{name: ridge for name, (ridge, _) in harm.items()}},
        {**screens.boosting, **{name: boosting for name, (_, boosting) in harm.items()}},
    )


def _carried(rows: Material, name: str, claims: Mapping[str, Benefit]) -> bool:
    tie = rows.ties.get(name, Tie.NONE)
    if tie is not Tie.LOOSE:
        return tie is Tie.CLOSE
    members = next(members for members in rows.groups.values() if name in members)
    passengers = [
        each for each in members if claims.get(each) is Benefit.NONE and rows.ties.get(each, Tie.NONE) is not Tie.CLOSE
    ]
    return 2 * len(passengers) <= len(members)
