"""Trainings in separate processes that differ in everything that must not matter.

Each process rebuilds the system from its reference, reads the training rows itself, trains on whole days of them and
predicts the same rows. What the three processes differ in is said in `mltest.probes.surroundings`; two run at a time.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure
from mltest.probes import surroundings
from mltest.probes.surroundings import ELSEWHERE, THREADED, USUAL, Surroundings
from mltest.probes.trainings import ProcessResult, Retraining, Trained
from mltest.system import Effort, SystemRef

if TYPE_CHECKING:
    import pyarrow as pa

PROCESS = "mltest.run.training_process"
AT_A_TIME = 2
_MOST_EPOCHS = 10
"""Epochs of a shortened training: a cause that only shows after the first few still shows."""
_LENGTH_KEYS = ("epochs", "max_epochs", "num_epochs", "n_epochs")


@dataclass(frozen=True)
class Extent:
    """How far an effort level goes: training rows (0: all), seeds beside the first, and whether epochs are cut."""

    rows: int
    other_seeds: int
    shortened: bool


EXTENTS: Mapping[Effort, Extent] = {
    "quick": Extent(rows=15_000, other_seeds=2, shortened=True),
    "standard": Extent(rows=60_000, other_seeds=5, shortened=False),
    "thorough": Extent(rows=0, other_seeds=9, shortened=False),
}


def shortened(config: Mapping[str, Any], extent: Extent) -> dict[str, Any]:
    """The overrides that make a training short: fewer epochs where the configuration speaks of epochs."""
    if not extent.shortened:
        return {}
    return {
        key: _MOST_EPOCHS
        for key in _LENGTH_KEYS
        if isinstance(config.get(key), int) and not isinstance(config[key], bool) and config[key] > _MOST_EPOCHS
    }


def retrain(ref: SystemRef, judged: pa.Table, config: Mapping[str, Any]) -> Retraining:
    """Trains in three processes, two at a time, and predicts `judged` with each model.

    `config` is the configuration that is shipped. A system that needs what lies in the home of its user, such as
    credentials or downloaded data, is allowed to find it: where the other process raises, it is tried once more with
    the usual home. Raises PartFailure when the system raises in another one of the processes, or when one dies.
    """
    extent = EXTENTS[ref.effort]
    overrides = shortened(config, extent)
    others = tuple(range(ref.seed + 1, ref.seed + 1 + extent.other_seeds))
    seeds = {USUAL: (ref.seed, *others[::2]), ELSEWHERE: (ref.seed,), THREADED: (ref.seed, *others[1::2])}
    ref.workdir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="retraining-", dir=ref.workdir)).resolve()
    try:
        tasks = [_prepared(folder, ref, judged, place, seeds[place], extent, overrides) for place in seeds]
        _run(tasks)
        usual, elsewhere, threaded = (_read(task) for task in tasks)
        _raise_of(usual, threaded)
        if elsewhere.raised is not None:
            at_home = replace(ELSEWHERE, name="other process at home", own_home=False)
            again = _prepared(folder, ref, judged, at_home, seeds[ELSEWHERE], extent, overrides)
            _run([again])
            elsewhere = _read(again)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Retraining(usual, elsewhere, threaded, ref.seed, overrides)


@dataclass(frozen=True)
class TrainingTask:
    """What one process does: rebuild `ref`, train with `config` on about `rows` rows (0: all) once a seed, and predict
    the rows in the file `judged`. What it leaves lies in `folder`."""

    surroundings: Surroundings
    ref: SystemRef
    folder: Path
    judged: Path
    seeds: tuple[int, ...]
    rows: int
    config: Mapping[str, Any]

    @property
    def file(self) -> Path:
        return self.folder / "task.pickle"


def _prepared(
    folder: Path,
    ref: SystemRef,
    judged: pa.Table,
    place: Surroundings,
    seeds: Sequence[int],
    extent: Extent,
    overrides: Mapping[str, Any],
) -> TrainingTask:
    from pyarrow import feather

    own = folder / place.name.replace(" ", "-")
    own.mkdir()
    feather.write_feather(judged, own / "judged.arrow")
    task = TrainingTask(
        surroundings=place,
        ref=_reference(ref, own / "work" if place.fresh else None),
        folder=own,
        judged=own / "judged.arrow",
        seeds=tuple(seeds),
        rows=extent.rows,
        config=dict(overrides),
    )
    task.file.write_bytes(pickle.dumps(task))
    return task


def _reference(ref: SystemRef, fresh: Path | None) -> SystemRef:
    """The reference with absolute paths; with `fresh`, nothing that was computed before lies where it looks."""
    source = str(Path(ref.source).resolve()) if ref.source.endswith(".toml") else ref.source
    there = replace(ref, source=source, root=ref.root.resolve(), workdir=(fresh or ref.workdir).resolve())
    if fresh is not None:
        return replace(there, cache=None if ref.cache is None else fresh / "cache")
    return replace(there, cache=None if ref.cache is None else ref.cache.resolve())


def _run(tasks: Sequence[TrainingTask]) -> None:
    waiting, running = list(tasks), list[subprocess.Popen[bytes]]()
    home = Path(tempfile.mkdtemp(prefix="mltest-")).resolve()
    try:
        while waiting or running:
            while waiting and len(running) < AT_A_TIME:
                running.append(_started(waiting.pop(0), home))
            running = [process for process in running if process.poll() is None]
            time.sleep(0.05)
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _started(task: TrainingTask, home: Path) -> subprocess.Popen[bytes]:
    place = task.surroundings
    folder = task.folder if place.fresh else Path.cwd()
    with (task.folder / "output.log").open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", PROCESS, str(task.file)],
            cwd=folder,
            env=surroundings.environment(place, os.environ, folder, home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _read(task: TrainingTask) -> ProcessResult:
    place, result, rows = task.surroundings, task.folder / "result.json", task.folder / "rows.npy"
    if not result.exists():
        lines = (task.folder / "output.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1][:300] if lines else "it said nothing"
        raise PartFailure(f"the training process ({place.name}) died before it had a result: {last}")
    found = json.loads(result.read_text(encoding="utf-8"))
    digests = np.load(rows, allow_pickle=False) if rows.exists() else np.zeros(0, dtype=np.uint64)
    if "error" in found:
        return ProcessResult(place, digests, learned=0, labelled=0, seen=0.0, trainings=(), raised=found["error"])
    trainings = tuple(
        Trained(
            seed=each["seed"],
            answers=np.load(task.folder / f"{each['seed']}.npy", allow_pickle=False),
            digest=str(each["digest"]),
            metrics=each["metrics"],
            seconds=each["seconds"],
            given_back=each["given_back"],
        )
        for each in found["trainings"]
    )
    counts = found["learned"], found["labelled"], found["seen"]
    return ProcessResult(place, digests, *counts, trainings, written=frozenset(found["written"]))


def _raise_of(*processes: ProcessResult) -> None:
    for process in processes:
        if process.raised is not None:
            place = process.surroundings
            differing = "" if place == USUAL else f", which differs in {place.differences},"
            raise PartFailure(f"the training in a process of its own ({place.name}){differing} raised {process.raised}")
