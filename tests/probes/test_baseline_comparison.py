"""Baselines are sane, and a gain over them is claimed only as far as it was shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mltest.evidence import Evidence, ReasonCode, Withheld
from mltest.probes import baseline_comparison, baselines
from mltest.probes.baseline_comparison import Comparison
from mltest.probes.baselines import Baseline
from mltest.probes.judged_rows import JudgedRows
from tests.probes.synthetic_rows import judged


@pytest.fixture(scope="module")
def rows() -> JudgedRows:
    return judged()


@pytest.fixture(scope="module")
def trained(rows: JudgedRows) -> tuple[Baseline, ...]:
    return baselines.train_all(rows, seed=0, effort="quick")


def compared(rows: JudgedRows, trained: tuple[Baseline, ...], answers: np.ndarray) -> Comparison:
    return baseline_comparison.compare(rows, answers, trained, seed=0)


def measured(comparison: Comparison) -> Evidence:
    evidence = Evidence("model.baseline")
    for gain in comparison.gains:
        evidence.measure(
            gain.name, gain.value, limit=1.0 if gain.decides else None, better="higher", ci=(gain.low, gain.high)
        )
    return evidence


def test_every_rung_of_the_ladder_is_trained_and_the_linear_one_finds_a_linear_law(
    trained: tuple[Baseline, ...],
) -> None:
    losses = {baseline.rung: float(baseline.losses.mean()) for baseline in trained}
    assert set(losses) == {"constant", "zero", "group", "linear", "tree", "boosting"}
    # The mean absolute value of unit noise is 0.798.
    assert losses["linear"] == pytest.approx(0.80, abs=0.03)
    assert losses["linear"] < losses["tree"] < losses["constant"]


def test_a_baseline_that_does_not_beat_the_simpler_one_is_no_reference(
    rows: JudgedRows, trained: tuple[Baseline, ...]
) -> None:
    constant = next(baseline for baseline in trained if baseline.rung == "constant")
    straw = Baseline("tree", "a straw man", constant.losses + 1.0, 0.0, 10, simpler="constant")
    gains = {g.baseline.rung: g for g in compared(rows, (constant, straw), rows.truth + 0.1).gains}
    assert gains["constant"].decides
    assert not gains["tree"].decides


def test_a_model_that_knows_more_passes_against_every_baseline(rows: JudgedRows, trained: tuple[Baseline, ...]) -> None:
    half_the_noise = rows.truth + 0.5 * np.random.default_rng(1).normal(0, 1, len(rows.truth))
    comparison = compared(rows, trained, half_the_noise)
    evidence = measured(comparison)
    assert evidence.judge()[0] == "passed"
    assert not baseline_comparison.shortfalls(comparison, evidence.measurements)
    assert baseline_comparison.unsettled(comparison, ()) is None


def test_mirrored_answers_fall_short_and_the_advice_is_to_check_their_sign(
    rows: JudgedRows, trained: tuple[Baseline, ...]
) -> None:
    comparison = compared(rows, trained, -(rows.truth + 0.3))
    missed = baseline_comparison.shortfalls(comparison, measured(comparison).measurements)
    assert "check their sign" in baseline_comparison.advice(comparison, missed)


def test_answers_equal_to_a_baseline_that_looks_are_a_comparison_with_itself(
    rows: JudgedRows, trained: tuple[Baseline, ...]
) -> None:
    answers = rows.truth + 0.5
    same = Baseline("linear", "the model itself", rows.outcome.losses(rows.truth, answers), 0.0, 10, simpler="constant")
    with pytest.raises(Withheld) as caught:
        compared(rows, (trained[0], same), answers)
    assert caught.value.code is ReasonCode.CIRCULAR


def test_fewer_than_thirty_days_withhold_a_verdict(trained: tuple[Baseline, ...]) -> None:
    few = judged(days=12)
    with pytest.raises(Withheld, match="12 days, 30 are needed"):
        compared(few, (), few.truth + 0.1)


def test_a_holdout_whose_target_changed_sign_is_seen_by_the_control(rows: JudgedRows) -> None:
    turned = replace(rows, truth=-rows.truth)
    trained = baselines.train_all(turned, seed=0, effort="quick")
    comparison = compared(turned, trained, turned.truth + 0.1)
    assert "check the sign" in (baseline_comparison.unsettled(comparison, ()) or "")


def test_whole_days_are_drawn_for_the_trees() -> None:
    days = np.repeat(np.arange(50), 20)
    chosen = baselines.whole_blocks(days, 300, seed=4)
    per_day = np.bincount(days[chosen], minlength=50)
    assert set(per_day.tolist()) == {0, 20}
    assert 0 < chosen.sum() <= 300


def test_classes_are_compared_by_their_brier_score() -> None:
    rows = judged(task="binary", classes=True)
    trained = baselines.train_all(rows, seed=0, effort="quick")
    losses = {baseline.rung: float(baseline.losses.mean()) for baseline in trained}
    assert rows.outcome.loss_name == "Brier score"
    assert losses["linear"] < losses["constant"] < 0.26
