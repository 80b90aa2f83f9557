"""Runs a drill in a copy of the tree: as it is, with the toy feature, and with the toy feature taken out again.

Each run is a process of its own, with a work area of its own; what the system caches, all three share. The original
tree is read and never written to, so that a drill which is killed leaves it as it was.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure
from mltest.offers.drill import FeatureDrill, edited_files
from mltest.probes import drill_planting, drill_tree, pipeline_slice, tree_copy
from mltest.probes.pipeline_slice import PipelineSlice
from mltest.system import Data, SystemRef

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

PROCESS = "mltest.run.drill_process"
PLAIN, TOY, REMOVED = "plain", "toy", "removed"
PHASES = (PLAIN, TOY, REMOVED)
SECONDS = 900.0
"""Wall time after which a drill is given up."""

RESULT, ROWS, LOG = "result.json", "rows.arrow", "log.arrow"
BEFORE, EDITED = "before.json", "edited.json"
"""Digests of the copy before the edit and with it."""


@dataclass(frozen=True)
class DrillTask:
    """What the process of a drill does in `tree`; it leaves its results in one folder a phase below `folder`.

    `texts` are the files that the edits change, as they are to be read with the toy feature in them.
    """

    ref: SystemRef
    drill: FeatureDrill
    chosen: PipelineSlice
    tree: Path
    folder: Path
    texts: Mapping[str, str]
    sys_path: tuple[str, ...]

    def of(self, phase: str) -> Path:
        return self.folder / phase


@dataclass(frozen=True)
class Phase:
    """What one run saw; `raised` is its error, and then the rest is empty. `answers` by name, shape (rows,).

    `rows` are the features of the stretch that is served, `log` what the server logged of it. `seconds` are for
    features and training, without the time in which others had the processor.
    """

    raised: str | None
    stage: str
    catalogue: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    digest: str = ""
    version: str = ""
    metrics: Mapping[str, float] | None = None
    config: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] | None = None
    answers: Mapping[str, npt.NDArray[np.float64]] | None = None
    rows: pa.Table | None = None
    log: pa.Table | None = None
    keys: tuple[str, ...] = ()

    @property
    def total_seconds(self) -> float:
        return sum((self.seconds or {}).values())


@dataclass(frozen=True)
class Drilled:
    """All three runs, the files of the copy that differ after the toy was removed, those of the original
    tree that do, and those of the copy that a command wrote."""

    drill: FeatureDrill
    phases: Mapping[str, Phase]
    left_over: tuple[str, ...]
    touched: tuple[str, ...]
    generated: tuple[str, ...]


def run(ref: SystemRef, drill: FeatureDrill, root: Path, data: Data) -> Drilled:
    """Copies the tree below `root` and runs the drill on the first days of `data`.

    Raises Withheld for an edit that cannot be made.
    """
    ref.workdir.mkdir(parents=True, exist_ok=True)
    root = root.resolve()
    before = {name: drill_tree.digest_of(root / name) for name in edited_files(drill.edits)}
    with _scratch(ref.workdir) as scratch:
        tree = scratch / "tree"
        tree_copy.copy(root, tree)
        texts = drill_tree.edited(tree, drill.edits)
        task = DrillTask(
            ref=replace(ref, source=drill.source, root=tree, workdir=scratch / "work", cache=scratch / "cache"),
            drill=drill,
            chosen=pipeline_slice.earliest(data, drill_planting.ROWS[ref.effort]),
            tree=tree,
            folder=scratch / "results",
            texts=texts,
            sys_path=tuple(_paths(root, tree)),
        )
        for phase in PHASES:
            task.of(phase).mkdir(parents=True)
        said = _performed(task, scratch)
        phases = {phase: _read(task.of(phase), said) for phase in PHASES}
        untouched, edited = (json.loads((task.folder / name).read_text("utf-8")) for name in (BEFORE, EDITED))
        generated = drill_tree.changed(untouched, edited)
        return Drilled(
            drill=drill,
            phases=phases,
            left_over=drill_tree.changed(untouched, drill_tree.digests(tree)),
            touched=tuple(name for name in texts if drill_tree.digest_of(root / name) != before[name]),
            generated=tuple(name for name in generated if name not in texts),
        )


@contextmanager
def _scratch(workdir: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="drill-", dir=workdir)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _performed(task: DrillTask, scratch: Path) -> str:
    """Runs the process and returns the last words that it said. Raises PartFailure when it does not end in time."""
    file, log = scratch / "task.pickle", scratch / "output.log"
    file.write_bytes(pickle.dumps(task))
    ours = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*task.sys_path, ours])}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", PROCESS, str(file)],
            cwd=task.tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise PartFailure(f"the drill did not end within {SECONDS:.0f} s: make its training smaller") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if not (task.folder / EDITED).exists():
        raise PartFailure(f"the process of the drill died: {lines[-1][:300] if lines else 'it said nothing'}")
    return lines[-1][:300] if lines else "it said nothing"


def _read(folder: Path, said: str) -> Phase:
    from pyarrow import feather

    if not (folder / RESULT).exists():
        return Phase(raised=f"it died: {said}", stage="start")
    plain = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    if plain["raised"] is not None:
        return Phase(plain["raised"], plain["stage"])
    tables = {
        name: feather.read_table(folder / name, memory_map=False) for name in (ROWS, LOG) if (folder / name).exists()
    }
    return Phase(
        raised=None,
        stage="",
        catalogue=tuple(plain["catalogue"]),
        columns=tuple(plain["columns"]),
        inputs=tuple(plain["inputs"]),
        digest=plain["digest"],
        version=plain["version"],
        metrics=plain["metrics"],
        config=plain["config"],
        seconds=plain["seconds"],
        answers={path.stem: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")},
        rows=tables.get(ROWS),
        log=tables.get(LOG),
        keys=tuple(plain["keys"]),
    )


def _paths(root: Path, tree: Path) -> list[str]:
    """Where imports are looked for, the copy in the place of the tree."""
    first = [str(tree), *([str(tree / "src")] if (tree / "src").is_dir() else [])]
    for entry in sys.path:
        path = Path(entry or os.getcwd()).resolve()
        inside = path.is_relative_to(root) and "site-packages" not in path.parts
        first.append(str(tree / path.relative_to(root)) if inside else str(path))
    return list(dict.fromkeys(first))
