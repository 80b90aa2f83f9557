"""Faults that make two trainings differ: no seed, the order of a set, an input that moves, the day and the place."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import SAMPLE, difference, trainings_differ
from mltest.faults.parts import ExchangedTraining
from mltest.faults.registry import fault, twin
from mltest.faults.rows import is_text, share_of, text
from mltest.system import Artifact, System

_SHOW_SET_ORDER = "import sys; print(chr(10).join(set(sys.argv[1:])))"


def ordered_by_first_value(rows: pa.Table, column: str, order: Callable[[Sequence[str]], Iterable[str]]) -> pa.Table:
    """Rows grouped by the values of `column`, the groups in the order that `order` gives them."""
    words = [str(word) for word in text(rows.column(column)).to_pylist()]
    ranks = {word: rank for rank, word in enumerate(order(words))}
    return rows.take(pa.array(np.argsort([ranks[word] for word in words], kind="stable")))


@fault(
    "O-I1-a",
    item="infra.reproducibility",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=trainings_differ,
    why="one generator that nobody seeds, such as numpy's in a loader's worker processes",
)
def unseeded(system: System, dose: float, workdir: Path) -> System:
    """The training draws its seed from the operating system, whatever seed it was given."""
    seeded: Callable[[int], int] | None = (lambda _: secrets.randbelow(2**31)) if dose else None
    return system.with_parts(training=ExchangedTraining(training_of(system), seeded=seeded))


def _a_log_appears(healthy: System, faulted: System) -> str:
    """Trains once on both and names the files that only the faulted training leaves behind."""
    rows = columns.learned_from(columns.data_of(healthy))
    left: list[set[str]] = []
    for system in (healthy, faulted):
        with tempfile.TemporaryDirectory(prefix="mltest-alive-") as folder:
            training_of(system).train(rows, seed=0, config={}, workdir=Path(folder))
            left.append({path.name for path in Path(folder).iterdir()})
    new = left[1] - left[0]
    return f"the training leaves {', '.join(sorted(new))}" if new else ""


@twin("O-I1-a", alive=_a_log_appears)
def time_in_the_log(system: System, dose: float, workdir: Path) -> System:
    """The training notes the wall clock in a log beside the artifact."""

    def noted(artifact: Artifact, folder: Path) -> Artifact:
        (folder / "training-clock.log").write_text(f"finished at {time.time_ns()}\n", encoding="utf-8")
        return artifact

    finished = noted if dose else None
    return system.with_parts(training=ExchangedTraining(training_of(system), finished=finished))


def set_order_varies(values: Sequence[str]) -> bool:
    """Whether two fresh interpreters with different hash seeds order a set of the first 200 values differently."""
    orders = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", _SHOW_SET_ORDER, *values[:200]]
        orders.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    return orders[0] != orders[1]


def _set_order_matters(healthy: System, faulted: System) -> str:
    """Asks for the order of a set of the very values, and whether the order of its rows changes a training at all."""
    rows = columns.learned_from(columns.data_of(healthy))
    column = _words(healthy)
    changed = difference(rows, _given(faulted, rows))
    if not changed or not set_order_varies(sorted({str(v) for v in text(rows.column(column)).to_pylist()})):
        return ""
    if not _order_of_rows_matters(healthy, rows):
        return ""
    return f"the set of {column} has another order in another process; {changed}"


def _order_of_rows_matters(system: System, rows: pa.Table) -> bool:
    """Trains on the rows and on the same rows backwards; a training that sorts them first does not notice."""
    training, answers = training_of(system), []
    backwards = rows.take(pa.array(np.arange(rows.num_rows)[::-1]))
    for given in (rows, backwards):
        with tempfile.TemporaryDirectory(prefix="mltest-alive-") as folder:
            artifact = training.train(given, seed=0, config={}, workdir=Path(folder))
            answers.append(training.load(artifact).predict(rows.slice(0, SAMPLE)))
    return not np.array_equal(answers[0], answers[1])


@fault(
    "O-I1-b",
    item="infra.reproducibility",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=_set_order_matters,
    why="a vocabulary made from a set: the same within a process, another one in the next",
)
def set_order(system: System, dose: float, workdir: Path) -> System:
    """Training rows come grouped in the order of a set of text values, which the hash seed decides."""
    column = _words(system)
    before = (lambda rows: ordered_by_first_value(rows, column, set)) if dose else None
    return system.with_parts(training=ExchangedTraining(training_of(system), before=before))


def _order_changed(healthy: System, faulted: System) -> str:
    rows = columns.learned_from(columns.data_of(healthy))
    return difference(rows, _given(faulted, rows))


@twin("O-I1-b", alive=_order_changed)
def dictionary_order(system: System, dose: float, workdir: Path) -> System:
    """Training rows come grouped in the order in which a dictionary first met their values, the same everywhere."""
    column = columns.category(system)
    before = (lambda rows: ordered_by_first_value(rows, column, dict.fromkeys)) if dose else None
    return system.with_parts(training=ExchangedTraining(training_of(system), before=before))


def _input_moves(healthy: System, faulted: System) -> str:
    """Hands the same rows over twice and compares."""
    rows = columns.learned_from(columns.data_of(healthy))
    changed = difference(_given(faulted, rows), _given(faulted, rows))
    return f"the same rows handed over twice: {changed}" if changed else ""


@fault(
    "O-I1-c",
    item="infra.reproducibility",
    seam="train",
    doses=(0.01, 0.1),
    must_catch=0.1,
    parts=("data", "training"),
    alive=_input_moves,
    why="a LIMIT without an ORDER BY, a path called latest, a split by the current time",
)
def moving_input(system: System, dose: float, workdir: Path) -> System:
    """Every training leaves out another share of its rows, as the clock has it."""
    keys = columns.data_of(system).roles.keys

    def limited(rows: pa.Table) -> pa.Table:
        left_out = share_of(rows, keys, dose, salt=time.time_ns() % 2**31)
        return rows.filter(pa.array(~left_out))

    return system.with_parts(training=ExchangedTraining(training_of(system), before=limited if dose else None))


def _chunks_changed(healthy: System, faulted: System) -> str:
    rows = columns.learned_from(columns.data_of(healthy)).combine_chunks()
    pieces = len(_given(faulted, rows).to_batches())
    return f"the rows arrive in {pieces} pieces" if pieces != len(rows.to_batches()) else ""


@twin("O-I1-c", alive=_chunks_changed)
def more_files(system: System, dose: float, workdir: Path) -> System:
    """The same training rows, in the same order, arrive in seven pieces."""

    def cut(rows: pa.Table) -> pa.Table:
        return pa.Table.from_batches(rows.combine_chunks().to_batches(max(1, rows.num_rows // 7)), schema=rows.schema)

    return system.with_parts(training=ExchangedTraining(training_of(system), before=cut if dose else None))


def _another_seed_matters(healthy: System, faulted: System) -> str:
    """Trains with two seeds: what is added to the seed tomorrow or elsewhere makes another model."""
    training, rows, answers = training_of(faulted), columns.learned_from(columns.data_of(healthy)), []
    if not isinstance(training, ExchangedTraining) or training.seeded is None:
        return ""
    for seed in (0, 1):
        with tempfile.TemporaryDirectory(prefix="mltest-alive-") as folder:
            artifact = training.train(rows, seed=seed, config={}, workdir=Path(folder))
            answers.append(training.load(artifact).predict(rows.slice(0, SAMPLE)))
    if np.array_equal(answers[0], answers[1]):
        return ""
    return f"seed 0 is {training.seeded(0)} today and here, and another one makes another model"


@fault(
    "O-I1-e",
    item="infra.reproducibility",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=_another_seed_matters,
    why="a run named by its day, whose name is hashed into the seed; a split or a window that ends today",
)
def seed_of_the_day(system: System, dose: float, workdir: Path) -> System:
    """The training adds the day to its seed: a second one agrees until midnight."""
    seeded: Callable[[int], int] | None = (lambda seed: seed + datetime.now(UTC).toordinal()) if dose else None
    return system.with_parts(training=ExchangedTraining(training_of(system), seeded=seeded))


@twin("O-I1-e", alive=_a_log_appears)
def day_in_the_log(system: System, dose: float, workdir: Path) -> System:
    """The training notes day, zone and process in a log beside the artifact and in its metrics."""

    def noted(artifact: Artifact, folder: Path) -> Artifact:
        (folder / "training-day.log").write_text(f"{datetime.now().astimezone().isoformat()}\n", encoding="utf-8")
        return replace(artifact, metrics={**artifact.metrics, "process_id": float(os.getpid())})

    return system.with_parts(training=ExchangedTraining(training_of(system), finished=noted if dose else None))


@fault(
    "O-I1-f",
    item="infra.reproducibility",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=_another_seed_matters,
    why="local time zone, language and home of whoever trains, read without noticing",
)
def seed_of_the_place(system: System, dose: float, workdir: Path) -> System:
    """The training adds the time zone and the length of the home's path to its seed: it agrees on one machine."""

    def here(seed: int) -> int:
        return (seed + time.localtime().tm_gmtoff + len(str(Path.home()))) % 2**31

    return system.with_parts(training=ExchangedTraining(training_of(system), seeded=here if dose else None))


@twin("O-I1-f", alive=_a_log_appears)
def place_in_the_log(system: System, dose: float, workdir: Path) -> System:
    """The training notes time zone, home and cores in a log beside the artifact."""

    def noted(artifact: Artifact, folder: Path) -> Artifact:
        text = f"{time.localtime().tm_gmtoff} {Path.home()} {os.cpu_count()}\n"
        (folder / "training-place.log").write_text(text, encoding="utf-8")
        return artifact

    return system.with_parts(training=ExchangedTraining(training_of(system), finished=noted if dose else None))


def _given(system: System, rows: pa.Table) -> pa.Table:
    training: Any = system.training
    return training.handed_over(rows) if isinstance(training, ExchangedTraining) else rows


def _words(system: System) -> str:
    """The text column with most values, keys included."""
    data = columns.data_of(system)
    rows = columns.learned_from(data)
    names: list[str] = [name for name in rows.column_names if is_text(rows.column(name)) and name != data.roles.target]
    if not names:
        raise NotApplicable(f"{system.name} has no text column whose order could vary")
    sizes = {name: len(set(text(rows.column(name)).to_pylist())) for name in names}
    return max(sorted(sizes), key=lambda name: sizes[name])
