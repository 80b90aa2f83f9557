"""What a model answers to a sweep: refused, flagged, or a number, and whether that number can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest.evidence import PartFailure, Withheld
from mltest.probes.numeric_domain import Sweep

if TYPE_CHECKING:
    import pyarrow as pa

Answers = npt.NDArray[np.float64]

SHARE_OF_SPREAD = 0.01
RELATIVE = 1e-3
"""Two runtimes agree within 1 % of the spread of ordinary answers and a thousandth of the answer: half precision (a
relative error of 1 in 2,048) is legal, an overflow or a cancellation is not."""
SINGLE_ROWS = 24
_BATCH_RELATIVE = 1e-5


@dataclass(frozen=True)
class Found:
    """How many of `tried` went wrong, and the labels of the first ones."""

    count: int
    tried: int
    examples: tuple[str, ...] = ()

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
    """Whether a part said no (ValueError), which it may, rather than broke."""
    while failure is not None:
        if isinstance(failure, ValueError):
            return True
        failure = failure.__cause__
    return False


def without_number(given: Answers, sweep: Sweep) -> Found:
    """Rows inside the domain that got no number."""
    return _found(~np.isfinite(given).all(axis=1), sweep.labels)


def silent(given: Answers, sweep: Sweep) -> Found:
    """Rows outside the domain that got one."""
    return _found(np.isfinite(given).all(axis=1), sweep.labels)


def disagreements(given: Answers, exact: Answers, spread: float, labels: Sequence[str]) -> Found:
    """Finite answers that differ from the float64 trace by more than the tolerance above."""
    if given.shape != exact.shape:
        raise Withheld(f"the trace answers in shape {exact.shape}, the model in {given.shape}: they must be the same")
    finite = np.isfinite(given).all(axis=1)
    with np.errstate(invalid="ignore"):
        apart = ~(np.abs(given - exact) <= SHARE_OF_SPREAD * spread + RELATIVE * np.abs(exact)).all(axis=1)
    return _found(finite & apart, labels)


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
    return _found(apart.any(axis=1), labels)


def jumps(given: Answers, after: Answers, spread: float) -> float:
    """Share of rows whose answer moves by more than 1 % of the spread when the inputs hardly move."""
    with np.errstate(invalid="ignore"):
        return float(np.mean((np.abs(after - given) > SHARE_OF_SPREAD * spread).any(axis=1)))


def modal_share(given: Answers) -> float:
    """Share of rows that get the most frequent answer; 1 is a constant model."""
    _, counts = np.unique(np.round(given, 9), axis=0, return_counts=True)
    return float(counts.max() / len(given))


def spread_of(given: Answers) -> float:
    """Standard deviation of the ordinary answers that are numbers; 0 when there are none."""
    finite = given[np.isfinite(given).all(axis=1)]
    return float(finite.std(axis=0).max()) if len(finite) else 0.0


def dead_units(stages: dict[str, Any]) -> tuple[float, int] | None:
    """Share of hidden units that say the same for every row, and how many units there are; None without layers."""
    layers = [np.asarray(values, dtype=np.float64) for name, values in stages.items() if name.startswith("layer")]
    units = np.concatenate([values.reshape(len(values), -1) for values in layers], axis=1) if layers else None
    if units is None or not units.size:
        return None
    scale = np.maximum(np.abs(units).max(axis=0), np.finfo(np.float32).tiny)
    return float(np.mean(np.ptp(units, axis=0) <= 1e-9 * scale)), units.shape[1]


def _found(wrong: Any, labels: Sequence[str]) -> Found:
    hits = np.flatnonzero(wrong)
    examples = dict.fromkeys(labels[position] for position in hits.tolist())
    return Found(len(hits), len(wrong), tuple(examples)[:5])
