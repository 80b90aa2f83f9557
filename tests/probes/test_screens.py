"""The screens: closed form equals refitting, folds keep the order of time, noise is worthless, signal is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.probes import (
    benefit_estimates,
    boosting_screen,
    feature_verdicts,
    late_harm,
    learnable,
    ridge_screen,
    superfluous,
    time_folds,
)
from mltest.probes.boosting_screen import Size
from mltest.probes.feature_verdicts import Benefit, Screens
from mltest.probes.outcomes import outcome_of
from mltest.stats.bootstrap import Estimate
from mltest.stats.intervals import Interval
from mltest.system import Roles

DAYS, A_DAY = 80, 100
ROLES = Roles(target="y", time="at")


def rows(task: str = "regression", seed: int = 1) -> pa.Table:
    random = np.random.default_rng(seed)
    n = DAYS * A_DAY
    strong, weak, word = random.normal(size=n), random.normal(size=n), random.integers(0, 3, n)
    signal = 2 * strong + 0.3 * weak + word + random.normal(size=n)
    target = signal if task == "regression" else np.where(signal > 1, "yes", "no")
    return pa.table(
        {
            "at": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=k // A_DAY, minutes=k % A_DAY) for k in range(n)],
            "strong": strong,
            "weak": pa.array(weak, mask=random.uniform(size=n) < 0.05),
            "word": [f"w{number}" for number in word],
            "y": target,
        }
    )


def ready(task: str = "regression") -> learnable.Learnable:
    table = learnable.with_noise(rows(task), seed=0)
    outcome = outcome_of(task, learnable.targets(table, ROLES), None)
    return learnable.make(table, ("strong", "weak", "word", *learnable.NOISE), ROLES, outcome, None)


def singles(prepared: learnable.Learnable) -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in prepared.encoding.features}


def test_dropping_in_closed_form_gives_the_coefficients_of_a_fit_without_the_columns() -> None:
    prepared, learn = ready(), np.arange(3000)
    found = ridge_screen.dropped(prepared, learn, {"both": ("weak", "word")})["both"][:, 0]
    block = np.concatenate([prepared.encoding.blocks["weak"], prepared.encoding.blocks["word"]])
    kept = np.setdiff1d(np.arange(prepared.design.shape[1]), block)
    design = prepared.design[learn][:, kept].astype(np.float64)
    penalty = np.diag([1e-9, *[ridge_screen.PENALTY + 1e-9] * (len(kept) - 1)])
    refitted = np.linalg.solve(design.T @ design + penalty, design.T @ prepared.truth[learn])
    assert np.allclose(found[kept], refitted, atol=1e-8)
    assert not found[block].any()


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_signal_is_beneficial_and_noise_is_not_in_both_screens(task: str) -> None:
    prepared = ready(task)
    folds = time_folds.folds(prepared.blocks.of_row, prepared.blocks.count, 3)
    units = singles(prepared)
    ridge = benefit_estimates.estimates(ridge_screen.differences(prepared, folds, units), 0)
    boosting = benefit_estimates.estimates(boosting_screen.differences(prepared, folds, units, Size(6000, 3000), 0), 0)
    claims = feature_verdicts.claims(Screens(ridge, boosting), list(units))
    assert {claims[name] for name in ("strong", "weak", "word")} == {Benefit.BENEFICIAL}
    assert Benefit.BENEFICIAL not in {claims[name] for name in learnable.NOISE}
    assert ridge["strong"].value > ridge["weak"].value > max(abs(ridge[name].value) for name in learnable.NOISE)


def with_a_copy() -> learnable.Learnable:
    table = rows()
    exact = table["weak"].fill_null(0.0).to_numpy()
    blurred = exact + 0.1 * np.random.default_rng(9).normal(size=table.num_rows)
    table = learnable.with_noise(
        table.append_column("blurred", pa.array(blurred)).set_column(2, "weak", pa.array(exact)), seed=0
    )
    outcome = outcome_of("regression", learnable.targets(table, ROLES), None)
    return learnable.make(table, ("strong", "blurred", "weak", "word", *learnable.NOISE), ROLES, outcome, None)


def test_of_a_feature_and_its_blurred_copy_one_is_superfluous_and_one_is_kept() -> None:
    prepared = with_a_copy()
    folds = time_folds.folds(prepared.blocks.of_row, prepared.blocks.count, 3)
    size, units = Size(15_000, 6000), singles(prepared)
    models = boosting_screen.boostings(prepared, folds, size, 0)
    ridge = benefit_estimates.estimates(ridge_screen.differences(prepared, folds, units), 0)
    boosting = benefit_estimates.estimates(boosting_screen.dealt(prepared, models, units), 0)
    assert min(boosting[name].value for name in ("weak", "blurred")) > feature_verdicts.MARGIN
    closer = (*models, *boosting_screen.more_boostings(prepared, folds, size, 1))
    found = superfluous.own_benefits(prepared, closer, Screens(ridge, boosting), ("blurred", "weak"), 0)
    assert set(found) < {"blurred", "weak"}
    assert found


def test_what_others_make_expect_of_their_sum_is_the_sum() -> None:
    table = learnable.with_noise(rows(), seed=0)
    table = table.append_column("sum", pa.array(table["strong"].to_numpy() + table[learnable.NOISE[0]].to_numpy()))
    outcome = outcome_of("regression", learnable.targets(table, ROLES), None)
    prepared = learnable.make(table, ("strong", "sum", *learnable.NOISE), ROLES, outcome, None)
    assert np.allclose(superfluous.expected(prepared, prepared, ("sum",))["sum"], table["sum"].to_numpy(), atol=1e-3)


def test_a_leak_that_ended_does_harm_later_and_no_honest_feature_does() -> None:
    def leaking(seed: int, share: float) -> pa.Table:
        table = rows(seed=seed)
        noise = np.random.default_rng(seed + 50).normal(size=table.num_rows)
        target = table["y"].to_numpy()
        return table.append_column("leak", pa.array(share * (target - target.mean()) / target.std() + noise))

    names = ("strong", "weak", "word", "leak")
    outcome = outcome_of("regression", learnable.targets(rows(), ROLES), None)
    learned = learnable.make(leaking(1, 0.5), names, ROLES, outcome, None)
    ended = learnable.make(leaking(2, 0.0), (), ROLES, outcome, learned.encoding)
    going_on = learnable.make(leaking(2, 0.5), (), ROLES, outcome, learned.encoding)
    assert set(late_harm.harmful(learned, ended, names, Size(6000, 3000), 0)) == {"leak"}
    assert not late_harm.harmful(learned, going_on, names, Size(6000, 3000), 0)


def test_a_feature_that_turns_against_the_later_days_is_harmful() -> None:
    harm = Estimate(-0.02, Interval(-0.03, -0.01, 0.95), 1000, 60, 0.004)
    gain = Estimate(0.5, Interval(0.4, 0.6, 0.95), 1000, 60, 0.05)
    screens = Screens({"bad": harm, "good": gain}, {"bad": harm, "good": gain})
    assert feature_verdicts.claims(screens, ["bad", "good"]) == {"bad": Benefit.HARMFUL, "good": Benefit.BENEFICIAL}


def test_a_suspicion_that_later_days_do_not_share_is_dropped() -> None:
    wide = Estimate(0.0, Interval(-0.1, 0.1, 0.95), 1000, 60, 0.05)
    again = Screens({"x": wide}, {"x": wide})
    assert feature_verdicts.confirmed({"x": Benefit.NONE}, again) == {"x": Benefit.UNDERPOWERED}


def test_an_unknown_estimate_decides_nothing() -> None:
    unknown = Estimate(float("nan"), Interval(float("nan"), float("nan"), 0.95), 0, 0, float("nan"), reason="no rows")
    assert benefit_estimates.p_above(unknown, 0.0) == 1.0
    assert benefit_estimates.p_below(unknown, 0.0) == 1.0
    assert feature_verdicts.claims(Screens({"x": unknown}, {"x": unknown}), ["x"]) == {"x": Benefit.UNDERPOWERED}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=200), st.integers(1, 5))
def test_no_fold_learns_from_what_it_judges_or_from_later_days(days: list[int], number: int) -> None:
    of_row = np.unique(np.array(days), return_inverse=True)[1].astype(np.intp)
    for fold in time_folds.folds(of_row, int(of_row.max()) + 1, number):
        assert fold.learn.size
        assert fold.judge.size
        assert of_row[fold.learn].max() < of_row[fold.judge].min()


def test_days_are_blocks_and_rows_without_a_time_are_dealt_out() -> None:
    assert time_folds.blocks(rows(), ROLES).count == DAYS
    dealt = time_folds.blocks(rows(), Roles(target="y"))
    assert (dealt.count, dealt.real) == (time_folds.STAND_IN_BLOCKS, False)
