"""Faults of what a model learns: labels that are wrong, and models that hardly answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import model_of, retrained, training_of
from mltest.faults.liveness import answers_changed, training_changed
from mltest.faults.parts import ExchangedTraining, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import share_of, with_column
from mltest.system import System

REFERENCE_ROWS = 2_000
"""Rows that the centre of a model's answers is taken from."""


def relabelled(system: System, workdir: Path, change: Callable[[pa.Table], pa.Table] | None) -> System:
    """The system trained on rows passed through `change`, champion included; None changes nothing."""
    if change is None:
        return system.with_parts(training=ExchangedTraining(training_of(system)))
    return retrained(system, ExchangedTraining(training_of(system), before=change), workdir)


def reconfigured(system: System, workdir: Path, changes: Mapping[str, Any]) -> System:
    """The system trained with some keys of its configuration changed, champion included; none changes nothing."""
    if not changes:
        return system.with_parts(training=ExchangedTraining(training_of(system)))
    training = ExchangedTraining(training_of(system), configured=lambda config: {**config, **changes})
    return retrained(system, training, workdir)


def shrunk(system: System, by: float) -> System:
    """The model's answers pulled towards their centre by that share of the way; its trace ends the same way."""
    model = model_of(system)
    if by == 0:
        return system.with_parts(model=exchanged_model(model))
    centre = centre_of_answers(system)

    def pull(answers: np.ndarray) -> np.ndarray:
        return np.asarray(centre() + (1.0 - by) * (answers - centre()))

    def traced(_: pa.Table, stages: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return {name: pull(np.asarray(v)) if name == "answer" else v for name, v in stages.items()}

    return system.with_parts(model=exchanged_model(model, after=lambda _, answers: pull(answers), traced=traced))


def centre_of_answers(system: System) -> Callable[[], np.ndarray]:
    """The mean answer over rows spread evenly over what the system learns from, computed when first asked."""
    model, data = model_of(system), columns.data_of(system)

    @cache
    def centre() -> np.ndarray:
        rows = columns.learned_from(data)
        step = max(1, rows.num_rows // REFERENCE_ROWS)
        answers = np.asarray(model.predict(rows.take(np.arange(0, rows.num_rows, step))), dtype=np.float64)
        return np.asarray(np.nanmean(answers, axis=0))

    return centre


def _label_noise(system: System, share: float, workdir: Path) -> System:
    if share == 0:
        return relabelled(system, workdir, None)
    roles = columns.data_of(system).roles

    def permuted(rows: pa.Table) -> pa.Table:
        chosen = np.flatnonzero(share_of(rows, roles.keys, share))
        order = np.arange(rows.num_rows)
        order[chosen] = np.random.default_rng(0).permutation(chosen)
        return with_column(rows, roles.target, rows.column(roles.target).take(pa.array(order)))

    return relabelled(system, workdir, permuted)


@fault(
    "O-M5-a",
    item="model.baseline",
    seam="train",
    doses=(0.3, 0.6),
    must_catch=0.6,
    parts=("data", "training", "model"),
    alive=training_changed,
    why="labels joined to the wrong rows (DeepCrime: change of training labels)",
)
def label_noise(system: System, dose: float, workdir: Path) -> System:
    """A share of the training labels is permuted among the rows."""
    return _label_noise(system, dose, workdir)


@twin("O-M5-a", doses=(0.01,))
def a_little_label_noise(system: System, dose: float, workdir: Path) -> System:
    """One training label in a hundred is permuted among the rows."""
    return _label_noise(system, dose, workdir)


@fault(
    "O-M5-b",
    item="model.baseline",
    seam="art",
    doses=(0.3, 0.6, 0.9),
    must_catch=0.9,
    parts=("data", "model"),
    alive=answers_changed,
    why="a regularisation that is far too strong (DeepCrime: regularisation and activation operators)",
)
def hardly_answering(system: System, dose: float, workdir: Path) -> System:
    """The answers are pulled towards their mean by that share of the way, as by too much weight decay."""
    return shrunk(system, dose)


@twin("O-M5-b", doses=(0.01,))
def slightly_regularised(system: System, dose: float, workdir: Path) -> System:
    """The answers are pulled towards their mean by a hundredth of the way."""
    return shrunk(system, dose)
