"""The reference system as its auditor sees it: one function that gives a System, and one for a small sample of it.

Nothing is computed when a System is built, and what only training needs is loaded by what trains. Features and the
champion are made when a probe first asks for them, kept in the cache under a digest of everything that they depend on,
and registered in a registry that belongs to the run.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.system import FeatureInfo, Judgement, ModelInfo, RawColumn, Roles, System, SystemRef
from reference_system import (
    catalogue,
    digest,
    feature_cache,
    features,
    flights,
    gate,
    history,
    raw,
    records,
    registry,
    replay,
    serving,
)
from reference_system.artifact import Artifact
from reference_system.config import Preset, preset
from reference_system.registry import CHAMPION, Registry
from reference_system.runtime import Predictor

FED_AHEAD = timedelta(days=2)


def system(ref: SystemRef) -> System:
    """The whole system: all three airports, the shipped configuration."""
    return _system(ref, preset("full"))


def sample(ref: SystemRef) -> System:
    """A small sample that stands on its own: one airport, fewer epochs."""
    return _system(ref, preset("sample"))


def _system(ref: SystemRef, chosen: Preset) -> System:
    place = Workplace(ref.workdir, ref.cache or ref.workdir / "cache", chosen, ref.seed)
    return System(
        name="eta" if chosen.name == "full" else f"eta-{chosen.name}",
        task="regression",
        environment="staging",
        experiments=True,
        data=EtaData(place),
        features=EtaFeatures(place),
        training=EtaTraining(chosen),
        model=Champion(place),
        registry=place.registry,
        gate=EtaGate(place),
        serving=EtaServing(place),
        digests=Digests(place),
    )


@dataclass(frozen=True)
class Workplace:
    """Where one system keeps what is its own, and what it shares with others of equal content."""

    workdir: Path
    cache: Path
    preset: Preset
    seed: int

    @cached_property
    def raw(self) -> Mapping[str, pa.Table]:
        return raw.load(origins=self.preset.origins)

    @cached_property
    def table(self) -> pa.Table:
        """The feature table of the whole year; flights without a label (diverted) are left to the raw tables."""
        with _locked(self.cache / "features.lock"):
            table = feature_cache.load(self.cache, self.raw)
        return table.filter(pc.is_valid(table[features.TARGET]))

    @cached_property
    def home(self) -> Path:
        """Registry and logs of this very system; another code or configuration never finds them."""
        return self.workdir / f"{self.preset.name}-{self.key}"

    @cached_property
    def registry(self) -> Registry:
        return registry.of_home(self.home)

    @cached_property
    def key(self) -> str:
        """Digest of what decides the champion: raw files, code, configuration, seed and libraries."""
        parts = {
            "raw": {path.name: digest.of_file(path) for path in sorted(raw.FOLDER.glob("*.parquet"))},
            "code": {path.name: digest.of_file(path) for path in sorted(Path(__file__).parent.glob("*.py"))},
            "preset": self.preset.name,
            "config": self.preset.config.as_mapping(),
            "environment": digest.environment(),
            "seed": self.seed,
        }
        return digest.of_plain(parts)[:24]

    def champion(self) -> Artifact:
        """The artefact that serves: the registry's champion, trained once when there is none.

        Raises RuntimeError when the gate refuses what was trained.
        """
        found = self.registry.champion()
        if found is not None:
            return found
        home = self.cache / f"eta-{self.key}"
        with _locked(self.cache / f"{home.name}.lock"):
            trained = registry.of_home(home).champion()
            if trained is None:
                from reference_system import pipeline

                with _shared_features(self.cache, home):
                    outcome = pipeline.run(home, self.raw, self.preset, seed=self.seed)
                if not outcome.judgement.accepted:
                    raise RuntimeError(f"the gate refused the champion: {'; '.join(outcome.judgement.reasons)}")
                trained = outcome.artifact
            version = self.registry.register(trained)
            self.registry.set_alias(CHAMPION, version)
        return self.registry.artifact(version)


class EtaData:
    """Flights with known arrival, by the months of the splits."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self.roles = Roles(
            target=features.TARGET,
            inputs=_inputs(place.preset),
            time="pushed_back_at",
            block="day",
            keys=("flight_id",),
            groups=("carrier", "origin", "haul"),
            slices=("carrier", "origin", "dest", "haul"),
            entity=RawColumn("flights", "carrier"),
            outcome=RawColumn("flights", "arr_delay"),
        )
        self._as_it_stood = lru_cache(maxsize=4)(self._known_at)

    def dataset(self, split: str) -> pa.Table:
        if split not in features.SPLITS:
            raise KeyError(f"no split {split!r}: there are {', '.join(features.SPLITS)}")
        if split == "train":
            return features.training_rows(self._place.table, self._place.preset.train_from)
        return features.split(self._place.table, split)

    def raw(self, window: tuple[datetime, datetime] | None = None) -> Mapping[str, pa.Table]:
        """All raw tables; with a window, as they stood when it ended, without the timetable of later days."""
        return self._place.raw if window is None else self._as_it_stood(window[1])

    def _known_at(self, moment: datetime) -> Mapping[str, pa.Table]:
        tables = self._place.raw
        so_far = tables["flights"].filter(pc.less_equal(tables["flights"]["date"], pa.scalar(moment.date())))
        return history.known_at({**tables, "flights": so_far}, moment)

    @property
    def schema(self) -> Mapping[str, Any]:
        from reference_system import schema  # its library takes longer to load than all the rest together

        return {"dataset" if name == "features" else name: found for name, found in schema.SCHEMAS.items()}


