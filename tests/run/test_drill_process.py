"""A drill that is killed in the middle leaves the tree as it was, and nothing of it runs on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mltest.probes import drill_tree

TREE = Path(__file__).parents[1] / "suites" / "tides_tree"
PROGRAM = """
import sys
from pathlib import Path
from mltest.construction import build
from mltest.probes import drill_run
from mltest.system import SystemRef
root = Path(sys.argv[1])
ref = SystemRef("tides.system:system", root, root.parent / "work")
system = build(ref)
drill_run.run(ref, system.repository.drill(), root, system.data)
"""


def running(place: Path) -> list[int]:
    """Processes that were started with a task below `place`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "drill_process" in words and str(place) in words:
            found.append(int(entry.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux ends children with their parent")
def test_a_killed_drill_leaves_the_tree_as_it_was_and_no_process_behind(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(TREE / "tides", root / "tides", ignore=shutil.ignore_patterns("__pycache__"))
    before = drill_tree.digests(root)
    paths = [str(root), *(entry or os.getcwd() for entry in sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(root)], env=environment)
    until = time.monotonic() + 120
    while not running(tmp_path) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert running(tmp_path), f"the drill never began: the process ended with {process.poll()}"
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 20
    while running(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert running(tmp_path) == []
    assert drill_tree.digests(root) == before
