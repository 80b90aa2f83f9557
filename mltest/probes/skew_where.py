"""Where rows lie that have something in common, in words: in which stratum, and whether nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mltest.probes.skew_strata import CHANCE, Stratum

BoolArray = npt.NDArray[np.bool_]

_EXPLAINS = 0.9
"""Harmonic mean of precision and recall from which on a difference is said to fill a stratum."""

_NEARLY_ALL = 0.9


def explain(differs: BoolArray, strata: Sequence[Stratum], feature: str = "") -> str:
    """Where the rows lie that differ: everywhere, throughout one stratum, inside one, or in none that is known.

    Of strata that fit equally well the one that speaks about `feature` itself is named.
    """
    if differs.mean() > _NEARLY_ALL:
        return "in every row" if differs.all() else "in nearly every row"
    apart = [each for each in strata if each.rows.mean() <= _NEARLY_ALL]
    best = max(apart, key=lambda each: (_fit(differs, each.rows), each.name.startswith(f"{feature} ")), default=None)
    if best is not None and _fit(differs, best.rows) >= _EXPLAINS:
        both, others = int((differs & best.rows).sum()), int((differs & ~best.rows).sum())
        elsewhere = "nowhere else" if others == 0 else f"in {others} others"
        return f"in {both} of the {int(best.rows.sum())} where {best.name} and {elsewhere}"
    holding = [each for each in apart if not (differs & ~each.rows).any() and _by_chance(differs, each.rows) < CHANCE]
    if holding:
        smallest = min(holding, key=lambda each: int(each.rows.sum()))
        return f"all among the {int(smallest.rows.sum())} where {smallest.name}"
    return "in rows that no known stratum sets apart"


def _fit(differs: BoolArray, rows: BoolArray) -> float:
    """Harmonic mean of precision and recall of a stratum that is said to be where the difference lies."""
    return 2.0 * float((differs & rows).sum()) / float(differs.sum() + rows.sum())


def _by_chance(differs: BoolArray, rows: BoolArray) -> float:
    """How likely rows that differ anywhere would all fall into a stratum of this size."""
    return float(rows.mean() ** differs.sum())
