"""The runs of a drill: `python -m mltest.run.drill_process TASK`, in a copy of the tree that nobody else uses.

Every run is forked off before anything of the system was imported, so that each reads the code as it then stands;
libraries that the drill names are loaded once for all of them.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import feather

from mltest.construction import build
from mltest.probes import drill_planting, drill_tree
from mltest.probes.drill_run import BEFORE, EDITED, LOG, PHASES, PLAIN, RESULT, ROWS, TOY, DrillTask
from mltest.probes.pipeline_slice import PipelineSlice
from mltest.system import Artifact, System
from mltest.tables.rows import to_arrow

ARTIFACT = "artifact.pickle"
RECORDS = 200
_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def perform(task: DrillTask) -> None:
    """All runs, one after another, and the edit between them."""
    _load(task.drill.libraries)
    originals = {name: (task.tree / name).read_bytes() for name in task.texts}
    _generate(task)
    before = drill_tree.digests(task.tree)
    (task.folder / BEFORE).write_text(json.dumps(before), encoding="utf-8")
    for phase in PHASES:
        if phase == TOY:
            for name, text in task.texts.items():
                (task.tree / name).write_text(text, encoding="utf-8")
            _generate(task)
            (task.folder / EDITED).write_text(json.dumps(drill_tree.digests(task.tree)), encoding="utf-8")
        _forked(partial(_run, task, phase))
        if phase == TOY:
            for name, content in originals.items():
                (task.tree / name).write_bytes(content)
            _generate(task)


def _load(libraries: tuple[str, ...]) -> None:
    for name in libraries:
        with suppress(ImportError):
            importlib.import_module(name)


def _generate(task: DrillTask) -> None:
    if task.drill.generate:
        subprocess.run(task.drill.generate, cwd=task.tree, check=True)  # noqa: S603 - the command of the drill itself


def _forked(work: Callable[[], None]) -> None:
    """Does `work` in a copy of this process, and waits for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _die_with_parent()
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.waitpid(child, 0)


def _die_with_parent() -> None:
    """On Linux, ends this process when the one that started it is killed, so that no drill goes on for nobody."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


class _Watch:
    """Which stage a run is in, and how long each took, without the time in which others had the processor."""

    def __init__(self) -> None:
        self.stage, self.seconds = "build", dict[str, float]()

    def timed(self, stage: str, work: Callable[[], Any]) -> Any:
        self.stage = stage
        started, waited = time.perf_counter(), _waited()
        found = work()
        spent = time.perf_counter() - started - (_waited() - waited)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + max(0.0, spent)
        return found


def _waited() -> float:
    """Seconds that this thread was ready and others ran; 0 where nobody counts them."""
    try:
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _run(task: DrillTask, phase: str) -> None:
    watch = _Watch()
    result: dict[str, Any] = {"raised": None}
    try:
        result |= _through(task, phase, watch)
    except Exception as error:  # whatever it is, the probe has to hear of it
        traceback.print_exc()
        text = " ".join(str(error).split())[:400]
        result["raised"] = f"{type(error).__name__}: {text}"
    result |= {"stage": watch.stage, "seconds": watch.seconds}
    (task.of(phase) / RESULT).write_text(json.dumps(result), encoding="utf-8")


def _through(task: DrillTask, phase: str, watch: _Watch) -> dict[str, Any]:
    """From raw tables to a model, and with the toy feature on to a server."""
    sys.path[:0] = [entry for entry in task.sys_path if entry not in sys.path]
    ref = replace(task.ref, workdir=task.ref.workdir / phase)
    ref.workdir.mkdir(parents=True, exist_ok=True)
    system: Any = build(ref)
    roles, chosen = system.data.roles, task.chosen
    raw = system.data.raw(chosen.whole)
    watch.stage = "features"
    catalogue = [info.name for info in system.features.catalogue]
    features = to_arrow(watch.timed("features", lambda: system.features.compute(raw, chosen.learn)))
    served = to_arrow(watch.timed("features", lambda: system.features.compute(raw, chosen.serve)))
    learned = features
    if phase == TOY and task.drill.feature in features.column_names:
        learned = drill_planting.planted(features, task.drill.feature, roles, system.task)
    folder = task.of(phase)
    artifact = watch.timed(
        "training",
        lambda: system.training.train(learned, seed=ref.seed, config=dict(task.drill.config), workdir=ref.workdir),
    )
    model = system.training.load(artifact)
    inputs = tuple(model.metadata.inputs) or tuple(system.training.config.get("inputs") or ())
    watch.stage = "golden predictions"
    old = artifact
    if phase == PLAIN:
        (task.folder / ARTIFACT).write_bytes(pickle.dumps(artifact))
    elif phase == TOY:
        old = pickle.loads((task.folder / ARTIFACT).read_bytes())  # noqa: S301 - written by the run before
    np.save(folder / "golden.npy", _numbers(_model_of(system, old).predict(served)))
    feather.write_feather(served, folder / ROWS)
    version = _serve(system, artifact, chosen, raw, task, watch) if phase == TOY else ""
    return {
        "version": version,
        "metrics": {str(name): float(value) for name, value in artifact.metrics.items()},
        "catalogue": catalogue,
        "columns": features.column_names,
        "inputs": list(inputs),
        "digest": artifact.digest,
        "config": {"inputs": list(system.training.config.get("inputs") or ())},
        "keys": [name for name in (*roles.keys, roles.time) if name],
    }


def _model_of(system: System, artifact: Artifact) -> Any:
    training: Any = system.training
    return training.load(artifact)


def _serve(system: Any, artifact: Artifact, chosen: PipelineSlice, raw: Any, task: DrillTask, watch: _Watch) -> str:
    """Serves the new model, asks it, and predicts what was logged, with the toy feature as logged and held still.

    Returns the version that was served.
    """
    watch.stage = "serving"
    version = system.registry.register(artifact)
    records = list(system.serving.records(raw, chosen.serve))
    step = max(1, len(records) // RECORDS)
    folder = task.of(TOY)
    place = task.ref.workdir / "server"
    place.mkdir(parents=True, exist_ok=True)
    with system.serving.start(place, version=version, as_of=chosen.served_from) as handle:
        handle.predict(records[::step][:RECORDS])
        log = to_arrow(handle.request_log())
    feather.write_feather(log, folder / LOG)
    if task.drill.feature in log.column_names:
        model = system.training.load(artifact)
        np.save(folder / "moving.npy", _numbers(model.predict(log)))
        np.save(folder / "still.npy", _numbers(model.predict(drill_planting.held_still(log, task.drill.feature))))
    return str(version)


def _numbers(answers: Any) -> np.ndarray:
    """Answers as numbers, the last score of a class where there are several; shape (rows,)."""
    given = np.asarray(answers, dtype=np.float64)
    return given if given.ndim == 1 else given[:, -1]


def main() -> int:
    """Performs the drill of the file that the command line names."""
    _die_with_parent()
    perform(pickle.loads(Path(sys.argv[1]).read_bytes()))  # noqa: S301 - from the process that started us
    return 0


if __name__ == "__main__":
    sys.exit(main())
