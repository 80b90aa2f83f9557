"""Failures handed to every stage of a pipeline: each must end in an error, and none in something that is served."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import Withheld
from mltest.probes import artifact_damage, pipeline_answers
from mltest.probes.pipeline_requests import Record
from mltest.probes.pipeline_run import PipelineRun, in_service
from mltest.probes.row_digests import digest_of_rows, row_digests
from mltest.system import Artifact, Model
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

NEVER_TRAINED = "never-trained"
MOST_COLUMNS = 3
"""Raw columns that are taken away, one at a time."""

_SAMPLE = 200
_FEW_WORDS = 0.25


@dataclass(frozen=True)
class Injected:
    """How many failures were tried, and those that were swallowed, each as a clause."""

    tried: int
    went_on: tuple[str, ...]


class _OutOfReach(Exception):  # noqa: N818 - it says what happened, and is no error
    """A failure that this system cannot be handed from outside."""


def inject(run: PipelineRun) -> Injected:
    """Hands over every failure, and finds those after which a stage went on as if nothing had happened.

    Raw rows, a raw column and the target are taken away, the artifact is lost or gets other bytes, a version is asked
    for that does not exist or that nothing can read, and a request has a word for a number.
    """
    injections: Mapping[str, Callable[[], object]] = {
        "the raw table was empty and training still gave an artifact": lambda: _trained_on_nothing(run),
        **{
            f"the raw column {name} was gone and training still gave an artifact": _without_source(run, name)
            for name in _source_columns(run)
        },
        "the features had no target and training still gave an artifact": lambda: _trained_without_target(run),
        "the artifact was no file and the gate accepted it": lambda: _judged(run),
        "the artifact was no file and the registry took it": lambda: run.parts.registry.register(_missing(run)),
        "the artifact had other bytes than its digest says and the registry gave a model that answers": (
            lambda: _altered_answers(run)
        ),
        "an unknown version was to be served and a server answered": lambda: _served(run, NEVER_TRAINED, "unknown"),
        "the file of the version to be served was unreadable and a server answered": lambda: _served_unreadable(run),
        "a request had a word in place of a number and got an ordinary answer": lambda: _malformed(run),
    }
    serving = in_service(run.parts.registry)
    outcomes = {clause: _goes_on(inject) for clause, inject in injections.items()}
    went_on = [clause for clause, goes_on in outcomes.items() if goes_on]
    published = set(run.parts.registry.versions()) - set(run.versions_before) - {run.version, _altered_name(run)}
    if published:
        went_on.append(f"a run failed and the version {', '.join(sorted(published))} was published")
    moved = [name for name, version in in_service(run.parts.registry).items() if serving[name] != version]
    if moved:
        went_on.append(f"a run failed and {', '.join(moved)} was moved to what it left")
    return Injected(sum(goes_on is not None for goes_on in outcomes.values()), tuple(went_on))


def _goes_on(inject: Callable[[], object]) -> bool | None:
    """Whether the injection ends without an error and with a result; None where it could not be made."""
    try:
        return bool(inject())
    except Withheld:
        raise
    except _OutOfReach:
        return None
    except Exception:
        return False


def _trained_on_nothing(run: PipelineRun) -> Artifact:
    table = run.parts.data.roles.entity.table
    emptied: dict[str, Any] = {**run.planting.raw, table: run.planting.raw[table].slice(0, 0)}
    return _trained(run, to_arrow(run.parts.features.compute(emptied, run.chosen.learn)), "emptied")


def _trained_without_target(run: PipelineRun) -> Artifact:
    return _trained(run, run.features.drop_columns([run.parts.data.roles.target]), "no-target")


def _trained(run: PipelineRun, rows: Any, name: str) -> Artifact:
    folder = run.workdir / name
    folder.mkdir()
    artifact: Artifact = run.parts.training.train(rows, seed=0, config=run.config, workdir=folder)
    return artifact


def _source_columns(run: PipelineRun) -> tuple[str, ...]:
    """Raw columns that requests carry too, those called like an input first; who, when and what came out stay."""
    roles = run.parts.data.roles
    kept = {roles.entity.column, roles.outcome.column, roles.target, roles.time, *roles.keys}
    names = [n for n in run.planting.raw[roles.entity.table].column_names if n in run.records[0] and n not in kept]
    return tuple(sorted(names, key=lambda name: name not in roles.inputs)[:MOST_COLUMNS])


def _without_source(run: PipelineRun, name: str) -> Callable[[], object]:
    return lambda: _trained_without_source(run, name)


def _trained_without_source(run: PipelineRun, name: str) -> Artifact:
    """What was trained although a raw column was lost and an input is not what it was.

    An input that may be missing by the catalogue, and is, has said so.
    """
    table = run.parts.data.roles.entity.table
    raw = {**run.planting.raw, table: run.planting.raw[table].drop_columns([name])}
    rows = to_arrow(run.parts.features.compute(raw, run.chosen.learn))
    inputs = tuple(run.trained.metadata.inputs) or tuple(run.parts.data.roles.inputs)
    nullable = {info.name for info in run.parts.features.catalogue if info.nullable}
    changed = [each for each in inputs if each in run.features.column_names and not _alike(run.features, rows, each)]
    if all(each in nullable and _is_missing(rows, each) for each in changed):
        raise _OutOfReach
    return _trained(run, rows, f"without-{name}")


def _alike(before: pa.Table, after: pa.Table, name: str) -> bool:
    if name not in after.column_names:
        return False
    return digest_of_rows(row_digests(before, [name])) == digest_of_rows(row_digests(after, [name]))


def _is_missing(rows: pa.Table, name: str) -> bool:
    import pyarrow.compute as pc

    return name in rows.column_names and bool(pc.all(pc.is_null(rows.column(name), nan_is_null=True)).as_py())


def _missing(run: PipelineRun) -> Artifact:
    return replace(run.artifact, path=run.workdir / "nowhere", version=NEVER_TRAINED, digest="0" * 64)


def _judged(run: PipelineRun) -> bool:
    return run.parts.gate is not None and bool(run.parts.gate.judge(_missing(run)).accepted)


def _altered_name(run: PipelineRun) -> str:
    return f"{run.artifact.version}-altered"


def _altered_answers(run: PipelineRun) -> bool:
    """Whether other bytes come through as a model. A gate that refuses just them is an error that surfaced."""
    altered = artifact_damage.altered_copy(run.artifact, run.workdir / "altered", _altered_name(run))
    if run.judgement is not None and run.judgement.accepted and not run.parts.gate.judge(altered).accepted:
        return False
    return not _answers_as_trained(run, run.parts.registry.load(run.parts.registry.register(altered)))


def _served_unreadable(run: PipelineRun) -> bool:
    """Whether anything answers for a version whose every copy in the system's own folder is damaged for a while."""
    files = artifact_damage.copies(artifact_damage.main_file(run.artifact), run.root)
    with artifact_damage.unreadable(files):
        try:
            model = run.parts.registry.load(run.version)
        except Exception:
            return _served(run, run.version, "unreadable")
        if _answers_as_trained(run, model):
            raise _OutOfReach
        return True


