"""Models trained up to several dates, each judged where it was fresh and wherever it was older, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import ageing_grid
from mltest.probes.ageing_grid import Grid
from mltest.probes.ageing_rows import AgeingRows, instant_of
from mltest.probes.kept_trainings import KeptTrainings
from mltest.probes.retraining import EXTENTS, shortened
from mltest.stats.arrays import FloatArray
from mltest.system import Effort, SystemRef

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Model, Training

FEWEST_LEARNED = 100
FEWEST_JUDGED = 20
JUDGED_ROWS: Mapping[Effort, int] = {"quick": 3_000, "standard": 10_000, "thorough": 100_000}
"""Most rows of one place that are judged, spread evenly over its days."""
_THIN = 0.25
"""Share of the usual number of training rows below which a window is left out: all would shrink to its size."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where models are judged: rows, what came out, and the days they belong to; arrays of shape (rows,)."""

    at: float
    rows: pa.Table
    truth: FloatArray
    blocks: npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Cell:
    """A model whose rows ended `age` days earlier than the fresh one's; losses of both on the same rows."""

    end: float
    place: float
    age: float
    stale: FloatArray
    fresh: FloatArray
    blocks: npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Control:
    """Loss of a model that learned permuted outcomes, and that of the usual one with its answers, on the rows that both
    learned from: there a model that learns is better at any time, also where the world has just changed."""

    permuted: float
    usual: float
    rows: pa.Table
    answers: npt.NDArray[np.generic]
    metrics: Mapping[str, float]

    @property
    def increase(self) -> float:
        """Share by which loss rises when the training rows say nothing."""
        return self.permuted / self.usual - 1.0 if self.usual > 0.0 else float("nan")


@dataclass(frozen=True, eq=False)
class Backtest:
    """All cells; `claims` are each model's newest training row and what it says about it; `identical` when all models
    answer alike."""

    cells: tuple[Cell, ...]
    grid: Grid
    training_rows: int
    claims: tuple[tuple[datetime, datetime | None], ...]
    identical: bool
    control: Control
    tally: str


def run(ref: SystemRef, training: Training, rows: AgeingRows, every: float) -> Backtest:
    """Trains once a window and judges wherever a model would have been in use.

    `every` is the policy's age in days. Raises Withheld with what is missing when fewer than four ages can be seen
    from three origins each.
    """
    grid, size = _with_rows(rows, ageing_grid.plan(float(rows.days[0]), rows.end, every), ref.effort)
    _require_ages(grid, rows)
    kept = KeptTrainings(ref, training)
    config = shortened(training.config, EXTENTS[ref.effort])
    models: dict[float, Model] = {}
    claims, metrics = [], dict[str, float]()
    for end in grid.ends:
        learned = _window(rows, end, grid.window, size)
        done = kept.train(rows.table.take(learned), seed=ref.seed, config=config)
        models[end], metrics = kept.model(done), dict(done.artifact.metrics)
        claims.append((instant_of(float(rows.days[learned[-1]])), models[end].metadata.trained_until))
    places = [_place(rows, at, grid.judged, JUDGED_ROWS[ref.effort]) for at in grid.places]
    answers = {
        (end, place.at): _answers(models[end], place, rows) for place in places for end in grid.ends if end <= place.at
    }
    losses = {
        key: rows.outcome.losses(place.truth, answers[key]) for place in places for key in answers if key[1] == place.at
    }
    cells = tuple(
        Cell(
            end,
            place.at,
            ageing_grid.age_of(end, place.at),
            losses[end, place.at],
            losses[place.at, place.at],
            place.blocks,
        )
        for place in places
        for end in grid.ends
        if end < place.at
    )
    identical = all(np.array_equal(answers[cell.end, cell.place], answers[cell.place, cell.place]) for cell in cells)
    learned = _window(rows, grid.ends[-1], grid.window, size)
    permuted = kept.train(_permuted(rows, learned, ref.seed), seed=ref.seed, config=config)
    seen = _evenly(learned, JUDGED_ROWS[ref.effort])
    control = _control(kept.model(permuted), models[grid.ends[-1]], _rows_at(rows, seen, grid.ends[-1]), rows, metrics)
    return Backtest(cells, grid, size, tuple(claims), identical, control, kept.tally)


def _with_rows(rows: AgeingRows, grid: Grid, effort: Effort) -> tuple[Grid, int]:
    """The grid without windows and places that have too few rows, and the rows that every training gets."""
    counts = {end: _inside(rows, end - grid.window, end).size for end in grid.ends}
    usual = float(np.median([count for count in counts.values() if count] or [0]))
    ends = tuple(end for end in grid.ends if counts[end] >= max(FEWEST_LEARNED, _THIN * usual))
    places = tuple(at for at in grid.places if at in ends and _inside(rows, at, at + grid.judged).size >= FEWEST_JUDGED)
    size = min((counts[end] for end in ends), default=0)
    most = EXTENTS[effort].rows
    return Grid(grid.window, grid.judged, places, ends), min(size, most) if most else size


def _require_ages(grid: Grid, rows: AgeingRows) -> None:
    ages, origins = grid.ages(), len(grid.places)
    if len(ages) >= ageing_grid.FEWEST_AGES:
        return
    span = rows.end - float(rows.days[0])
    raise Withheld(
        f"{len(ages)} ages can be seen from {ageing_grid.FEWEST_ORIGINS} training ends each, and "
        f"{ageing_grid.FEWEST_AGES} are needed ({origins} places with enough rows over {span:.1f} days): offer more "
        "history",
        ReasonCode.TOO_LITTLE_DATA,
    )


def _inside(rows: AgeingRows, begin: float, end: float) -> npt.NDArray[np.intp]:
    low, high = np.searchsorted(rows.days, (begin, end))
    return np.arange(low, high, dtype=np.intp)


def _window(rows: AgeingRows, end: float, window: float, size: int) -> npt.NDArray[np.intp]:
    """`size` rows of the window before `end`, evenly over its time, so that every day stays represented."""
    return _evenly(_inside(rows, end - window, end), size)


def _evenly(among: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    if among.size <= size:
        return among
    return among[np.linspace(0, among.size - 1, size).round().astype(np.intp)]


def _place(rows: AgeingRows, at: float, judged: float, most: int) -> Place:
    return _rows_at(rows, _evenly(_inside(rows, at, at + judged), most), at)


def _rows_at(rows: AgeingRows, chosen: npt.NDArray[np.intp], at: float) -> Place:
    return Place(at, rows.table.take(chosen), rows.truth[chosen], rows.blocks[chosen])


def _answers(model: Model, place: Place, rows: AgeingRows) -> FloatArray:
    try:
        predicted = model.predict(place.rows.drop_columns([rows.roles.target]))
    except Exception as error:
        raise PartFailure(f"a model trained by the part `training` raised {type(error).__name__}: {error}") from error
    return rows.outcome.answers(predicted, place.rows.num_rows)


def _permuted(rows: AgeingRows, learned: npt.NDArray[np.intp], seed: int) -> pa.Table:
    table, name = rows.table.take(learned), rows.roles.target
    order = np.random.default_rng((seed, 0x6167656)).permutation(table.num_rows)
    return table.set_column(table.column_names.index(name), name, table.column(name).take(order))


def _control(permuted: Model, usual: Model, place: Place, rows: AgeingRows, metrics: Mapping[str, float]) -> Control:
    answers = _answers(usual, place, rows)
    blind = rows.outcome.losses(place.truth, _answers(permuted, place, rows))
    seeing = rows.outcome.losses(place.truth, answers)
    return Control(float(blind.mean()), float(seeing.mean()), place.rows, answers, metrics)
