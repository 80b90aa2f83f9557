"""Which models are trained up to when, and where they are judged, so that the age of the policy itself is measured.

Every training reads a window of the same length, so that age is never the amount of data in disguise. Places where
models are judged follow each other in even steps; the model whose rows end at a place is the fresh one there, and those
that end earlier are the stale ones. A place is short beside the policy's age, else the fresh model would itself be old.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WINDOW = 0.25
"""Share of the time span that one training reads."""
PLACES = 8
"""Places that the steps are chosen for; seven give four ages with three origins each."""
PAIRED_PLACES = 6
FEWEST_ORIGINS = 3
FEWEST_AGES = 4
_DAYS_JUDGED = 30.0
_SHORT = 0.25


@dataclass(frozen=True)
class Grid:
    """Instants in days: training rows lie in [end - window, end), judged rows in [place, place + judged)."""

    window: float
    judged: float
    places: tuple[float, ...]
    ends: tuple[float, ...]

    def ages(self, fewest: int = FEWEST_ORIGINS) -> dict[float, int]:
        """Every age that at least `fewest` places can show, with their number, youngest first."""
        counts: dict[float, int] = {}
        for place in self.places:
            for end in self.ends:
                if end < place:
                    age = age_of(end, place)
                    counts[age] = counts.get(age, 0) + 1
        return {age: counts[age] for age in sorted(counts) if counts[age] >= fewest}


def age_of(end: float, place: float) -> float:
    """Days by which a model whose rows end at `end` is older than a fresh one at `place`, free of rounding."""
    return round(place - end, 6)


def plan(begin: float, end: float, every: float) -> Grid:
    """The grid over rows from `begin` until before `end` for a policy of `every` days (above 0).

    Steps divide the policy's age where that leaves about eight to sixteen places; for a shorter one each place gets a
    second model that is older by exactly that age.
    """
    span = end - begin
    window = WINDOW * span
    step = (span - window) / PLACES
    if every < step / 2.0:
        judged = min(every, max(_SHORT * every, _DAYS_JUDGED / PAIRED_PLACES))
        wide = (span - window - every - judged) / (PAIRED_PLACES - 1)
        places = _places(begin + window + every, end - judged, wide)
        return Grid(window, judged, places, tuple(sorted({*places, *(place - every for place in places)})))
    step = every / math.ceil(every / step)
    judged = min(step, max(_SHORT * every, _DAYS_JUDGED / PLACES))
    places = _places(begin + window, end - judged, step)
    return Grid(window, judged, places, places)


def _places(first: float, last: float, step: float) -> tuple[float, ...]:
    """From `last` backwards in steps, not before `first`, in order of time."""
    count = int((last - first) / step + 1e-9) + 1 if step > 0.0 and last >= first else 0
    return tuple(last - step * back for back in range(count - 1, -1, -1))
