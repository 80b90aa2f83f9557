"""One run of the whole pipeline, from raw rows with a nonce in them to answers of a server.

Nothing is put into service: the version is served by its name, aliases stay where they are, and are put back where
registering moved them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import pipeline_requests, raw_changes
from mltest.probes.nonce import Planting, plant
from mltest.probes.pipeline_requests import Served
from mltest.probes.pipeline_slice import ROWS, PipelineSlice, newest
from mltest.probes.raw_changes import RawChanges
from mltest.probes.stages import stage
from mltest.system import Artifact, Judgement, Model, Registry, System, SystemRef
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

RECORDS = 120
"""Requests that are sent three times: as they are, and in the name of either planted entity."""

ALIASES = ("champion", "challenger", "candidate", "previous", "production", "staging", "latest", "canary")
IN_SERVICE = ("champion", "production", "canary")
"""Aliases whose version answers somebody; the others may say no more than which is the newest."""

_STEP_KEYS = ("batch_size",)
_SMALLEST_BATCH = 128


@dataclass(frozen=True)
class PipelineRun:
    """Everything that one run made, stage by stage. `config` are the overrides that kept the number of steps.

    `features` are those of the planted rows to learn from, `batch` those of the untouched rows that were served;
    `root` is the folder that belongs to the system alone, `workdir` the run's own in it.
    """

    parts: PipelineParts
    chosen: PipelineSlice
    planting: Planting
    raw: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]]
    changes: RawChanges | None
    features: pa.Table
    batch: pa.Table
    artifact: Artifact
    config: Mapping[str, Any]
    judgement: Judgement | None
    version: str
    trained: Model
    registered: Model
    served: Served
    workdir: Path
    root: Path
    versions_before: tuple[str, ...]


@dataclass(frozen=True)
class PipelineParts:
    """The parts of a system that a pipeline needs; a gate is used where there is one."""

    data: Any
    features: Any
    training: Any
    registry: Any
    serving: Any
    gate: Any


def parts_of(system: System) -> PipelineParts:
    """The parts, watched as the system's are."""
    return PipelineParts(system.data, system.features, system.training, system.registry, system.serving, system.gate)


@dataclass(frozen=True)
class AliasRecord:
    """Where the aliases of a registry point, with the digest of the model behind each."""

    targets: Mapping[str, tuple[str, str | None]]

    def moved(self, registry: Registry) -> tuple[str, ...]:
        """The aliases that put a version into service and point elsewhere than they did."""
        now = in_service(registry)
        return tuple(name for name in now if now[name] != self.targets.get(name, (None, None))[0])

    def restore(self, registry: Registry) -> tuple[str, ...]:
        """Puts back every alias that moved, and returns those that still do not point at what they did."""
        for name, (version, _) in self.targets.items():
            if registry.alias(name) != version:
                registry.set_alias(name, version)
        now = aliases(registry).targets
        return tuple(name for name, target in self.targets.items() if now.get(name) != target)


def aliases(registry: Registry) -> AliasRecord:
    """The usual aliases that this registry has."""
    found: dict[str, tuple[str, str | None]] = {}
    for name in ALIASES:
        version = _target(registry, name)
        if version is not None:
            found[name] = (version, registry.load(version).metadata.digest)
    return AliasRecord(found)


def in_service(registry: Registry) -> dict[str, str | None]:
    """What the aliases that put a version into service point at."""
    return {name: _target(registry, name) for name in IN_SERVICE}


def _target(registry: Registry, name: str) -> str | None:
    try:
        return registry.alias(name)
    except PartFailure:
        # Some registries raise for an alias that nobody set.
        return None


def run(parts: PipelineParts, ref: SystemRef, deviation: float | None) -> PipelineRun:
    """Plants, computes, trains, judges, registers, serves and asks, in a new empty folder.

    `deviation` is the standard deviation of the target, None for classes. Raises Withheld when there is nothing to
    plant in or to ask, PartFailure naming the stage that broke.
    """
    roles = parts.data.roles
    chosen = newest(parts.data, ROWS[ref.effort])
    raw = parts.data.raw(chosen.whole)
    before = None if chosen.before is None else parts.data.raw(chosen.before)
    planting = plant(raw, roles, deviation=deviation, seed=ref.seed, before=before)
    records = _records(parts, raw, chosen, planting.column)
    changes = raw_changes.plan(raw, records, roles)
    ref.workdir.mkdir(parents=True, exist_ok=True)
    workdir = Path(tempfile.mkdtemp(prefix="integration-", dir=ref.workdir)).resolve()
    versions_before = tuple(parts.registry.versions())
    with stage("features"):
        features = to_arrow(parts.features.compute(planting.raw, chosen.learn))
        batch = to_arrow(parts.features.compute(raw, None if chosen.learn is None else chosen.serve))
    config = steps_kept(parts.training.config, chosen.share)
    with stage("training"):
        folder = workdir / "training"
        folder.mkdir()
        artifact = parts.training.train(features, seed=ref.seed, config=config, workdir=folder)
        trained = parts.training.load(artifact)
    with stage("gate"):
        judgement = None if parts.gate is None else parts.gate.judge(artifact)
    with stage("registry"):
        version = parts.registry.register(artifact)
        registered = parts.registry.load(version)
    with stage("serving"):
        folder = workdir / "serving"
        folder.mkdir()
        with parts.serving.start(folder, version=version, as_of=chosen.served_from) as handle:
            served = pipeline_requests.ask(handle, records, planting, changes, _numbers(parts, records[0]))
    return PipelineRun(
        parts=parts,
        chosen=chosen,
        planting=planting,
        raw=raw,
        records=records,
        changes=changes,
        features=features,
        batch=batch,
        artifact=artifact,
        config=config,
        judgement=judgement,
        version=version,
        trained=trained,
        registered=registered,
        served=served,
        workdir=workdir,
        root=ref.workdir,
        versions_before=versions_before,
    )


def steps_kept(config: Mapping[str, Any], share: float) -> dict[str, int]:
    """Smaller batches for fewer rows, so that a small slice is learnt from in as many steps as all rows are."""
    return {
        key: max(_SMALLEST_BATCH, round(config[key] * share))
        for key in _STEP_KEYS
        if isinstance(config.get(key), int) and config[key] > _SMALLEST_BATCH and share < 1
    }


def _records(
    parts: PipelineParts, raw: Mapping[str, Any], chosen: PipelineSlice, column: str
) -> list[Mapping[str, Any]]:
    with stage("serving"):
        records = list(parts.serving.records(raw, chosen.serve))
    if len(records) < RECORDS // 4:
        raise Withheld(
            f"{len(records)} requests can be made from the slice, {RECORDS // 4} are needed: offer more raw rows",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if column not in records[0]:
        raise Withheld(
            f"requests have no field {column!r}, so that nobody could ask for the nonce: name as roles.entity a raw "
            "column that a request carries too",
            ReasonCode.PART_MISSING,
        )
    positions = np.linspace(0, len(records) - 1, min(RECORDS, len(records))).round().astype(int)
    return [records[position] for position in positions.tolist()]


def _numbers(parts: PipelineParts, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields of a request that hold a number, the ones called like an input of the model first."""
    found = [name for name, value in record.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    return tuple(sorted(found, key=lambda name: name not in parts.data.roles.inputs))
