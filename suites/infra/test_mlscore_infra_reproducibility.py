"""Infra 1: two trainings in separate processes, same seed and data, must give the same model."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import direction, judged_targets, locked_environment, retraining, retraining_comparison


@pytest.mark.ml_score("infra.reproducibility")
def test_two_trainings_in_separate_processes_give_the_same_model(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_training: Any
) -> None:
    """Rows as read must be equal; predictions of unseen rows agree to 1e-6 of their spread on one machine, and losses
    within the noise of seeds where threads and cores differ (Pham et al. 2020). Another seed must change them, else the
    comparison is blind. Processes differ in hash seed, folders, home, time zone, language, clock and listings. Where
    there is a repository, its lock files must pin what is installed.
    """
    judged = judged_targets.of(ml_data, ml_system.task)
    trained = retraining.retrain(ml_ref, judged.rows, ml_training.config)
    obstacle = retraining_comparison.obstacle(trained)
    if obstacle is not None:
        evidence.withhold(*obstacle)
    evidence.attach("trainings", trained.table())
    evidence.measure("trainings_that_raised", int(trained.elsewhere.raised is not None), limit=0, n=3)
    if trained.elsewhere.raised is not None:
        pytest.fail(retraining_comparison.refusal(trained), pytrace=False)
    seen = retraining_comparison.compare(trained, judged.truth, judged.outcome)
    evidence.measure("training_rows_moved", seen.order.moved, limit=0, unit="rows", n=len(trained.usual.row_digests))
    evidence.measure("process_difference", seen.process_difference, limit=1e-6, unit="spreads", n=seen.judged)
    evidence.measure("models_read_back", len(seen.read_back), limit=0, unit="files")
    evidence.measure("thread_loss_difference", seen.thread_loss, limit=1, unit="seed deviations", n=seen.judged)
    most = retraining_comparison.AS_ANOTHER_SEED
    evidence.measure("thread_share_of_seeds", seen.thread_share, limit=most, unit="seed differences", n=seen.judged)
    evidence.measure("thread_difference", seen.thread_difference, unit="spreads")
    evidence.measure("other_seed_difference", seen.seed_difference, unit="spreads")
    evidence.measure("metric_difference", seen.metric_difference, unit="relative")
    evidence.measure("artifacts_that_differ", int(not seen.artifacts_equal), unit="of 1 pair")
    stack = None if ml_system.repository is None else locked_environment.of(ml_system.repository.lock_files)
    if stack is not None:
        evidence.measure("pins_not_kept", len(stack.not_kept), limit=0, n=len(stack.compared), unit="packages")
        evidence.measure("packages_not_pinned", len(stack.loose), limit=0, n=len(stack.pins), unit="packages")
    failed = retraining_comparison.failures(evidence.measurements)
    if failed:
        pytest.fail(retraining_comparison.explanation(failed, seen, stack), pytrace=False)
    blind = retraining_comparison.blindness(trained, seen) or (stack and stack.blindness())
    if blind is not None:
        evidence.withhold(*blind)
    champion = None if ml_system.model is None else ml_system.model.predict(judged.rows)
    usual = trained.usual.of_seed(trained.seed)
    contradiction = direction.contradiction(champion, usual.answers, usual.metrics)
    if contradiction is not None:
        evidence.withhold(contradiction)
