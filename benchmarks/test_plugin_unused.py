"""What the plugin costs where it is installed and not used: CPU of collecting an empty project, as a ratio.

The peer is the same command with the plugin blocked, so that it is not even imported. Other plugins are blocked in
both arms. Rounds are interleaved, with against without and without against with, so that a slow machine slows both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROUNDS = 25
ALLOWED = 1.03


def _cpu_seconds(folder: Path, blocked: list[str]) -> float:
    options = [word for name in blocked for word in ("-p", f"no:{name}")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_utime + used.ru_stime


def test_collecting_an_empty_project(benchmark, tmp_path, capsys):
    others = sorted({entry.name for entry in metadata.entry_points(group="pytest11")} - {"ml_score"})
    with_plugin: list[float] = []
    without: list[float] = []

    def rounds() -> None:
        for _ in range(ROUNDS):
            with_plugin.append(_cpu_seconds(tmp_path, others))
            without.append(_cpu_seconds(tmp_path, [*others, "ml_score"]))
            without.append(_cpu_seconds(tmp_path, [*others, "ml_score"]))
            with_plugin.append(_cpu_seconds(tmp_path, others))

    benchmark.pedantic(rounds, rounds=1, iterations=1)
    ratio = statistics.median(with_plugin) / statistics.median(without)
    benchmark.extra_info["ratio"] = ratio
    with capsys.disabled():
        print(f"\nCPU of --collect-only with the plugin against without it: {ratio:.4f} (allowed {ALLOWED})")
    assert ratio <= ALLOWED
