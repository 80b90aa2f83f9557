"""Answers as numbers, and whether they are the right model's to the right requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import Withheld
from mltest.probes.judged_rows import column
from mltest.probes.outcomes import class_name
from mltest.probes.pipeline_run import PipelineRun
from mltest.stats.arrays import FloatArray
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Model

CONTRACT = 1e-3
"""Difference of two answers to the same features, in standard deviations of the answers, that rounding may make."""


def served_numbers(answers: Sequence[Mapping[str, Any]], run: PipelineRun) -> FloatArray:
    """Served predictions, shape (answers,). Raises Withheld where one is no number."""
    numbers = np.array([number(answer["prediction"], run) for answer in answers])
    if not np.isfinite(numbers).all():
        raise Withheld(f"{int((~np.isfinite(numbers)).sum())} served predictions are not numbers: nothing to compare")
    return numbers


def number(prediction: Any, run: PipelineRun) -> float:
    """A prediction as one number: itself, the score of the planted class, or whether it is that class."""
    wanted = run.planting.wanted
    if isinstance(prediction, str):
        return float(class_name(prediction) == class_name(wanted))
    if isinstance(prediction, Sequence):
        return float(prediction[-1] if len(prediction) == 2 else prediction[_position(run)])
    return float("nan") if prediction is None else float(prediction)


def predicted(model: Model, rows: pa.Table, run: PipelineRun) -> FloatArray:
    """A model's answers to rows, as the numbers that served ones are."""
    answers = np.asarray(model.predict(to_arrow(rows)))
    return np.array([number(value if answers.ndim == 1 else list(value), run) for value in answers.tolist()])


def of_version(log: pa.Table, version: str) -> pa.Table:
    """The rows of a log that this version answered; all where the log does not say."""
    if "version" not in log.column_names:
        return log
    import pyarrow as pa

    return log.filter(pa.array([str(each) == version for each in log["version"].to_pylist()]))


def contract(run: PipelineRun, answered: FloatArray, spread: float, missing: Sequence[str]) -> tuple[float, float]:
    """Largest differences of the server and of the registry's model from the trained one, in spreads.

    Both answer to the features that the server logged. Every answer must be found among the logged predictions; rows
    of the log beyond those (a warm-up, a health check) are left out. An answer that is not there counts as one spread.
    """
    log = run.served.log
    if missing or "prediction" not in log.column_names:
        return 1.0, 1.0
    log = of_version(log, run.version)
    logged = np.array([number(value, run) for value in log["prediction"].to_pylist()])
    found = _found(answered, logged, CONTRACT * spread)
    if len(found) < len(answered):
        return 1.0, 1.0
    log, logged = log.take(np.array(found, dtype=np.int64)), logged[found]
    said = float(np.abs(logged - np.sort(answered)).max())
    expected, registered = predicted(run.trained, log, run), predicted(run.registered, log, run)
    served = max(float(np.abs(logged - expected).max()), said)
    return served / spread, float(np.abs(registered - expected).max()) / spread


def misplaced(run: PipelineRun, ordinary: FloatArray, spread: float) -> tuple[int, int]:
    """How many answers of a batch differ from the answer that the same request gets alone, and how many were compared.

    Only requests that get one answer twice when they are sent alone say anything.
    """
    tolerance = CONTRACT * spread
    first = served_numbers([each.first for each in run.served.alone], run)
    second = served_numbers([each.second for each in run.served.alone], run)
    steady = np.abs(first - second) <= tolerance
    batch = ordinary[[each.position for each in run.served.alone]]
    return int((np.abs(first - batch)[steady] > tolerance).sum()), int(steady.sum())


def _found(answered: FloatArray, logged: FloatArray, tolerance: float) -> list[int]:
    """Positions in the log of one row for each answer, in rising order of answers; without one it is left out."""
    order, place = np.argsort(logged, kind="stable"), 0
    found: list[int] = []
    for answer in np.sort(answered):
        while place < len(order) and logged[order[place]] < answer - tolerance:
            place += 1
        if place < len(order) and logged[order[place]] <= answer + tolerance:
            found.append(int(order[place]))
            place += 1
    return found


def _position(run: PipelineRun) -> int:
    known = column(run.features, run.parts.data.roles.target).tolist()
    names = sorted({name for value in known if (name := class_name(value)) is not None})
    return names.index(str(class_name(run.planting.wanted)))
