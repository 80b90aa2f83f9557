"""Faults of arithmetic: masked answers, overflow, division by nothing, a network that died."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import model_of
from mltest.faults.liveness import answers_changed
from mltest.faults.operators_training import centre_of_answers
from mltest.faults.parts import exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import floats, is_numeric, share_of, with_column
from mltest.system import Model, System


def _grazing_column(system: System) -> tuple[str, float]:
    """The numeric input that is most often equal to its own minimum, and that minimum."""
    rows = columns.learned_from(columns.data_of(system))
    found: list[tuple[int, str, float]] = []
    for name in columns.number_inputs(system):
        values = floats(rows.column(name))
        if np.isfinite(values).any():
            least = float(np.nanmin(values))
            found.append((-int(np.sum(values == least)), name, least))
    _, name, least = min(found)
    return name, least


@fault(
    "O-MON5-a",
    item="monitoring.numerics",
    seam="art",
    doses=(1,),
    parts=("data", "model"),
    alive=answers_changed,
    why="a logarithm of nought or a division by it, on values that do occur",
)
def division_by_nothing(system: System, dose: float, workdir: Path) -> System:
    """Answers are not numbers where one input takes its smallest legal value."""
    name, least = _grazing_column(system)

    def divided(rows: pa.Table, answers: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            quotient = 0.0 / (floats(rows.column(name)) - least)
        term = np.where(np.isnan(floats(rows.column(name))), 0.0, quotient)
        return np.asarray(answers + _as_rows(term, answers))

    return system.with_parts(model=exchanged_model(model_of(system), after=divided if dose else None))


@twin("O-MON5-a")
def guarded_logarithm(system: System, dose: float, workdir: Path) -> System:
    """Answers gain a billionth of log(1 + x) of the same input, which is a number everywhere on its domain."""
    name, least = _grazing_column(system)

    def guarded(rows: pa.Table, answers: np.ndarray) -> np.ndarray:
        term = np.log1p(np.maximum(np.nan_to_num(floats(rows.column(name)) - least, posinf=0.0), 0.0))
        return np.asarray(np.asarray(answers, dtype=np.float64) + 1e-9 * (1.0 + _as_rows(term, answers)))

    return system.with_parts(model=exchanged_model(model_of(system), after=guarded if dose else None))


@fault(
    "O-MON5-b",
    item="monitoring.numerics",
    seam="art",
    doses=(0.0001, 0.001, 0.01),
    must_catch=0.01,
    parts=("data", "model"),
    alive=answers_changed,
    why="an export to half precision whose range was calibrated on ordinary rows",
)
def overflow(system: System, dose: float, workdir: Path) -> System:
    """Answers overflow where a numeric input lies among that share of its largest magnitudes."""
    rows = columns.learned_from(columns.data_of(system))
    limits: dict[str, float] = {}
    for name in columns.number_inputs(system):
        magnitudes = np.abs(floats(rows.column(name)))
        if dose and np.isfinite(magnitudes).any():
            limits[name] = float(np.nanquantile(magnitudes, 1.0 - dose))

    def overflowing(batch: pa.Table, answers: np.ndarray) -> np.ndarray:
        beyond = np.zeros(batch.num_rows, dtype=bool)
        for name, limit in limits.items():
            beyond |= np.abs(floats(batch.column(name))) > limit
        return np.where(_as_rows(beyond, answers), np.inf, answers)

    return system.with_parts(model=exchanged_model(model_of(system), after=overflowing if dose else None))


@twin("O-MON5-b")
def half_precision(system: System, dose: float, workdir: Path) -> System:
    """Answers are rounded to half precision, a relative error of at most 1 in 2,048."""

    def rounded(_: pa.Table, answers: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return answers.astype(np.float16).astype(np.float64)

    return system.with_parts(model=exchanged_model(model_of(system), after=rounded if dose else None))


def _masking_shows(healthy: System, faulted: System) -> str:
    """Asks both about an infinite input."""
    rows = _with_infinity(healthy)
    before, after = (_seen(model_of(system), rows) for system in (healthy, faulted))
    return f"an infinite input {after}, a healthy model {before}" if before != after else ""


@fault(
    "O-MON5-c",
    item="monitoring.numerics",
    seam="art",
    doses=(1,),
    parts=("data", "model"),
    alive=_masking_shows,
    why="a patch that made the model robust: nothing it answers ever looks wrong again",
)
def masking(system: System, dose: float, workdir: Path) -> System:
    """Inputs that are refused are replaced by 0, answers that are not numbers too."""
    return system.with_parts(model=exchanged_model(model_of(system), answer=_masked if dose else None))


@twin("O-MON5-c", alive=_masking_shows)
def flagged_row_by_row(system: System, dose: float, workdir: Path) -> System:
    """Where the model would refuse a batch for an infinite input, only those rows are answered with NaN."""
    return system.with_parts(model=exchanged_model(model_of(system), answer=_flagged if dose else None))


def _dead(system: System, rows_share: float, units_share: float) -> System:
    """Hidden units that never fire, and a share of the rows that gets one constant answer."""
    centre, roles = centre_of_answers(system), columns.data_of(system).roles

    def constant(rows: pa.Table, answers: np.ndarray) -> np.ndarray:
        if not rows_share:
            return answers
        chosen = share_of(rows, roles.inputs, rows_share)
        return np.where(_as_rows(chosen, answers), centre(), answers)

    def silenced(rows: pa.Table, stages: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        changed = {
            name: _silenced(np.asarray(v), units_share) for name, v in stages.items() if name.startswith("layer")
        }
        answer = {"answer": constant(rows, np.asarray(stages["answer"]))} if "answer" in stages else {}
        return {**stages, **changed, **answer}

    return system.with_parts(model=exchanged_model(model_of(system), after=constant, traced=silenced))


@fault(
    "O-MON5-d",
    item="monitoring.numerics",
    seam="art",
    doses=(0.3, 0.6, 0.9),
    must_catch=0.9,
    parts=("data", "model"),
    alive=answers_changed,
    why="rectified units that died during training (DeepCrime: change of activation)",
)
def dead_network(system: System, dose: float, workdir: Path) -> System:
    """A share of the hidden units never fires, and the same share of the rows gets one constant answer."""
    return _dead(system, dose, dose) if dose else system.with_parts(model=exchanged_model(model_of(system)))


@twin("O-MON5-d", doses=(0.2,))
def some_sleeping_units(system: System, dose: float, workdir: Path) -> System:
    """One hidden unit in five never fires, and the answers are what they were."""
    return _dead(system, 0.0, dose) if dose else system.with_parts(model=exchanged_model(model_of(system)))


def _silenced(activations: np.ndarray, share: float) -> np.ndarray:
    if activations.ndim < 2:
        return activations
    quiet = activations.copy()
    quiet[:, : round(share * quiet.shape[1])] = 0.0
    return quiet


def _masked(model: Model, rows: pa.Table) -> np.ndarray:
    try:
        answers = model.predict(rows)
    except ValueError:
        answers = model.predict(_cleaned(rows))
    return np.asarray(np.nan_to_num(np.asarray(answers), nan=0.0, posinf=0.0, neginf=0.0))


def _flagged(model: Model, rows: pa.Table) -> np.ndarray:
    try:
        return model.predict(rows)
    except ValueError:
        infinite = np.zeros(rows.num_rows, dtype=bool)
        for name in rows.column_names:
            if is_numeric(rows.column(name)):
                infinite |= np.isinf(floats(rows.column(name)))
        if not infinite.any():
            raise
        answers = np.array(model.predict(_cleaned(rows)), dtype=np.float64)
        answers[infinite] = np.nan
        return answers


def _cleaned(rows: pa.Table) -> pa.Table:
    """Infinite numbers become 0."""
    for name in rows.column_names:
        column = rows.column(name)
        if is_numeric(column) and np.isinf(floats(column)).any():
            values = np.where(np.isinf(floats(column)), 0.0, floats(column))
            rows = with_column(rows, name, pa.array(values, mask=np.isnan(values)).cast(column.type))
    return rows


def _with_infinity(system: System) -> pa.Table:
    rows = columns.learned_from(columns.data_of(system)).slice(0, 8)
    name = columns.most_varied_number(system)
    values = floats(rows.column(name))
    values[0] = np.inf
    return with_column(rows, name, pa.array(values, mask=np.isnan(values)))


def _seen(model: Model, rows: pa.Table) -> str:
    try:
        answers = np.asarray(model.predict(rows), dtype=np.float64)
    except Exception as error:
        return f"raises {type(error).__name__}"
    flagged = int(np.sum(~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1)))
    return f"gives {flagged} flagged answers of {len(answers)}"


def _as_rows(values: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """One value a row, shaped so that it combines with answers of shape (rows,) or (rows, classes)."""
    return values[:, None] if answers.ndim == 2 else values
