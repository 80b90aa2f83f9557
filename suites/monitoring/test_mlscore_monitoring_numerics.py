"""Monitor 5: the model is numerically stable."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest import tables
from mltest.probes import (
    frequent_answers,
    model_inputs,
    numeric_answers,
    numeric_domain,
    numeric_sweeps,
    numeric_trace,
)

_SWEEPS = (numeric_sweeps.legal, numeric_sweeps.illegal, numeric_sweeps.far)


@pytest.mark.ml_score("monitoring.numerics")
def test_every_legal_input_gets_a_number_and_no_other_does(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Sweeps the domain of the training rows through the runtime that serves, and beyond its edge.

    Inside: extremes that occurred, one at a time and in pairs, every level of every category, and numbers that are
    equal get a finite answer, the one that float64 gives (where the model can be traced), alone or in a batch.
    Outside: an infinity, or a missing value where none was ever missing, is refused or flagged, never answered; and so
    is 1e38 by a model that shows its computation (of a black box it is only told). All limits are 0: such a sweep is
    exact, one case is a defect.
    Half of the units of a layer may rest (healthy rectified nets rest up to a fifth).
    """
    features = ml_system.features
    nullable = [f.name for f in features.catalogue if f.nullable] if features is not None else []
    inputs = model_inputs.of_system(ml_system)
    train = tables.to_arrow(ml_data.dataset("train"))
    domain = numeric_domain.observe(train, inputs, nullable)
    rows = numeric_domain.ordinary(domain, ml_ref.seed)
    given = numeric_answers.answer(ml_model, rows)
    spread = numeric_answers.spread_of(given)

    legal, illegal, far = (sweep(domain, ml_ref.seed) for sweep in _SWEEPS)
    answered, beyond, distant = (numeric_answers.answer_or_refuse(ml_model, s.rows) for s in (legal, illegal, far))
    edges = numeric_sweeps.edges(domain, ml_ref.seed)
    impossible = numeric_answers.silent(distant, far)
    found = {
        "ordinary_rows_without_a_number": numeric_answers.without_number(given, numeric_sweeps.unchanged(rows)),
        "legal_inputs_without_a_number": numeric_answers.without_number(answered, legal),
        "illegal_inputs_answered_in_silence": numeric_answers.silent(beyond, illegal),
        "answers_that_leap_at_the_edge": numeric_answers.breaks(ml_model, edges, spread),
        "batch_dependent_answers": numeric_answers.batch_dependence(ml_model, rows.slice(0, 256), given[:256], spread),
    }
    if hasattr(ml_model, "trace"):
        found["impossible_inputs_answered_in_silence"] = impossible
        found["answers_that_differ_from_float64"] = numeric_trace.differences(ml_model, domain, legal, answered, spread)
        _watch(evidence, ml_model, domain, rows, given)
    else:
        evidence.measure("impossible_inputs_answered_in_silence", impossible.count, n=impossible.tried)
    for name, result in found.items():
        evidence.measure(name, result.count, limit=0, n=result.tried)
    down, up = (numeric_answers.answer_or_refuse(ml_model, each) for each in numeric_sweeps.beside(rows, domain))
    jumps = numeric_answers.jumps(given, down, up, spread)
    evidence.measure("answers_that_jump", jumps, limit=0.01, n=len(given), unit="share")
    mode, target = frequent_answers.mode_of(given), ml_data.roles.target
    most = frequent_answers.allowed(mode, train[target] if target in train.column_names else None)
    evidence.measure("most_frequent_answer", mode.share, limit=most, n=len(given), unit="share")

    wrong = [result.sentence(name.replace("_", " ")) for name, result in found.items() if result.count]
    wrong += [m.sentence() for m in evidence.measurements if m.failed and m.name not in found]
    if wrong:
        pytest.fail(f"{'; '.join(wrong)}; make the model refuse or flag what it cannot answer", pytrace=False)
    numeric_domain.require_current(ml_data, ml_model.metadata.trained_until)


def _watch(evidence: mltest.Evidence, model: Any, domain: Any, rows: Any, given: Any) -> None:
    """Ordinary rows in double precision, of which two in a thousand may differ, and units that never move."""
    ordinary, spread = numeric_sweeps.unchanged(rows), numeric_answers.spread_of(given)
    apart = numeric_trace.differences(model, domain, ordinary, given, spread)
    limit = numeric_trace.MOST_ON_THRESHOLDS
    evidence.measure("ordinary_answers_that_differ_from_float64", apart.share, limit=limit, n=apart.tried, unit="share")
    resting = numeric_trace.dead_units(dict(model.trace(rows)))
    if resting is not None:
        evidence.measure("dead_hidden_units", resting[0], limit=0.5, n=resting[1], unit="share")
