"""Monitor 5: the model is numerically stable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mltest
from mltest import tables
from mltest.probes import model_inputs, numeric_answers, numeric_domain


@pytest.mark.ml_score("monitoring.numerics")
def test_every_legal_input_gets_a_number_and_no_other_does(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any, ml_model: Any
) -> None:
    """Sweeps the domain of the training rows through the runtime that serves, and beyond its edge.

    Inside: extremes that occurred, one at a time and in pairs, get a finite number, the one that float64 gives (where
    the model can be traced), alone or in a batch. Outside: an infinity, or a missing value where none was ever
    missing, is refused or flagged, never answered. All limits are 0: such a sweep is exact, one case is a defect. Half
    of the hidden units may rest (healthy rectified nets rest up to a fifth), half of the answers may be equal.
    """
    features = ml_system.features
    nullable = [f.name for f in features.catalogue if f.nullable] if features is not None else []
    inputs = model_inputs.of_system(ml_system)
    domain = numeric_domain.observe(tables.to_arrow(ml_data.dataset("train")), inputs, nullable)
    rows = numeric_domain.ordinary(domain, ml_ref.seed)
    given = numeric_answers.answer(ml_model, rows)
    spread = numeric_answers.spread_of(given)

    legal = numeric_domain.legal(domain, ml_ref.seed)
    answered = numeric_answers.answer_or_refuse(ml_model, legal.rows)
    illegal = numeric_domain.illegal(domain, ml_ref.seed)
    beyond = numeric_answers.answer_or_refuse(ml_model, illegal.rows)
    ordinary = numeric_domain.Sweep(rows, tuple(f"ordinary row {i}" for i in range(rows.num_rows)))
    found = {
        "ordinary_rows_without_a_number": numeric_answers.without_number(given, ordinary),
        "legal_inputs_without_a_number": numeric_answers.without_number(answered, legal),
        "illegal_inputs_answered_in_silence": numeric_answers.silent(beyond, illegal),
        "batch_dependent_answers": numeric_answers.batch_dependence(ml_model, rows.slice(0, 256), given[:256], spread),
    }
    if hasattr(ml_model, "trace"):
        exact = np.asarray(ml_model.trace(legal.rows)["answer"], dtype=np.float64).reshape(len(answered), -1)
        labels = legal.labels
        found["answers_that_differ_from_float64"] = numeric_answers.disagreements(answered, exact, spread, labels)
        resting = numeric_answers.dead_units(dict(ml_model.trace(rows)))
        if resting is not None:
            evidence.measure("dead_hidden_units", resting[0], limit=0.5, n=resting[1], unit="share")
    for name, result in found.items():
        evidence.measure(name, result.count, limit=0, n=result.tried)
    after = numeric_answers.answer(ml_model, numeric_domain.nudged(rows))
    evidence.measure("answers_that_jump", numeric_answers.jumps(given, after, spread), limit=0.01, unit="share")
    evidence.measure("most_frequent_answer", numeric_answers.modal_share(given), limit=0.5, n=len(given), unit="share")
    wrong = [result.sentence(name.replace("_", " ")) for name, result in found.items() if result.count]
    wrong += [m.sentence() for m in evidence.measurements if m.failed and m.name not in found]
    if wrong:
        pytest.fail(f"{'; '.join(wrong)}; make the model refuse or flag what it cannot answer", pytrace=False)
    numeric_domain.require_current(ml_data, ml_model.metadata.trained_until)
