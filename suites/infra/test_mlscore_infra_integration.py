"""Infra 3: a value planted in raw rows must come out of the server, from the model that this run trained."""

from __future__ import annotations

import pytest

import mltest
from mltest.probes import direction, failure_injection, pipeline_figures, pipeline_report, pipeline_run, target_spread


@pytest.mark.ml_score("infra.integration", experiment=True)
def test_a_nonce_planted_in_raw_rows_comes_out_of_the_server(
    evidence: mltest.Evidence,
    ml_ref: mltest.SystemRef,
    ml_system: mltest.System,
    ml_data: object,
    ml_features: object,
    ml_training: object,
    ml_registry: object,
    ml_serving: object,
) -> None:
    """At least 0.3 of the planted shift must show: a model shrinks what it has seen in 5 % of the rows, and a stage
    that reads anything else leaves 0. Served answers equal the trained model's to 0.001 of their spread, alone and in
    a batch, and but for 2 % of the requests on the batch features of the same raw rows. Every input that follows a
    change at the server follows it in the batch. Failures handed to each stage must surface, and aliases end where
    they were. An untouched new value is the control.
    """
    parts = pipeline_run.parts_of(ml_system)
    aliases = pipeline_run.aliases(parts.registry)
    try:
        run = pipeline_run.run(parts, ml_ref, target_spread.of(ml_system))
        found = pipeline_figures.figures(run)
        injected = failure_injection.inject(run)
    finally:
        into_service = aliases.moved(parts.registry)
        moves = pipeline_report.AliasMoves(into_service, aliases.restore(parts.registry))
    pipeline_report.record(evidence, run, found, injected, moves)
    failed = [m for m in evidence.measurements if m.decides and m.verdict() is mltest.Verdict.FAILED]
    if failed:
        pytest.fail(pipeline_report.advice(failed, found, injected, moves), pytrace=False)
    champion = None if ml_system.model is None else ml_system.model.predict(run.features)
    doubt = pipeline_figures.blindness(found) or direction.contradiction(
        champion, run.trained.predict(run.features), run.artifact.metrics
    )
    if doubt is not None:
        evidence.withhold(doubt)
