"""What a run of the pipeline shows: whether the nonce came through, from which model, and by which contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import Evidence, Measurement, Withheld
from mltest.probes.judged_rows import column
from mltest.probes.outcomes import class_name
from mltest.probes.pipeline_run import PipelineRun
from mltest.stats.arrays import FloatArray
from mltest.stats.bootstrap import cluster_bootstrap
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Model

CONTRACT = 1e-3
"""Difference of two answers to the same features, in standard deviations of the answers, that rounding may make."""

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
    """Differences of predictions are in standard deviations of the ordinary answers."""

    effect: NonceEffect
    other_versions: tuple[str, ...]
    digest_differs: bool
    served_difference: float
    registered_difference: float
    inputs_not_logged: tuple[str, ...]
    config_differences: tuple[str, ...]


def figures(run: PipelineRun) -> PipelineFigures:
    """Everything that can be read from one run. Raises Withheld where answers are no numbers."""
    ordinary, plain, marked = (
        _served_numbers(answers, run) for answers in (run.served.ordinary, run.served.plain, run.served.marked)
    )
    spread = float(ordinary.std())
    if not spread > 0:
        raise Withheld("the server gives every request the same answer: nothing in it can be told apart")
    versions = {str(answer["version"]) for answer in run.served.answers}
    inputs = tuple(run.trained.metadata.inputs) or tuple(run.parts.data.roles.inputs)
    missing = tuple(name for name in inputs if name not in run.served.log.column_names)
    served, registered = _contract(run, np.concatenate([ordinary, plain, marked]), spread, missing)
    return PipelineFigures(
        effect=_effect(run, ordinary, plain, marked),
        other_versions=tuple(sorted(versions - {run.version})),
        digest_differs=_digest_differs(run),
        served_difference=served,
        registered_difference=registered,
        inputs_not_logged=missing,
        config_differences=_config_differences(run),
    )


def record(
    evidence: Evidence, run: PipelineRun, found: PipelineFigures, swallowed: Sequence[str], moved: Sequence[str]
) -> None:
    """Measures everything; what decides has its limit here."""
    effect, rows = found.effect, len(run.served.answers)
    interval = (effect.low, effect.high)
    measure = evidence.measure
    measure("nonce_effect_share", effect.share, limit=0.3, better="higher", ci=interval, n=effect.records)
    measure("answers_of_other_versions", len(found.other_versions), limit=0, n=rows, unit="versions")
    measure("digest_differs", int(found.digest_differs), limit=0)
    measure("inputs_not_logged", len(found.inputs_not_logged), limit=0, unit="inputs")
    if not found.inputs_not_logged:
        measure("served_difference", found.served_difference, limit=CONTRACT, n=rows, unit="spreads")
        measure("registered_difference", found.registered_difference, limit=CONTRACT, n=rows, unit="spreads")
    measure("config_differences", len(found.config_differences), limit=0, unit="keys")
    measure("swallowed_failures", len(swallowed), limit=0, unit="failures")
    measure("aliases_not_restored", len(moved), limit=0, unit="aliases")
    measure("control_effect_share", effect.control, n=effect.records)
    measure("planted_rows_in_features", effect.rows_reached, n=run.planting.rows, unit="rows")
    if run.judgement is not None:
        measure("gate_accepted", int(run.judgement.accepted))


def advice(
    failed: Sequence[Measurement], found: PipelineFigures, swallowed: Sequence[str], moved: Sequence[str]
) -> str:
    """One sentence for each failed measurement: what was seen, what was allowed, what it means and what to do."""
    effect = found.effect
    lost = (
        "no planted row reached the features: a stage read raw rows of its own, or of yesterday"
        if effect.rows_reached == 0
        else f"{effect.rows_reached} planted rows reached the features, and the model that answers does not know them: "
        "training learnt from other rows, or the server answers from another model"
    )
    causes: Mapping[str, str] = {
        "nonce_effect_share": f"{lost}; let every stage read only what the one before it hands over",
        "answers_of_other_versions": f"answers came from {', '.join(found.other_versions) or 'elsewhere'}: serve the "
        "version that was asked for, or refuse to start",
        "digest_differs": "the registry holds another file than the one that was trained: verify digests on both sides",
        "served_difference": "the server answers otherwise than the trained model does to the features that it "
        "logged: let training and server read one list of features, in one order",
        "registered_difference": "the registry's model answers otherwise than the one that was trained: hand over the "
        "artifact with its own list of features",
        "inputs_not_logged": f"the request log lacks {', '.join(found.inputs_not_logged[:5])}: log each input",
        "config_differences": f"trained with another {', '.join(found.config_differences[:5])} than is shipped: take "
        "the configuration of production and change nothing but sizes",
        "swallowed_failures": f"no error came when {'; '.join(swallowed)}: let every failure end the run",
        "aliases_not_restored": f"the aliases {', '.join(moved)} point elsewhere than before: registering must not put "
        "anything into service",
    }
    return "; ".join(f"{m.sentence()}: {causes[m.name]}" for m in failed if m.name in causes)


def blindness(found: PipelineFigures) -> str | None:
    """Why an effect would show nothing: a new value has the same effect without any planted outcome."""
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


def _served_numbers(answers: Sequence[Mapping[str, Any]], run: PipelineRun) -> FloatArray:
    numbers = np.array([_number(answer["prediction"], run) for answer in answers])
    if not np.isfinite(numbers).all():
        raise Withheld(f"{int((~np.isfinite(numbers)).sum())} served predictions are not numbers: nothing to compare")
    return numbers


def _number(prediction: Any, run: PipelineRun) -> float:
    """A prediction as one number: itself, the score of the planted class, or whether it is that class."""
    wanted = run.planting.wanted
    if isinstance(prediction, str):
        return float(class_name(prediction) == class_name(wanted))
    if isinstance(prediction, Sequence):
        return float(prediction[-1] if len(prediction) == 2 else prediction[_position(run)])
    return float("nan") if prediction is None else float(prediction)


def _position(run: PipelineRun) -> int:
    known = column(run.features, run.parts.data.roles.target).tolist()
    names = sorted({name for value in known if (name := class_name(value)) is not None})
    return names.index(str(class_name(run.planting.wanted)))


def _contract(run: PipelineRun, answered: FloatArray, spread: float, missing: Sequence[str]) -> tuple[float, float]:
    """Largest differences of the server and of the registry's model from the trained one, in spreads.

    Both answer to the features that the server logged. Logged predictions must be the ones that were answered; a log
    that has other rows than were asked for counts as one whole spread.
    """
    log = run.served.log
    if missing or "prediction" not in log.column_names or log.num_rows < len(answered):
        return 1.0, 1.0
    if "version" in log.column_names:
        import pyarrow as pa

        log = log.filter(pa.array([str(version) == run.version for version in log["version"].to_pylist()]))
    logged = np.array([_number(value, run) for value in log["prediction"].to_pylist()])
    if len(logged) != len(answered):
        return 1.0, 1.0
    expected = _predicted(run.trained, log, run)
    registered = _predicted(run.registered, log, run)
    said = np.abs(np.sort(logged) - np.sort(answered)).max()
    served = max(float(np.abs(logged - expected).max()), float(said))
    return served / spread, float(np.abs(registered - expected).max()) / spread


def _predicted(model: Model, rows: pa.Table, run: PipelineRun) -> FloatArray:
    answers = np.asarray(model.predict(to_arrow(rows)))
    return np.array([_number(value if answers.ndim == 1 else list(value), run) for value in answers.tolist()])


def _digest_differs(run: PipelineRun) -> bool:
    digest = run.registered.metadata.digest
    return digest is not None and digest != run.artifact.digest


def _config_differences(run: PipelineRun) -> tuple[str, ...]:
    """Keys in which what was trained differs from what is shipped, sizes and places left out."""
    shipped, effective = run.parts.training.config, run.artifact.config
    shared = [key for key in shipped if key in effective and key not in _NO_PART_OF_THE_MODEL | set(run.config)]
    return tuple(sorted(key for key in shared if _plain(shipped[key]) != _plain(effective[key])))


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
