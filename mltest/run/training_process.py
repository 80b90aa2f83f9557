"""A training in a process of its own: `python -m mltest.run.training_process TASK`.

The caller decides the environment of the process; the task says what else is altered here, which system is rebuilt,
how many rows are learnt from and with which seeds. Everything that comes back lies in the task's folder:
`result.json`, the digest of every training row as it was read, and one array of predictions a seed.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

from mltest.construction import build
from mltest.probes.retraining import TrainingTask
from mltest.probes.row_digests import row_digests, share_seen
from mltest.probes.row_sample import whole_days
from mltest.probes.trainings import FEWEST_ROWS
from mltest.run.altered_process import alter
from mltest.run.opened_files import OpenedFiles
from mltest.system import Roles, System
from mltest.tables.rows import to_arrow

RESULT = "result.json"
ROWS = "rows.npy"


def perform(task: TrainingTask) -> dict[str, Any]:
    """Rebuilds the system, reads its training rows and trains once a seed. Raises what the system raises."""
    task.ref.workdir.mkdir(parents=True, exist_ok=True)
    system = build(task.ref)
    _move_clock(system, task.surroundings.clock_ahead)
    if system.data is None or system.training is None:
        raise LookupError("the system that was built here offers no data or no training")
    read = to_arrow(system.data.dataset("train"))
    named = _named(system.data.roles, system.training.config, read.column_names)
    np.save(task.folder / ROWS, row_digests(read, named))
    learned = whole_days(read, system.data.roles, task.rows)
    judged: pa.Table = feather.read_table(task.judged)
    labelled = _labelled(learned, system.data.roles.target)
    enough = labelled >= FEWEST_ROWS
    # Where it shares the home of its user with the others, what lies there is everybody's own and no hand-over.
    shared = [Path.home()] if task.surroundings.fresh and not task.surroundings.own_home else []
    files = OpenedFiles(task.folder, *shared)
    return {
        "learned": learned.num_rows,
        "labelled": labelled,
        "seen": _share_of_judged_in(read, judged, named),
        "trainings": [_trained(system, learned, judged, seed, task, files) for seed in task.seeds if enough],
        "written": files.of_others(files.written),
    }


def _named(roles: Roles, config: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Columns that roles or configuration speak of; all of them where neither says what the model reads.

    A column that nobody names, such as the moment of loading, may differ: if a training does read it, its predictions
    differ.
    """
    inputs = {*roles.inputs, *(config.get("inputs") or ())}
    spoken_of = {roles.target, roles.time, roles.block, *roles.keys, *roles.groups, *roles.slices, *inputs}
    return [name for name in columns if name in spoken_of or not inputs]


def _labelled(rows: pa.Table, target: str) -> int:
    if target not in rows.column_names:
        raise LookupError(f"the training rows have no column {target!r}, which the roles call the target")
    known = pc.drop_null(rows.column(target))
    if pa.types.is_floating(known.type):
        known = known.filter(pc.is_finite(known))
    return len(known)


def _share_of_judged_in(read: pa.Table, judged: pa.Table, columns: Sequence[str]) -> float:
    """The share of the judged rows that are training rows, by those of the columns that both have."""
    shared = [name for name in columns if name in judged.column_names]
    return share_seen(row_digests(judged, shared), row_digests(read, shared)) if shared else 0.0


def _trained(
    system: System, learned: pa.Table, judged: pa.Table, seed: int, task: TrainingTask, files: OpenedFiles
) -> dict[str, Any]:
    workdir, stamp = task.folder / f"seed-{seed}", task.folder / f"{seed}.started"
    workdir.mkdir()
    stamp.touch()
    training: Any = system.training
    started = time.perf_counter()
    with files.heard():
        artifact = training.train(learned, seed=seed, config=dict(task.config), workdir=workdir)
    seconds = time.perf_counter() - started
    left = {path: os.stat(path).st_mtime_ns < stamp.stat().st_mtime_ns for path in files.given_back(artifact.path)}
    answers = np.asarray(training.load(artifact).predict(judged))
    answers = answers.astype(str) if answers.dtype == object else answers
    np.save(task.folder / f"{seed}.npy", answers, allow_pickle=False)
    metrics = {str(name): float(value) for name, value in artifact.metrics.items()}
    return {"seed": seed, "seconds": seconds, "digest": artifact.digest, "metrics": metrics, "given_back": left}


def _move_clock(system: System, ahead: timedelta) -> None:
    """Moves the clock that the system takes its time from, unless it went along with that of the process."""
    if system.clock is None or not ahead:
        return
    now = system.clock.now()
    if abs(datetime.now(UTC) - now) > timedelta(days=1):
        system.clock.set(now + ahead)


def main() -> int:
    """Performs the task that the command line names; the status is 1 when the system raised."""
    task: TrainingTask = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - from the process that started us
    try:
        alter(task.surroundings)
        result, status = perform(task), 0
    except Exception as error:  # whatever it is, the caller has to hear of it
        result, status = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"}, 1
    (task.folder / RESULT).write_text(json.dumps(result), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
