"""What the screens together say of every feature.

A feature is called worthless when a linear and a tree model agree that it saves less than the margin, and later days
say so again; that it saves something is no answer to that. Benefit is claimed with Holm's correction over all features,
worthlessness with that of Benjamini and Hochberg.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mltest.probes.benefit_estimates import p_above, p_below
from mltest.stats.bootstrap import Estimate
from mltest.stats.multiplicity import benjamini_hochberg, holm

MARGIN = 0.001
"""The smallest benefit that matters, as a share of the loss: a tenth of a per cent."""
LEVEL = 0.05

Estimates = Mapping[str, Estimate]


class Benefit(StrEnum):
    """How a feature stands."""

    BENEFICIAL = "beneficial"
    HARMFUL = "harmful"
    NONE = "no demonstrable benefit"
    CARRIED = "carried by its declared group"
    UNDERPOWERED = "underpowered"


@dataclass(frozen=True)
class Screens:
    """Benefit of every unit as a share of the loss: dropped from a ridge, and dealt anew to a boosting."""

    ridge: Estimates
    boosting: Estimates


def claims(screens: Screens, units: Sequence[str]) -> dict[str, Benefit]:
    """Beneficial, harmful, none or underpowered for each of `units`: what surely saves less than the margin is none.

    A saving far below the margin can be significant all the same, and does not pay for a feature.
    """
    gains = [holm([p_above(screen[unit], 0.0) for unit in units]) for screen in (screens.ridge, screens.boosting)]
    small = benjamini_hochberg([_both_below(screens, unit, MARGIN) for unit in units])
    harms = holm([_both_below(screens, unit, 0.0) for unit in units])
    found = {}
    for k, unit in enumerate(units):
        if harms[k] < LEVEL and min(screens.ridge[unit].value, screens.boosting[unit].value) < -MARGIN:
            found[unit] = Benefit.HARMFUL
        elif small[k] < LEVEL:
            found[unit] = Benefit.NONE
        elif min(gains[0][k], gains[1][k]) < LEVEL:
            found[unit] = Benefit.BENEFICIAL
        else:
            found[unit] = Benefit.UNDERPOWERED
    return found


def confirmed(suspects: Mapping[str, Benefit], again: Screens) -> dict[str, Benefit]:
    """What is left of a suspicion after other days were asked; one that they do not share is underpowered."""
    names = list(suspects)
    if not names:
        return {}
    said = claims(again, names)
    allowed = {Benefit.HARMFUL: {Benefit.HARMFUL}, Benefit.NONE: {Benefit.NONE, Benefit.HARMFUL}}
    return {
        name: suspicion if said[name] in allowed[suspicion] else Benefit.UNDERPOWERED
        for name, suspicion in suspects.items()
    }


def _both_below(screens: Screens, unit: str, limit: float) -> float:
    """One p-value for the claim of both screens: the larger of two (intersection-union; Berger 1982)."""
    return max(p_below(screens.ridge[unit], limit), p_below(screens.boosting[unit], limit))
