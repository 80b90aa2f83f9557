"""What it costs to hold a large table against its schema: 10 million rows by 25 columns on disk, clean and dirty.

The peer is one hand-written DuckDB query for the same rules: within 1.5 times its CPU, below 1 GB of memory, whatever
the rows hold. pandera on pandas and Great Expectations are shown at a million rows, which is as far as they go. Every
run is a process of its own, rounds are interleaved, and the medians are compared.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import rule_tables

ROOT = Path(__file__).resolve().parents[1]
ROWS, FEWER_ROWS = 10_000_000, 1_000_000
ROUNDS = 2
ALLOWED, ALLOWED_MB = 1.5, 1_000
PATIENCE_S = 150
BROKEN_COLUMNS = len(rule_tables.DIRTY)

Taken = dict[str, float]


def _measured(name: str, path: Path) -> Taken:
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.rule_contenders", name, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert process.returncode == 0, process.stderr[-2_000:]
    found: Taken = json.loads(process.stdout.splitlines()[-1])
    return found


def _median(runs: Sequence[Taken], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _shown(name: str, runs: Sequence[Taken]) -> str:
    cpu, wall, peak = _median(runs, "cpu"), _median(runs, "wall"), max(run["peak_mb"] for run in runs)
    return f"  {name:<20} {cpu:7.2f} s CPU {wall:7.2f} s wall {peak:7.0f} MB {runs[0]['violations']:>12,.0f} violations"


@pytest.mark.parametrize("dirty", [False, True], ids=["clean", "dirty"])
def test_ten_million_rows_against_one_query(benchmark, tmp_path, capsys, dirty):
    path = tmp_path / "table.parquet"
    rule_tables.write(path, ROWS, dirty=dirty)
    ours: list[Taken] = []
    peer: list[Taken] = []

    def rounds() -> None:
        for _ in range(ROUNDS):
            ours.append(_measured("mltest_tables", path))
            peer.append(_measured("hand_written", path))

    benchmark.pedantic(rounds, rounds=1, iterations=1)
    ratio, peak = _median(ours, "cpu") / _median(peer, "cpu"), max(run["peak_mb"] for run in ours)
    benchmark.extra_info.update(ratio=ratio, peak_mb=peak)
    with capsys.disabled():
        print(f"\n{ROWS:,} rows, {'five columns failing throughout' if dirty else 'clean'}:")
        print(_shown("mltest.tables", ours), _shown("one query by hand", peer), sep="\n")
        print(f"  CPU {ratio:.2f} times the query's (allowed {ALLOWED}), {peak:.0f} MB (allowed {ALLOWED_MB})")
    wanted = BROKEN_COLUMNS * ROWS if dirty else 0
    assert {run["violations"] for run in (*ours, *peer)} == {wanted}
    assert ratio <= ALLOWED
    assert peak < ALLOWED_MB


@pytest.mark.parametrize("dirty", [False, True], ids=["clean", "dirty"])
def test_a_million_rows_beside_pandera_and_great_expectations(benchmark, tmp_path, capsys, dirty):
    path = tmp_path / "table.parquet"
    rule_tables.write(path, FEWER_ROWS, dirty=dirty)
    names = ("hand_written", "mltest_tables", "pandera_on_pandas", "great_expectations")
    found: dict[str, Taken | None] = {}

    def once() -> None:
        for name in names:
            try:
                found[name] = _measured(name, path)
            except subprocess.TimeoutExpired:
                found[name] = None

    benchmark.pedantic(once, rounds=1, iterations=1)
    with capsys.disabled():
        print(f"\n{FEWER_ROWS:,} rows, {'five columns failing throughout' if dirty else 'clean'}:")
        for name in names:
            taken = found[name]
            print(f"  {name:<20} gave up after {PATIENCE_S} s" if taken is None else _shown(name, [taken]))
    wanted = BROKEN_COLUMNS * FEWER_ROWS if dirty else 0
    assert {taken["violations"] for taken in found.values() if taken is not None} == {wanted}
