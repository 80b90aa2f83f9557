"""What a run of the pipeline showed, as measurements with their limits, and what to do about each that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mltest.evidence import Evidence, Measurement
from mltest.probes.failure_injection import Injected
from mltest.probes.pipeline_answers import CONTRACT
from mltest.probes.pipeline_figures import PipelineFigures
from mltest.probes.pipeline_run import PipelineRun
from mltest.system import Judgement

GOLDEN_SHARE = 0.02
"""Share of the requests whose features may differ from the batch: a late event touches one or two of a hundred."""


@dataclass(frozen=True)
class AliasMoves:
    """Aliases that were found elsewhere at the end, and those of them that could not be put back."""

    into_service: tuple[str, ...]
    not_restored: tuple[str, ...]

    def against(self, judgement: Judgement | None) -> tuple[str, ...]:
        """Those that put a version into service which the gate had refused."""
        return () if judgement is None or judgement.accepted else self.into_service


def record(
    evidence: Evidence, run: PipelineRun, found: PipelineFigures, injected: Injected, aliases: AliasMoves
) -> None:
    """Measures everything; what decides has its limit here.

    What the gate says of a model that learnt from a slice decides nothing; that it is heard does.
    """
    effect, rows = found.effect, len(run.served.answers)
    golden, following = found.golden, found.following
    interval = (effect.low, effect.high)
    measure = evidence.measure
    measure("nonce_effect_share", effect.share, limit=0.3, better="higher", ci=interval, n=effect.records)
    measure("answers_of_other_versions", len(found.other_versions), limit=0, n=rows, unit="versions")
    measure("digest_differs", int(found.digest_differs), limit=0)
    measure("inputs_not_logged", len(found.inputs_not_logged), limit=0, unit="inputs")
    if not found.inputs_not_logged:
        measure("served_difference", found.served_difference, limit=CONTRACT, n=rows, unit="spreads")
        measure("registered_difference", found.registered_difference, limit=CONTRACT, n=rows, unit="spreads")
    if found.asked_alone:
        measure("answers_misplaced", found.misplaced, limit=0, n=found.asked_alone, unit="answers")
    if golden.problem is None:
        measure("golden_difference_share", golden.share, limit=GOLDEN_SHARE, n=golden.rows)
    if following.moved:
        left = len(following.left_behind)
        measure("inputs_left_behind", left, limit=0, n=len(following.moved), unit="inputs")
    measure("config_differences", len(found.config_differences), limit=0, unit="keys")
    measure("swallowed_failures", len(injected.went_on), limit=0, n=injected.tried, unit="failures")
    measure("served_against_the_gate", len(aliases.against(run.judgement)), limit=0, unit="aliases")
    measure("aliases_not_restored", len(aliases.not_restored), limit=0, unit="aliases")
    measure("control_effect_share", effect.control, n=effect.records)
    measure("planted_rows_in_features", effect.rows_reached, n=run.planting.rows, unit="rows")
    if run.judgement is not None:
        measure("gate_accepted", int(run.judgement.accepted))


def advice(failed: Sequence[Measurement], found: PipelineFigures, injected: Injected, aliases: AliasMoves) -> str:
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
        "answers_misplaced": "a request gets another answer in a batch than alone: answer each record in its "
        "place, from nothing but that record",
        "golden_difference_share": _golden_cause(found),
        "inputs_left_behind": f"raw rows were changed and {', '.join(found.following.left_behind[:5])} stayed as "
        "before, although the server follows the same change: compute features from the rows handed over alone",
        "inputs_not_logged": f"the request log lacks {', '.join(found.inputs_not_logged[:5])}: log each input",
        "config_differences": f"trained with another {', '.join(found.config_differences[:5])} than is shipped: take "
        "the configuration of production and change nothing but sizes",
        "swallowed_failures": f"no error came when {'; '.join(injected.went_on)}: let every failure end the run",
        "served_against_the_gate": f"the gate refused the version and {', '.join(aliases.into_service)} was "
        "moved to it: let the gate decide before anything answers, and registering move no alias that serves",
        "aliases_not_restored": f"the aliases {', '.join(aliases.not_restored)} point elsewhere than before: "
        "registering must not put anything into service",
    }
    return "; ".join(f"{m.sentence()}: {causes[m.name]}" for m in failed if m.name in causes)


def _golden_cause(found: PipelineFigures) -> str:
    inputs = found.golden.inputs[:5]
    seen = f"the server had another {', '.join(inputs)} than" if inputs else "the server answers otherwise than with"
    return (
        f"{seen} the batch features of the same raw rows: compute features for training and for serving by one "
        "definition, from the rows that are handed over"
    )
