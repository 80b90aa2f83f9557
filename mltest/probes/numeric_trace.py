"""What the computation shows of itself where it can be watched: the answers in double precision, and idle units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.evidence import Withheld
from mltest.probes.numeric_answers import RELATIVE, SHARE_OF_SPREAD, Answers, Found, found
from mltest.probes.numeric_domain import Domain
from mltest.probes.numeric_sweeps import Sweep, beside

MOST_ON_THRESHOLDS = 0.002
"""Share of ordinary rows that may lie on several thresholds of a tree at once and fall to other sides of them."""


def differences(model: Any, domain: Domain, sweep: Sweep, given: Answers, spread: float) -> Found:
    """Rows of a sweep whose answers are numbers, but not those that the float64 trace gives.

    A tree whose threshold lies on a value of the row may fall to the other side in single precision (onnxruntime
    4130): an answer is right as well if the trace gives it one unit in the last place beside the row.
    """
    answered = np.asarray(np.isfinite(given).all(axis=1), dtype=bool)
    if not answered.any():
        return Found(0, 0)
    rows = sweep.rows.filter(pa.array(answered))
    exact = [_answers(model, each) for each in (rows, *beside(rows, domain))]
    labels = [sweep.labels[row] for row in np.flatnonzero(answered)]
    return disagreements(given[answered], exact, spread, labels)


def disagreements(given: Answers, exact: Sequence[Answers], spread: float, labels: Sequence[str]) -> Found:
    """Answers that differ from each of the exact ones by more than two runtimes may."""
    apart = np.ones(len(given), dtype=bool)
    for each in exact:
        if given.shape != each.shape:
            raise Withheld(
                f"the trace answers in shape {each.shape}, the model in {given.shape}: they must be the same"
            )
        with np.errstate(invalid="ignore"):
            apart &= ~(np.abs(given - each) <= SHARE_OF_SPREAD * spread + RELATIVE * np.abs(each)).all(axis=1)
    return found(apart, labels)


def dead_units(stages: dict[str, Any]) -> tuple[float, int] | None:
    """Share of units that say the same for every row in the layer where it is largest, and how many units that has.

    None without layers. One dead layer starves all that follow, however many units the others have.
    """
    shares = []
    for name, values in stages.items():
        units = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        if name.startswith("layer") and units.size:
            scale = np.maximum(np.abs(units).max(axis=0), np.finfo(np.float32).tiny)
            shares.append((float(np.mean(np.ptp(units, axis=0) <= 1e-9 * scale)), units.shape[1]))
    return max(shares) if shares else None


def _answers(model: Any, rows: pa.Table) -> Answers:
    return np.asarray(model.trace(rows)["answer"], dtype=np.float64).reshape(rows.num_rows, -1)
