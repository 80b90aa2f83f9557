"""How often a check alarms where nothing is wrong, and how often it finds a fault: both are counted, seed by seed.

    python -m mltest.faults.counting PLAN.toml RESULTS.json --healthy 60 --faulty 30

The plan names for each item a source of healthy systems, another one for every seed, and the faults to inject into
them at the dose that must be caught. What was counted before is kept as long as the code is the same, so that a stopped
count goes on where it stopped. 0 alarms in 59 runs prove a rate of at most 5 %, 3 in 60 only one of 12.4 %; 30 faults
found in 30 prove a power of at least 90.5 % (Clopper and Pearson 1934, one-sided, 95 %).
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

from mltest.faults import probe_code, registry, trial
from mltest.stats.rates import lower_bound, upper_bound
from mltest.system import SystemRef

TRIALS_A_PROCESS = 20
RIGHT = ("quiet", "caught")
"""Outcomes that a check should have: on a healthy system, and on a faulted one."""
WRONG = ("false_alarm", "fooled")
"""Outcomes that it must not have; what remains (withheld, lost evidence, an error) is no verdict."""


@dataclass(frozen=True)
class Run:
    """What one item made of the system of one seed, in the words of `mltest.faults.trial`."""

    seed: int
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class Count:
    """All runs of one item on one kind of system, with a fault or without, and the digest of the code that judged."""

    item: str
    source: str
    fault: str | None
    code: str
    runs: tuple[Run, ...] = ()

    def of(self, outcomes: Sequence[str]) -> int:
        """Runs that ended in one of these ways."""
        return sum(run.outcome in outcomes for run in self.runs)

    @property
    def bound(self) -> float:
        """With 95 % confidence the rate of false alarms is no higher, or that of faults found no lower."""
        if self.fault is None:
            return upper_bound(self.of(WRONG), len(self.runs))
        return lower_bound(self.of(RIGHT), len(self.runs))

    def line(self) -> str:
        """Such as `model.slices on tests.suites.ferries:drawn, healthy: 0 false alarms in 60 runs, at most 4.9%`."""
        of_all = f"in {len(self.runs)} runs"
        undecided = len(self.runs) - self.of(RIGHT) - self.of(WRONG)
        if undecided:
            of_all += f", {undecided} without a verdict"
        if self.fault is None:
            said = f"healthy: {self.of(WRONG)} false alarms {of_all}, at most {self.bound:.1%}"
        else:
            said = f"{self.fault}: {self.of(RIGHT)} times found {of_all}, at least {self.bound:.1%}"
        return f"{self.item} on {self.source}, {said}"


def planned(plan: Path) -> tuple[Count, ...]:
    """The empty counts that a plan asks for, with the digest of the code as it is now."""
    populations = tomllib.loads(plan.read_text(encoding="utf-8"))["population"]
    return tuple(
        Count(each["item"], each["source"], fault, _code(each["item"], fault))
        for each in populations
        for fault in (None, *each.get("faults", ()))
    )


def load(results: Path) -> tuple[Count, ...]:
    """What was counted so far; nothing where there is no file yet."""
    if not results.exists():
        return ()
    counts = json.loads(results.read_text(encoding="utf-8"))["counts"]
    return tuple(Count(**{**each, "runs": tuple(Run(**run) for run in each["runs"])}) for each in counts)


def save(counts: Iterable[Count], results: Path) -> None:
    """Writes all counts to a temporary file and renames it, so that a stopped count loses nothing."""
    staged = results.with_suffix(".staged")
    staged.write_text(json.dumps({"counts": [asdict(count) for count in counts]}, indent=1) + "\n", encoding="utf-8")
    staged.replace(results)


def counted(start: Count, runs: int, root: Path, workdir: Path, pool: Pool) -> Iterator[Count]:
    """The count after each further run, until there are `runs` of them."""
    missing = [seed for seed in range(1, runs + 1) if seed not in {run.seed for run in start.runs}]
    made = list(start.runs)
    for run in pool.imap(partial(run_once, start, root=root, workdir=workdir), missing):
        made.append(run)
        yield replace(start, runs=tuple(sorted(made, key=lambda each: each.seed)))


def run_once(count: Count, seed: int, root: Path, workdir: Path) -> Run:
    """One trial, in this process: what is imported once serves all trials that it makes."""
    ref = SystemRef(count.source, root, workdir / f"{count.item}-{count.fault}-{seed}", seed=seed)
    fault = None if count.fault is None else registry.find(count.fault).ref()
    ended = trial.run(ref, count.item, fault, in_process=True)
    return Run(seed, ended.outcome, "" if ended.outcome in RIGHT else ended.message)


def pool_of(processes: int) -> Pool:
    """Processes that make the trials, each replaced after a while so that none grows without end."""
    return get_context("spawn").Pool(processes, maxtasksperchild=TRIALS_A_PROCESS)


def _code(item: str, fault: str | None) -> str:
    suite, place = trial.suite_of(item), fault and inspect.getsourcefile(registry.find(fault).apply)
    return probe_code.digest_of(suite, *([Path(place)] if place else []))


def _merged(plan: Sequence[Count], before: Sequence[Count]) -> list[Count]:
    known = {replace(count, runs=()): count for count in before}
    return [known.get(count, count) for count in plan]


def main(arguments: Sequence[str] | None = None) -> int:
    """Counts what is missing, shows each run as it ends, and prints at the end what did not end as it should."""
    parser = argparse.ArgumentParser(prog="python -m mltest.faults.counting", description=__doc__.splitlines()[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--healthy", type=int, default=60, help="runs on healthy systems an item (default 60)")
    parser.add_argument("--faulty", type=int, default=30, help="runs on faulted systems a fault (default 30)")
    parser.add_argument("--item", action="append", default=[], help="count only this item (repeatable)")
    parser.add_argument("--at-a-time", type=int, default=os.cpu_count() or 1, help="runs beside each other")
    given = parser.parse_args(arguments)
    counts = _merged(planned(given.plan), load(given.results))
    with tempfile.TemporaryDirectory(prefix="mltest-counting-") as folder, pool_of(given.at_a_time) as pool:
        for position, start in enumerate(counts):
            if given.item and start.item not in given.item:
                continue
            runs = given.healthy if start.fault is None else given.faulty
            for count in counted(start, runs, Path.cwd(), Path(folder), pool):
                counts[position] = count
                save(counts, given.results)
                print(f"\r{count.line()}", end="", flush=True)  # noqa: T201 - long work shows progress
            print(f"\r{counts[position].line()}")  # noqa: T201
    for count in counts:
        for run in count.runs:
            if run.outcome not in RIGHT:
                print(f"  {count.item}, {count.fault or 'healthy'}, seed {run.seed}: {run.outcome}: {run.message}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
