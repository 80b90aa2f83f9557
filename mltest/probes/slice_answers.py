"""Does every slice get an answer? Rows without one cannot be judged by their loss, and would hide the worst slice.

Every yardstick answers all rows, gaps among them, so that none is unanswerable. A model that answers nothing at all is
another matter: no slice is served worse than the rest then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltest.probes.slicing import FEWEST_ROWS, Slicing
from mltest.stats.arrays import BoolArray
from mltest.stats.intervals import Interval, clopper_pearson

LARGEST_UNANSWERED = 0.1
"""Share of a slice's rows without a finite answer, from which on the slice fails."""

_LEVEL = 0.95
_TIMES_THE_REST = 2.0
_SAME_ROWS = 0.9


@dataclass(frozen=True, slots=True)
class UnansweredSlice:
    """A slice of `n` rows of which the share `share` has no answer; `interval` is corrected for all slices."""

    name: str
    n: int
    share: float
    interval: Interval


def left_out(slicing: Slicing, unanswered: BoolArray, *, limit: float = LARGEST_UNANSWERED) -> UnansweredSlice | None:
    """The slice that the model leaves without an answer; None where no slice is more affected than all others.

    `unanswered` has shape (rows,). The lower end of the exact interval must exceed the limit (Bonferroni over all
    slices of 50 rows), and the share be twice that of all other rows. Of those the narrowest that holds nearly all of
    the rows without an answer is the cause.
    """
    known = [one for one in slicing.candidates.slices if len(one.rows) >= FEWEST_ROWS]
    found: list[tuple[int, int, UnansweredSlice]] = []
    for one in known:
        n, missed = len(one.rows), int(np.count_nonzero(unanswered[one.rows]))
        rest = (int(np.count_nonzero(unanswered)) - missed) / (len(unanswered) - n)
        interval = clopper_pearson(missed, n, 1.0 - (1.0 - _LEVEL) / len(known))
        if interval.low > limit and missed / n >= _TIMES_THE_REST * rest:
            found.append((n, missed, UnansweredSlice(one.name, n, missed / n, interval)))
    most = max((missed for _, missed, _ in found), default=0)
    causes = [(n, one.name, one) for n, missed, one in found if missed >= _SAME_ROWS * most]
    return min(causes, default=(0, "", None))[2]
