"""How often a check alarms where nothing is wrong: it is run on fresh healthy systems, and every alarm is counted.

    python -m mltest.faults.false_alarms PLAN.toml RESULTS.json --runs 60

The plan names for each item a source of healthy systems, one a seed. What was counted before is kept as long as the
probe's code is the same, so that a stopped count goes on where it stopped. 0 alarms in 59 runs prove a rate of at most
5 %, 3 in 60 only one of 12.4 % (Clopper and Pearson 1934, one-sided, 95 %).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from mltest.faults import probe_code, trial
from mltest.stats.rates import upper_bound
from mltest.system import SystemRef

QUIET, ALARM = "quiet", "false_alarm"


@dataclass(frozen=True)
class HealthyRun:
    """What one item made of the healthy system of one seed: `quiet`, `false_alarm`, `lost_evidence` or `error`."""

    seed: int
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class Count:
    """All healthy runs of one item on one kind of system, with the digest of the code that judged them."""

    item: str
    source: str
    probe: str
    runs: tuple[HealthyRun, ...] = ()

    @property
    def alarms(self) -> int:
        return sum(run.outcome == ALARM for run in self.runs)

    @property
    def lost(self) -> int:
        """Runs that ended without a verdict."""
        return sum(run.outcome not in (QUIET, ALARM) for run in self.runs)

    @property
    def bound(self) -> float:
        """With 95 % confidence the rate of false alarms is no higher."""
        return upper_bound(self.alarms, len(self.runs))

    def line(self) -> str:
        """Such as `model.slices on tests.suites.ferries:drawn: 0 alarms in 60 runs, at most 4.9 %`."""
        lost = f", {self.lost} without a verdict" if self.lost else ""
        many = "1 alarm" if self.alarms == 1 else f"{self.alarms} alarms"
        return f"{self.item} on {self.source}: {many} in {len(self.runs)} runs{lost}, at most {self.bound:.1%}"


def planned(plan: Path) -> tuple[Count, ...]:
    """The empty counts that a plan asks for, with the digest of each probe as it is now."""
    populations = tomllib.loads(plan.read_text(encoding="utf-8"))["population"]
    return tuple(
        Count(each["item"], each["source"], probe_code.digest_of(trial.suite_of(each["item"]))) for each in populations
    )


def load(results: Path) -> tuple[Count, ...]:
    """What was counted so far; nothing where there is no file yet."""
    if not results.exists():
        return ()
    counts = json.loads(results.read_text(encoding="utf-8"))["counts"]
    return tuple(Count(**{**each, "runs": tuple(HealthyRun(**run) for run in each["runs"])}) for each in counts)


def save(counts: Iterable[Count], results: Path) -> None:
    """Writes all counts to a temporary file and renames it, so that a stopped count loses nothing."""
    staged = results.with_suffix(".staged")
    staged.write_text(json.dumps({"counts": [asdict(count) for count in counts]}, indent=1) + "\n", encoding="utf-8")
    staged.replace(results)


def counted(start: Count, runs: int, root: Path, workdir: Path, at_a_time: int = 1) -> Iterator[Count]:
    """The count after each further run, until there are `runs` of them."""
    missing = [seed for seed in range(1, runs + 1) if seed not in {run.seed for run in start.runs}]
    made = list(start.runs)
    with ThreadPoolExecutor(at_a_time) as pool:
        for run in pool.map(partial(_run, start, root=root, workdir=workdir), missing):
            made.append(run)
            yield replace(start, runs=tuple(sorted(made, key=lambda each: each.seed)))


def _run(count: Count, seed: int, root: Path, workdir: Path) -> HealthyRun:
    ref = SystemRef(count.source, root, workdir / f"{count.item}-{seed}", seed=seed)
    ended = trial.run(ref, count.item)
    return HealthyRun(seed, ended.outcome, "" if ended.outcome == QUIET else ended.message)


def _merged(plan: Sequence[Count], before: Sequence[Count]) -> list[Count]:
    known = {(count.item, count.source, count.probe): count for count in before}
    return [known.get((count.item, count.source, count.probe), count) for count in plan]


def main(arguments: Sequence[str] | None = None) -> int:
    """Counts what is missing, shows each run as it ends, and prints the counts with their bounds at the end."""
    parser = argparse.ArgumentParser(prog="python -m mltest.faults.false_alarms", description=__doc__.splitlines()[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--runs", type=int, default=60, help="healthy runs an item (default 60)")
    parser.add_argument("--item", action="append", default=[], help="count only this item (repeatable)")
    parser.add_argument("--at-a-time", type=int, default=os.cpu_count() or 1, help="runs beside each other")
    given = parser.parse_args(arguments)
    counts = _merged(planned(given.plan), load(given.results))
    with tempfile.TemporaryDirectory(prefix="mltest-healthy-") as folder:
        for position, start in enumerate(counts):
            if given.item and start.item not in given.item:
                continue
            for count in counted(start, given.runs, Path.cwd(), Path(folder), given.at_a_time):
                counts[position] = count
                save(counts, given.results)
                print(f"\r{count.line()}", end="", flush=True)  # noqa: T201 - long work shows progress
            print(f"\r{counts[position].line()}")  # noqa: T201
    for run in (f"  {c.item}, seed {r.seed}: {r.message}" for c in counts for r in c.runs if r.outcome != QUIET):
        print(run)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
