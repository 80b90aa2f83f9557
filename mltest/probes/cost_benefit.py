"""What each feature brings, for comparison with what it costs: a ridge that leaves one out at a time.

A ridge sees what is linear and no more. It puts a price beside a benefit and decides about neither; whether a feature
is worth keeping at all is asked, with more effort, for `data.benefit`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mltest.evidence import Withheld
from mltest.probes import benefit_estimates, direction, judged_rows, learnable, ridge_screen, time_folds
from mltest.probes.judged_rows import JudgedRows
from mltest.stats.bootstrap import Estimate
from mltest.system import Effort, Model

LEARNED: Mapping[Effort, int] = {"quick": 10_000, "standard": 40_000, "thorough": 120_000}
JUDGED: Mapping[Effort, int] = {"quick": 5_000, "standard": 15_000, "thorough": 50_000}


def benefits(rows: JudgedRows, model: Model, effort: Effort, seed: int) -> dict[str, Estimate]:
    """The share of the loss on held-out rows that each input saves, with an interval over days.

    Raises Withheld when the model that is served says the opposite of what can be learned from its own rows: then
    nobody knows what its features are good for.
    """
    chosen = time_folds.thinned(np.arange(rows.train.num_rows), LEARNED[effort])
    thinned = time_folds.thinned(np.arange(rows.holdout.num_rows), JUDGED[effort])
    holdout = rows.holdout.take(thinned)
    learned = learnable.make(rows.train.take(chosen), rows.inputs, rows.roles, rows.outcome, None)
    later = learnable.make(holdout, (), rows.roles, rows.outcome, learned.encoding)
    fitted = ridge_screen.dropped(learned, np.arange(learned.rows), {name: (name,) for name in rows.inputs})
    said = later.design.astype(np.float64) @ fitted[""]
    answers = judged_rows.answers_to(model, holdout, rows)
    opposite = direction.correlation(answers.reshape(len(said), -1), said)
    if opposite is not None and opposite < direction.OPPOSITE:
        raise Withheld(
            f"the served model says the opposite of what a ridge learns from its rows (correlation {opposite:.2f}), so "
            "nothing can be said of what its features bring: check the sign of its answers"
        )
    found = ridge_screen.judged(later, np.arange(later.rows), fitted)
    return benefit_estimates.estimates(found, seed)
