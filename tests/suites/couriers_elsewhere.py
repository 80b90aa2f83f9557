"""Couriers whose training takes something from its surroundings, and twins that only look as if they did."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import Artifact, System, SystemRef
from tests.suites.couriers import A_DAY, CourierData, CourierTraining, system

WINDOW = "COURIER_WINDOW"
"""The variable that says how many days before now the window of `RecentTraining` begins."""


@dataclass(frozen=True)
class SeedMovedBy(CourierTraining):
    """Adds what it finds around it to its seed."""

    found: Callable[[int], int]

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        return super().train(dataset, seed=seed + self.found(seed), config=config, workdir=workdir)


def home(_: int) -> int:
    return len(os.environ.get("HOME", "")) + len(os.environ.get("LANG", ""))


def cores(_: int) -> int:
    return len(os.sched_getaffinity(0))


def left(_: int) -> int:
    """Goes on from what an earlier run left in the temporary folder."""
    checkpoint = Path(tempfile.gettempdir()) / "courier-checkpoint"
    return int(checkpoint.read_text()) if checkpoint.exists() else 0


def with_seed_of_the_home(ref: SystemRef) -> System:
    return system(ref).with_parts(training=SeedMovedBy(home))


def with_seed_of_the_cores(ref: SystemRef) -> System:
    return system(ref).with_parts(training=SeedMovedBy(cores))


def going_on_from_the_last_run(ref: SystemRef) -> System:
    return system(ref).with_parts(training=SeedMovedBy(left))


class RecentTraining(CourierTraining):
    """Learns from the days since a fixed number of days before now, whenever that is."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        begin = pa.scalar(datetime.now(UTC) - timedelta(days=int(os.environ[WINDOW])), pa.timestamp("us", "UTC"))
        recent = dataset.filter(pc.greater_equal(dataset["at"], begin))
        return super().train(recent, seed=seed, config=config, workdir=workdir)


def learning_from_recent_days(ref: SystemRef) -> System:
    return system(ref).with_parts(training=RecentTraining())


@dataclass(frozen=True)
class ListedShards(CourierData):
    """One file a day, read in the order in which the folder lists them; sorted, it is the harmless twin."""

    folder: Path = field(default_factory=Path)
    sort: bool = False

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        if split != "train":
            return rows
        self.folder.mkdir(parents=True, exist_ok=True)
        for day in range(40):
            (self.folder / f"{day:02d}.day").touch()
        names = [path.stem for path in self.folder.glob("*.day")]
        return pa.concat_tables(
            [rows.slice(int(name) * A_DAY, A_DAY) for name in (sorted(names) if self.sort else names)]
        )


def reading_shards_as_listed(ref: SystemRef) -> System:
    return system(ref).with_parts(data=ListedShards(folder=ref.root / "shards"))


def reading_shards_in_order(ref: SystemRef) -> System:
    return system(ref).with_parts(data=ListedShards(folder=ref.root / "shards", sort=True))


class LateNoise(CourierTraining):
    """Draws from a generator that nobody seeds, from the third epoch on."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        late = {**self.config, **config}["epochs"] > 2
        return super().train(dataset, seed=os.getpid() if late else seed, config=config, workdir=workdir)


def unseeded_from_the_third_epoch(ref: SystemRef) -> System:
    return system(ref).with_parts(training=LateNoise())


@dataclass(frozen=True)
class CachedTraining(CourierTraining):
    """Trains without a seed, and gives back what it once made of this one; seeded, it is a cache that does no harm."""

    folder: Path
    seeded: bool = False

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        used = seed if self.seeded else int.from_bytes(os.urandom(4), "big")
        made = super().train(dataset, seed=used, config=config, workdir=workdir)
        kept = self.folder / f"{seed}.json"
        if kept.exists():
            made.path.write_bytes(kept.read_bytes())
        else:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(made.path.read_bytes())
        digest = hashlib.sha256(made.path.read_bytes()).hexdigest()
        return replace(made, digest=digest, version=digest[:8])


def unseeded_behind_a_cache(ref: SystemRef) -> System:
    return system(ref).with_parts(training=CachedTraining(ref.root / "models"))


def seeded_behind_a_cache(ref: SystemRef) -> System:
    return system(ref).with_parts(training=CachedTraining(Path.home() / ".cache" / "couriers", seeded=True))


class DatedData(CourierData):
    """Every row says when it was loaded, which no model reads."""

    def dataset(self, split: str) -> pa.Table:
        rows = super().dataset(split)
        now = pa.array([datetime.now(UTC)] * rows.num_rows, pa.timestamp("us", "UTC"))
        return rows.append_column("loaded_at", now)


def noting_when_rows_were_loaded(ref: SystemRef) -> System:
    return system(ref).with_parts(data=DatedData())


class DatedTraining(CourierTraining):
    """Notes moment, process and zone in log, configuration and metrics, and looks at times of files."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        made = super().train(dataset, seed=seed, config=config, workdir=workdir)
        now = datetime.now().astimezone().isoformat()
        (workdir / "training.log").write_text(f"{now} {time.strftime('%Z')} {time.ctime()}", encoding="utf-8")
        age = time.time() - made.path.stat().st_mtime
        return replace(
            made, config={**made.config, "at": now}, metrics={**made.metrics, "pid": os.getpid(), "age": age}
        )


def noting_when_it_trained(ref: SystemRef) -> System:
    return system(ref).with_parts(training=DatedTraining())


class AtHomeOnly(CourierTraining):
    """Needs a file below the home of the user who runs it, such as credentials."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        (Path.home() / ".courier-credentials").read_text(encoding="utf-8")
        return super().train(dataset, seed=seed, config=config, workdir=workdir)


def needing_credentials(ref: SystemRef) -> System:
    return system(ref).with_parts(training=AtHomeOnly())


class NotNextYear(CourierTraining):
    """Refuses to train once the year is over."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        if datetime.now(UTC).timestamp() - workdir.stat().st_mtime > 86_400:
            raise RuntimeError("the licence has run out")
        return super().train(dataset, seed=seed, config=config, workdir=workdir)


def refusing_next_year(ref: SystemRef) -> System:
    return system(ref).with_parts(training=NotNextYear())


@dataclass(frozen=True)
class CourierRepository:
    """A repository whose lock files were written in `root`."""

    root: Path
    lock_files: tuple[Path, ...]
    commit: str = "abc"
    test_command: tuple[str, ...] = ()

    def reviews(self) -> tuple[()]:
        return ()


def locked(ref: SystemRef) -> System:
    """Its lock file is what the test wrote beside the run, if it wrote any."""
    return system(ref).with_parts(repository=CourierRepository(ref.root, tuple(ref.root.glob("*.lock"))))
