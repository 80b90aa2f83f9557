"""Data 2: all features are beneficial."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import ablation, ablation_report, ablation_retraining, ablation_rows


@pytest.mark.ml_score("data.benefit")
def test_every_feature_earns_its_keep(
    evidence: mltest.Evidence, ml_ref: mltest.SystemRef, ml_system: mltest.System, ml_data: Any
) -> None:
    """Counts inputs that are dead, repeat another one, do harm, or save less than 0.1 % of the loss; none is allowed.

    0.1 % is the smallest benefit that pays for the upkeep of a feature by default. A ridge and a boosting have to
    agree, on folds in order of time and again on rows held back, where every feature is asked for harm as well;
    columns of noise must look worthless and the strongest feature must not. Both controls, and all suspects together,
    are then retrained with the real model (Breck et al. 2017, Data 2).
    """
    rows = ablation_rows.material(ml_system, ml_ref)
    for name, count in ablation_report.certain(rows).items():
        evidence.measure(name, count, limit=0, n=len(rows.inputs), unit="inputs")
    if evidence.judge()[0] is mltest.Verdict.FAILED:
        pytest.fail(ablation_report.certain_sentence(rows), pytrace=False)
    screened = ablation.screen(rows, ml_ref)
    evidence.attach("what the screens saw", ablation_report.table(screened))
    retrained = ablation_retraining.confirm(ml_system, rows, screened, ml_ref)
    verdicts = ablation_retraining.settled(screened, retrained)
    for name, count in ablation_report.counted(verdicts).items():
        evidence.measure(name, count, limit=0, n=len(rows.inputs), unit="inputs")
    for told in ablation_report.told(rows, screened, retrained, verdicts):
        evidence.measure(told.name, told.value, ci=told.ci, n=told.n, unit=told.unit)
    figure = ablation_report.figure(screened, verdicts)
    if figure is not None:
        evidence.attach("benefit of each feature", figure)
    if evidence.judge()[0] is mltest.Verdict.FAILED:
        pytest.fail(ablation_report.sentence(screened, retrained, verdicts), pytrace=False)
