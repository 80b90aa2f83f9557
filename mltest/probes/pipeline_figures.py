"""What a run of the pipeline shows: whether the nonce came through, from which model, and by which contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import Withheld
from mltest.probes import pipeline_answers, pipeline_following, pipeline_golden
from mltest.probes.judged_rows import column
from mltest.probes.outcomes import class_name
from mltest.probes.pipeline_following import Following
from mltest.probes.pipeline_golden import Golden
from mltest.probes.pipeline_run import PipelineRun
from mltest.stats.arrays import FloatArray
from mltest.stats.bootstrap import cluster_bootstrap

if TYPE_CHECKING:
    import pyarrow as pa

_NO_PART_OF_THE_MODEL = frozenset(
    {
        "epochs",
        "max_epochs",
        "batch_size",
        "seed",
        "workdir",
        "threads",
        "n_jobs",
        "device",
        "verbose",
        "rows",
        "inputs",
    }
)


@dataclass(frozen=True)
class NonceEffect:
    """What the marked entity's answers have of the planted shift, beyond the plain one's; 1 is all of it.

    `control` is the same for the plain entity against the ordinary ones, where nothing was planted. `shift` is in
    units of the target, `rows_reached` counts marked rows among the features.
    """

    share: float
    low: float
    high: float
    control: float
    shift: float
    rows_reached: int
    records: int


@dataclass(frozen=True)
class PipelineFigures:
    """Differences of predictions are in standard deviations of the ordinary answers.

    `misplaced` of `asked_alone` requests got another answer in a batch than alone.
    """

    effect: NonceEffect
    misplaced: int
    asked_alone: int
    golden: Golden
    following: Following
    other_versions: tuple[str, ...]
    digest_differs: bool
    served_difference: float
    registered_difference: float
    inputs_not_logged: tuple[str, ...]
    config_differences: tuple[str, ...]


def figures(run: PipelineRun) -> PipelineFigures:
    """Everything that can be read from one run. Raises Withheld where answers are no numbers."""
    ordinary, plain, marked = (
        pipeline_answers.served_numbers(answers, run)
        for answers in (run.served.ordinary, run.served.plain, run.served.marked)
    )
    spread = float(ordinary.std())
    if not spread > 0:
        raise Withheld("the server gives every request the same answer: nothing in it can be told apart")
    versions = {str(answer["version"]) for answer in run.served.answers}
    inputs = tuple(run.trained.metadata.inputs) or tuple(run.parts.data.roles.inputs)
    missing = tuple(name for name in inputs if name not in run.served.log.column_names)
    misplaced, asked_alone = pipeline_answers.misplaced(run, ordinary, spread)
    served, registered = pipeline_answers.contract(run, np.concatenate([ordinary, plain, marked]), spread, missing)
    return PipelineFigures(
        effect=_effect(run, ordinary, plain, marked),
        misplaced=misplaced,
        asked_alone=asked_alone,
        golden=pipeline_golden.golden(run, inputs, spread),
        following=pipeline_following.following(run, inputs),
        other_versions=tuple(sorted(versions - {run.version})),
        digest_differs=_digest_differs(run),
        served_difference=served,
        registered_difference=registered,
        inputs_not_logged=missing,
        config_differences=_config_differences(run),
    )


def blindness(found: PipelineFigures) -> str | None:
    """Why something would show nothing: a new value has the same effect without any planted outcome, for one."""
    if not found.asked_alone:
        return "the server answers the same request otherwise each time: nothing can be compared with it"
    if found.golden.problem is not None:
        return found.golden.problem
    effect = found.effect
    if abs(effect.control) <= abs(effect.share) / 2:
        return None
    return (
        f"an entity whose outcomes were not touched changes the answers by {effect.control:.2f} of the planted shift, "
        f"the marked one by {effect.share:.2f} beyond it: the answers to new values vary too much to tell them apart"
    )


def _effect(run: PipelineRun, ordinary: FloatArray, plain: FloatArray, marked: FloatArray) -> NonceEffect:
    reached, shift = _reached(run)
    share = (marked - plain) / shift
    estimate = cluster_bootstrap(share, np.arange(len(share)), seed=0)
    return NonceEffect(
        share=estimate.value,
        low=estimate.interval.low,
        high=estimate.interval.high,
        control=float(((plain - ordinary) / shift).mean()),
        shift=shift,
        rows_reached=reached,
        records=len(share),
    )


def _reached(run: PipelineRun) -> tuple[int, float]:
    """Marked rows among the features, and how far their target lies from the others', in units of the target.

    Where none is found, or the target did not move with the outcome, the planted shift itself is what has to show.
    """
    planting, target = run.planting, run.parts.data.roles.target
    if target not in run.features.column_names:
        return 0, planting.shift
    where = _rows_of(run.features, planting.column, planting.marked)
    values = _target_numbers(column(run.features, target), planting.wanted)
    known = np.isfinite(values)
    here, there = values[where & known], values[~where & known]
    if here.size == 0 or there.size == 0:
        return int(here.size), planting.shift
    moved = float(here.mean() - there.mean())
    return int(here.size), moved if abs(moved) > there.std() / 2 else planting.shift


def _rows_of(table: pa.Table, name: str, value: Any) -> Any:
    """A mask of the rows of one entity, by the column of its raw name, else by any column that holds the value."""
    names = [name] if name in table.column_names else table.column_names
    found = np.zeros(table.num_rows, dtype=bool)
    for each in names:
        cells = column(table, each)
        if cells.dtype == object or isinstance(value, int):
            found |= np.asarray(cells == value, dtype=bool)
    return found


def _target_numbers(values: Any, wanted: Any) -> FloatArray:
    if wanted is None:
        if values.dtype == object:
            raise Withheld("the target holds values that are no numbers, and the task asks for numbers: name another")
        return np.asarray(values, dtype=np.float64)
    return np.array([np.nan if (name := class_name(v)) is None else float(name == class_name(wanted)) for v in values])


def _digest_differs(run: PipelineRun) -> bool:
    digest = run.registered.metadata.digest
    return digest is not None and digest != run.artifact.digest


def _config_differences(run: PipelineRun) -> tuple[str, ...]:
    """Keys in which what was trained differs from what is shipped, or of which it says nothing; sizes, places left out.

    A key that the artifact does not tell may have had any value.
    """
    shipped, effective = run.parts.training.config, run.artifact.config
    decide = [key for key in shipped if key not in _NO_PART_OF_THE_MODEL | set(run.config)]
    return tuple(
        sorted(key for key in decide if key not in effective or _plain(shipped[key]) != _plain(effective[key]))
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