def _answers_as_trained(run: PipelineRun, model: Model) -> bool:
    rows = run.features.slice(0, _SAMPLE)
    trained, answered = (pipeline_answers.predicted(each, rows, run) for each in (run.trained, model))
    spread = float(np.nanstd(trained))
    return bool(np.allclose(trained, answered, rtol=0, atol=pipeline_answers.CONTRACT * spread, equal_nan=True))


def _served(run: PipelineRun, version: str, name: str) -> bool:
    folder = run.workdir / name
    folder.mkdir()
    with run.parts.serving.start(folder, version=version, as_of=run.chosen.served_from) as handle:
        return len(handle.predict(run.records[:1])) > 0


def _malformed(run: PipelineRun) -> bool:
    """Whether the malformed request got a number, and nothing that well-formed ones did not get too.

    A server that answers as it did to the whole record does not read that field.
    """
    malformed = run.served.malformed
    if malformed is None:
        raise _OutOfReach
    if malformed.answer is None:
        return False
    answered = pipeline_answers.number(malformed.answer["prediction"], run)
    if answered == pipeline_answers.number(run.served.ordinary[0]["prediction"], run):
        raise _OutOfReach
    return math.isfinite(answered) and not _is_flagged(malformed.answer, malformed.field, run.served.ordinary)


def _is_flagged(answer: Record, field: str, ordinary: Sequence[Record]) -> bool:
    """Whether an answer names the field, or says what no ordinary answer does where those say little else."""
    for name, value in answer.items():
        known = {str(other.get(name)) for other in ordinary}
        if name == "prediction" or str(value) in known:
            continue
        if field in str(value) or len(known) <= len(ordinary) * _FEW_WORDS:
            return True
    return False
