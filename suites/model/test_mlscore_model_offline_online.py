"""Model 2: offline proxy metrics correlate with actual online impact metrics."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.offers import require
from mltest.probes import evaluation_rows, impact_replay, label_join, model_variants, offline_online
from mltest.probes.kept_trainings import KeptTrainings


@pytest.mark.ml_score("model.offline_online")
def test_better_offline_is_better_online(
    evidence: mltest.Evidence,
    ml_ref: mltest.SystemRef,
    ml_system: mltest.System,
    ml_data: Any,
    ml_training: Any,
    ml_labels: Any,
) -> None:
    """Spearman's correlation of the offline metric with the online impact over eight or more variants of the model.

    The variants are trained here, worse on purpose, and answer the same replayed requests; labels are those that had
    arrived. The lower end of Fisher's interval must exceed 0.3 with the declared signs; from 0 down it fails. Before
    that, the label join of the system must agree with one by the keys, and the evaluated rows hold the hard ones too.
    """
    impact = require(ml_labels, "impact", "give the labels part an `impact`: mltest.OnlineImpact of answers, outcomes")
    metric = require(ml_training, "offline_metric", "give the training part an `offline_metric`: mltest.OfflineMetric")
    require(ml_labels, "requests", "give the labels part `requests()`: the requests as they were served")
    require(ml_labels, "joined", "give the labels part `joined(answers, at)`: its own join of answers and labels")
    replay = impact_replay.read(ml_labels, ml_data, ml_system.task, effort=ml_ref.effort)
    trainings = KeptTrainings(ml_ref, ml_training)
    learned, config = ml_data.dataset("train"), ml_training.config
    variants, refused = model_variants.train(
        trainings, learned, config, replay.roles, replay.outcome, seed=ml_ref.seed, effort=ml_ref.effort
    )
    evaluated, shipped = metric.rows(), variants[0].model
    variants = offline_online.answering(replay, variants, offline_online.some(evaluated, ml_ref.effort), refused)
    seen = offline_online.ranked(variants, replay, metric, impact, evaluated, effort=ml_ref.effort, seed=ml_ref.seed)
    joined = replay.compared(ml_labels, replay.answers(shipped))
    left_out = evaluation_rows.looked_at(evaluated, replay, ml_data, shipped, effort=ml_ref.effort)
    evidence.attach("variants", offline_online.table(seen, refused, trainings.tally))
    figure = offline_online.figure(seen)
    if figure is not None:
        evidence.attach("offline against online", figure)
    failed = _wrong_rows(evidence, replay, impact, joined, left_out[0])
    evidence.measure("variants", len(variants), limit=model_variants.FEWEST, better="higher")
    evidence.measure("online_spread", 100.0 * seen.spread, unit="% of mean impact")
    evidence.measure("online_reliability", seen.reliability)
    evidence.measure("impact_on_evaluated_rows", seen.control.value, n=seen.control.n)
    evidence.measure("pearson", seen.pearson.value, n=seen.pearson.n)
    if failed:
        pytest.fail("; ".join(failed), pytrace=False)
    reason = offline_online.contradiction(ml_system.model, seen, replay) or offline_online.restricted(seen)
    if reason is not None:
        evidence.withhold(reason, "too_little_data")
    evidence.measure("spearman", seen.spearman.value, n=seen.spearman.n)
    low = -1.0 if seen.spearman.reason else seen.spearman.interval.low
    if 0.0 < low <= evidence.limits.get("spearman_lower_end", offline_online.FLOOR):
        evidence.withhold(offline_online.undecided(seen), "too_little_data")
    measured = evidence.measure(
        "spearman_lower_end", low, limit=offline_online.FLOOR, better="higher", n=seen.spearman.n
    )
    if measured.failed:
        pytest.fail(offline_online.sentence(seen), pytrace=False)


def _wrong_rows(evidence: mltest.Evidence, replay: Any, impact: Any, joined: Any, worst: Any) -> list[str]:
    """Failures that lie in the rows, whatever the metrics: labels joined wrongly, hard rows left out."""
    said = []
    evidence.measure("labelled_requests", 100.0 * replay.own.covered, unit="%", n=replay.requests.num_rows)
    if evidence.measure("impact_not_declared_as_simulated", int(not impact.simulated), limit=0).failed:
        said.append(f"{impact.name} is computed on a replay that nobody acted on: declare it as simulated")
    if evidence.measure("labels_handed_out_early", replay.own.early, limit=0).failed:
        said.append(f"{replay.own.early} labels were handed out before they had arrived: hand out those of the moment")
    conflicts = 100.0 * replay.own.conflicts
    if evidence.measure("requests_with_two_labels", conflicts, limit=100 * label_join.MOST_CONFLICTS, unit="%").failed:
        said.append(f"{conflicts:.3g} % of the requests have two labels under one key: add what tells them apart")
    evidence.measure("labels_an_answer", joined.rows_each, limit=1)
    evidence.measure(
        "labels_of_another_key", 100.0 * joined.mismatched, limit=100 * label_join.MOST_MISMATCHES, unit="%"
    )
    evidence.measure(
        "labels_found", 100.0 * joined.found, limit=100 * label_join.LEAST_FOUND, better="higher", unit="%"
    )
    if joined.broken:
        said.append(offline_online.join_sentence(joined))
    flattery = evidence.measure(
        "loss_flattered",
        worst.value,
        limit=evaluation_rows.LARGEST_FLATTERY,
        ci=(worst.interval.low, worst.interval.high),
        n=worst.n,
        unit="%",
    )
    if flattery.failed:
        said.append(offline_online.flattery_sentence(worst, flattery.limit or 0.0))
    return said