class EtaFeatures:
    """The batch path; a table that was computed before, from the same rows by the same code, is not computed again."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @property
    def catalogue(self) -> Sequence[FeatureInfo]:
        return tuple(
            FeatureInfo(
                name=feature.name,
                dtype=feature.dtype,
                source=feature.source,
                owner=feature.owner,
                available_at=feature.available_at,
                group=feature.group,
                nullable=feature.nullable,
                sensitivity=feature.sensitivity,
                deprecated_after=None if feature.deprecated_after is None else feature.deprecated_after.isoformat(),
                cost_budget_us=feature.cost_budget_us,
            )
            for feature in catalogue.FEATURES
        )

    def compute(self, raw: Mapping[str, pa.Table], at: tuple[datetime, datetime] | None = None) -> pa.Table:
        return feature_cache.load(self._place.cache, raw, at)


class EtaTraining:
    """Trains the net."""

    def __init__(self, chosen: Preset) -> None:
        self._preset = chosen

    @property
    def config(self) -> Mapping[str, Any]:
        return self._preset.config.overridden({"inputs": _inputs(self._preset)}).as_mapping()

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        from reference_system import training

        return training.train(dataset, seed=seed, config=self._preset.config.overridden(config), workdir=workdir)

    def load(self, artifact: Artifact) -> Predictor:
        return Predictor.of(artifact)


class Champion:
    """The champion in the runtime that serves it, trained when it is first asked."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor.of(self._place.champion())

    @property
    def metadata(self) -> ModelInfo:
        said = self._predictor.metadata
        return ModelInfo(said.version, said.digest, said.trained_until, said.inputs)

    def predict(self, batch: pa.Table) -> np.ndarray:
        return self._predictor.predict(batch)

    def trace(self, batch: pa.Table) -> Mapping[str, np.ndarray]:
        return self._predictor.trace(batch)


class EtaGate:
    """The gate, on the validation months and against the champion."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    def judge(self, artifact: Artifact) -> Judgement:
        rows = features.split(self._place.table, "validation")
        judged = gate.judge(artifact, self._place.registry.champion(), rows)
        return Judgement(judged.accepted, judged.reasons)


class EtaServing:
    """A server process of one's own, on this machine."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[LiveHandle]:
        """Starts with everything known before `as_of` (default: when the holdout begins) and hears the rest live."""
        if version is None:
            self._place.champion()
        first = features.SPLITS["holdout"][0]
        begin = as_of or datetime(first.year, first.month, first.day, tzinfo=UTC)
        place = self._place
        with serving.start(place.home, workdir, as_of=begin, version=version, origins=place.preset.origins) as handle:
            yield LiveHandle(handle, place.raw, begin)

    def records(self, raw: Mapping[str, pa.Table], window: tuple[datetime, datetime]) -> Sequence[Mapping[str, Any]]:
        return replay.requests(raw, window)


class LiveHandle:
    """A running server that hears push-backs, landings and weather up to the moment of each request."""

    def __init__(self, handle: serving.Handle, tables: Mapping[str, pa.Table], begin: datetime) -> None:
        self.url = handle.url
        self._handle = handle
        self._raw = tables
        self._told_until = begin
        self._read_until = begin
        self._coming: list[replay.Event] = []

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Answers to raw records; what became known before the latest of them is told to the server first."""
        if records:
            self._tell(_latest(records))
        return self._handle.predict(records)

    def request_log(self, since: datetime | None = None) -> pa.Table:
        return self._handle.request_log(since)

    def _tell(self, until: datetime) -> None:
        while self._read_until < until:
            ahead = max(until, self._read_until + FED_AHEAD)
            self._coming += replay.feed(self._raw, (self._read_until, ahead))
            self._read_until = ahead
        due = [event for event in self._coming if event.at < until]
        self._coming = self._coming[len(due) :]
        for table in dict.fromkeys(event.table for event in due):
            self._handle.observe(table, [event.row for event in due if event.table == table])
        self._told_until = max(self._told_until, until)


class Digests(Mapping[str, str]):
    """Digests of model, data and configuration, computed when they are read; no model is trained for them."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @cached_property
    def _found(self) -> dict[str, str]:
        files = {path.name: digest.of_file(path) for path in sorted(raw.FOLDER.glob("*.parquet"))}
        found = {"data": digest.of_plain(files), "config": digest.of_plain(self._place.preset.config.as_mapping())}
        champion = self._place.registry.champion()
        return found if champion is None else {"model": champion.digest, **found}

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _inputs(chosen: Preset) -> tuple[str, ...]:
    return chosen.config.inputs or tuple(feature.name for feature in catalogue.FEATURES)


def _latest(asked: Sequence[Mapping[str, Any]]) -> datetime:
    moments = flights.departure_instants(records.columns_of_records(asked))["pushed_back_at"]
    return datetime.fromtimestamp(float(np.nanmax(moments.astype(np.float64))), UTC)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time: what is made once is not made by every worker."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _shared_features(cache: Path, home: Path) -> Iterator[None]:
    """Lets a home find the feature tables that the cache already holds."""
    home.mkdir(parents=True, exist_ok=True)
    shared = cache / feature_cache.FOLDER
    shared.mkdir(parents=True, exist_ok=True)
    link = home / feature_cache.FOLDER
    if not link.exists():
        os.symlink(shared.resolve(), link)
    yield
