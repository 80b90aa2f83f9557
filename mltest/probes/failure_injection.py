"""Failures handed to every stage of a pipeline: each must end in an error, and none in something that is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mltest.evidence import Withheld
from mltest.probes.pipeline_run import PipelineRun
from mltest.system import Artifact
from mltest.tables.rows import to_arrow


@dataclass(frozen=True)
class Injected:
    """How many failures were tried, and those that were swallowed, each as a clause."""

    tried: int
    went_on: tuple[str, ...]


NEVER_TRAINED = "never-trained"


def inject(run: PipelineRun) -> Injected:
    """The failures, each as a clause, after which a stage went on as if nothing had happened.

    Raw rows are taken away, the target is, the artifact file is, and a version is asked for that does not exist.
    """
    injections: Mapping[str, Callable[[], object]] = {
        "the raw table was empty and training still gave an artifact": lambda: _trained_on_nothing(run),
        "the features had no target and training still gave an artifact": lambda: _trained_without_target(run),
        "the artifact was no file and the gate accepted it": lambda: _judged(run),
        "the artifact was no file and the registry took it": lambda: run.parts.registry.register(_missing(run)),
        "an unknown version was to be served and a server answered": lambda: _served_unknown(run),
    }
    went_on = [clause for clause, inject in injections.items() if _goes_on(inject)]
    published = set(run.parts.registry.versions()) - set(run.versions_before) - {run.version}
    if published:
        went_on.append(f"a run failed and the version {', '.join(sorted(published))} was published")
    return Injected(len(injections), tuple(went_on))


def _goes_on(inject: Callable[[], object]) -> bool:
    """Whether the injection ends without an error and with a result."""
    try:
        return bool(inject())
    except Withheld:
        raise
    except Exception:
        return False


def _trained_on_nothing(run: PipelineRun) -> Artifact:
    roles = run.parts.data.roles
    table = roles.entity.table
    emptied: dict[str, Any] = {**run.planting.raw, table: run.planting.raw[table].slice(0, 0)}
    return _trained(run, to_arrow(run.parts.features.compute(emptied, run.chosen.learn)), "emptied")


def _trained_without_target(run: PipelineRun) -> Artifact:
    return _trained(run, run.features.drop_columns([run.parts.data.roles.target]), "no-target")


def _trained(run: PipelineRun, rows: Any, name: str) -> Artifact:
    folder = run.workdir / name
    folder.mkdir()
    artifact: Artifact = run.parts.training.train(rows, seed=0, config=run.config, workdir=folder)
    return artifact


def _missing(run: PipelineRun) -> Artifact:
    return replace(run.artifact, path=run.workdir / "nowhere", version=NEVER_TRAINED, digest="0" * 64)


def _judged(run: PipelineRun) -> bool:
    return run.parts.gate is not None and bool(run.parts.gate.judge(_missing(run)).accepted)


def _served_unknown(run: PipelineRun) -> bool:
    folder = run.workdir / "unknown"
    folder.mkdir()
    records = run.parts.serving.records(run.parts.data.raw(run.chosen.whole), run.chosen.serve)[:1]
    with run.parts.serving.start(folder, version=NEVER_TRAINED, as_of=run.chosen.served_from) as handle:
        return len(handle.predict(records)) > 0
