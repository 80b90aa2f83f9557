"""Whether the model knew the holdout beforehand: there it beats a yardstick by more than on other unseen rows.

The yardstick, a gradient boosting, learned from the training rows alone, so it tells how hard rows are. A model that
was fitted to the holdout too, or that looks its outcomes up, gains on it and nowhere else; honest ones gain about as
much on the validation split (measured: 0.98 to 1.02 of it). Where there is none, training rows stand in, on which a
model that learned from them gains most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mltest import tables
from mltest.evidence import Withheld
from mltest.probes.baselines import Baseline
from mltest.probes.judged_rows import JudgedRows, answers_to, blocks_of, column
from mltest.probes.row_sample import evenly
from mltest.stats.arrays import FloatArray, is_missing
from mltest.stats.bootstrap import cluster_bootstrap

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Data, Model

ROWS = 6_000
FEWEST_ROWS, FEWEST_BLOCKS = 300, 5
MOST_BETTER = 0.9
"""The share of its loss elsewhere, beside the yardstick's, that a model loses on the holdout at least."""
KNOWN_BY_HEART = 0.5
"""Share of its loss on the holdout below which a yardstick knows its training rows by heart, as it does where they are
few: beside it every model looks poor on them, and nothing follows."""
_ONE_SIDED = 1.645


@dataclass(frozen=True)
class Memory:
    """The model's loss as a share of the yardstick's, on the holdout and on rows of the split `elsewhere`.

    `quotient` is the first by the second, `high` the upper end of its one-sided 95 % interval.
    """

    elsewhere: str
    on_holdout: float
    on_others: float
    quotient: float
    high: float

    @property
    def is_suspicious(self) -> bool:
        return self.high < MOST_BETTER

    def sentence(self) -> str:
        return (
            f"the model loses {self.on_holdout:.0%} of what gradient boosting loses on the holdout, and "
            f"{self.on_others:.0%} on {self.elsewhere} rows, and at least {MOST_BETTER:.0%} of that share is expected: "
            "it answers as if it had seen the holdout, so train it without, or hold out newer rows"
        )


def compared(
    data: Data, model: Model, rows: JudgedRows, losses: FloatArray, yardstick: Baseline | None
) -> Memory | None:
    """The model beside the yardstick, on the holdout (its `losses`, shape (n,)) and elsewhere; None without content."""
    if yardstick is None or yardstick.answer is None:
        return None
    here = cluster_bootstrap(losses, rows.blocks, statistic="ratio", reference=yardstick.losses, seed=0)
    split, table, truth = _elsewhere(data, rows)
    usual = rows.outcome.losses(truth, yardstick.answer(table))
    if split == "training" and usual.mean() < KNOWN_BY_HEART * yardstick.losses.mean():
        return None
    own = rows.outcome.losses(truth, answers_to(model, table, rows))
    there = cluster_bootstrap(own, blocks_of(table, rows.roles), statistic="ratio", reference=usual, seed=0)
    if here.reason or there.reason or min(here.value, there.value) <= 0.0:
        return None
    error = math.hypot(here.standard_error / here.value, there.standard_error / there.value)
    quotient = here.value / there.value
    return Memory(split, here.value, there.value, quotient, quotient * math.exp(_ONE_SIDED * error))


def _elsewhere(data: Data, rows: JudgedRows) -> tuple[str, pa.Table, FloatArray]:
    """Rows of the validation split with an outcome, where it has enough days, else training rows."""
    import pyarrow as pa

    try:
        table = tables.to_arrow(data.dataset("validation"))
        truth = rows.outcome.truth(column(table, rows.roles.target))
    except (KeyError, Withheld):
        table, truth = rows.train.slice(0, 0), np.zeros(0)
    known = ~is_missing(truth)
    table = evenly(table.filter(pa.array(known)), ROWS)
    enough = table.num_rows >= FEWEST_ROWS and len(np.unique(blocks_of(table, rows.roles))) >= FEWEST_BLOCKS
    if not enough or any(name not in table.column_names for name in rows.inputs):
        table = evenly(rows.train, ROWS)
        return "training", table, rows.outcome.truth(column(table, rows.roles.target))
    return "validation", table, rows.outcome.truth(column(table, rows.roles.target))
