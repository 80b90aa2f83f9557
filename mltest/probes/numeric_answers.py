"""What a model answers to a sweep: refused, flagged, or a number, and whether that number can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest.evidence import PartFailure, Withheld
from mltest.probes.numeric_sweeps import Edges, Sweep

if TYPE_CHECKING:
    import pyarrow as pa

Answers = npt.NDArray[np.float64]

SHARE_OF_SPREAD = 0.01
RELATIVE = 1e-3
"""Two runtimes agree within 1 % of the spread of ordinary answers and a thousandth of the answer: half precision (a
relative error of 1 in 2,048) is legal, an overflow or a cancellation is not."""
SINGLE_ROWS = 24
STEEPER = 3.0
"""An answer may move this many times as far just outside the range as just inside, besides a whole spread."""
_BATCH_RELATIVE = 1e-5


@dataclass(frozen=True)
class Found:
    """How many of `tried` went wrong, and the labels of the first ones."""

    count: int
    tried: int
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The part of the tried rows that went wrong."""
        return self.count / self.tried if self.tried else 0.0

    def sentence(self, what: str) -> str:
        """`what` with its examples."""
        return f"{self.count} of {self.tried} {what}: {'; '.join(self.examples)}"


def answer(model: Any, rows: pa.Table) -> Answers:
    """Answers as float64, shape (rows, k). Raises Withheld when there is not one a row."""
    given = np.asarray(model.predict(rows), dtype=np.float64)
    if given.shape[:1] != (rows.num_rows,) or given.ndim > 2:
        raise Withheld(f"{rows.num_rows} rows got answers of shape {given.shape}: one answer a row is needed")
    return given.reshape(rows.num_rows, -1)


def answer_or_refuse(model: Any, rows: pa.Table) -> Answers:
    """As `answer`, with NaN in the rows that the model refuses; a refused batch is halved until single rows stand."""
    try:
        return answer(model, rows)
    except PartFailure as failure:
        if not refused(failure):
            raise
    if rows.num_rows == 1:
        return np.full((1, 1), np.nan)
    middle = rows.num_rows // 2
    halves = [answer_or_refuse(model, rows.slice(0, middle)), answer_or_refuse(model, rows.slice(middle))]
    width = max(half.shape[1] for half in halves)
    return np.concatenate([np.broadcast_to(half, (len(half), width)) for half in halves])


def refused(failure: BaseException | None) -> bool:
    """Whether a part said no, which it may, rather than broke: a value, a computation or a look-up that it refuses."""
    while failure is not None:
        if isinstance(failure, ValueError | ArithmeticError | LookupError):
            return True
        failure = failure.__cause__
    return False


def without_number(given: Answers, sweep: Sweep) -> Found:
    """Rows inside the domain that got no number."""
    return found(~np.isfinite(given).all(axis=1), sweep.labels)


def silent(given: Answers, sweep: Sweep) -> Found:
    """Rows outside the domain that got one."""
    return found(np.isfinite(given).all(axis=1), sweep.labels)


def breaks(model: Any, edges: Edges, spread: float) -> Found:
    """Values just outside the range whose answers leap away: an overflow or a wrong branch that waits for a record.

    A steep model may go on as steeply as it arrives at the end of the range; refused or flagged values are no leap.
    """
    inside, end, outside = (answer_or_refuse(model, rows) for rows in (edges.inside, edges.end, edges.outside))
    with np.errstate(invalid="ignore"):
        leap = np.abs(outside - end) > spread + STEEPER * np.abs(end - inside)
    return found(leap.any(axis=1), edges.labels)


def batch_dependence(model: Any, rows: pa.Table, together: Answers, spread: float) -> Found:
    """Rows whose answer changes when they are asked alone or in another order."""
    import pyarrow as pa

    few = min(SINGLE_ROWS, rows.num_rows)
    alone = np.concatenate([answer(model, rows.slice(position, 1)) for position in range(few)])
    order = np.arange(rows.num_rows)[::-1]
    backwards = answer(model, rows.take(pa.array(order)))[::-1]
    reference = np.concatenate([together[:few], together])
    other = np.concatenate([alone, backwards])
    both = np.isfinite(other) & np.isfinite(reference)
    with np.errstate(invalid="ignore"):
        apart = both & (np.abs(other - reference) > _BATCH_RELATIVE * (spread + np.abs(reference)))
    apart |= np.isfinite(other) != np.isfinite(reference)
    labels = [f"row {i} asked alone" for i in range(few)] + [f"row {i} in another order" for i in range(rows.num_rows)]
    return found(apart.any(axis=1), labels)


def jumps(given: Answers, down: Answers, up: Answers, spread: float) -> float:
    """Share of rows whose answer moves by more than 1 % of the spread whichever way the inputs hardly move.

    A row that lies on a threshold (of a tree, of `rain > 0`) moves one way only, and rightly.
    """
    with np.errstate(invalid="ignore"):
        both = np.minimum(np.abs(down - given), np.abs(up - given)) > SHARE_OF_SPREAD * spread
    return float(np.mean(both.any(axis=1)))


def spread_of(given: Answers) -> float:
    """Standard deviation of the ordinary answers that are numbers; 0 when there are none."""
    finite = given[np.isfinite(given).all(axis=1)]
    return float(finite.std(axis=0).max()) if len(finite) else 0.0


def found(wrong: Any, labels: Sequence[str]) -> Found:
    """The wrong ones of all rows, with the labels of the first."""
    hits = np.flatnonzero(wrong)
    examples = dict.fromkeys(labels[position] for position in hits.tolist())
    return Found(len(hits), len(wrong), tuple(examples)[:5])
