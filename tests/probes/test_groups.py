"""Groups: the numbers are those that others compute, laws hold for all inputs, and each status has its reason."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_absolute_error
from statsmodels.regression.linear_model import OLS

from mltest.evidence import Withheld
from mltest.probes import group_errors, group_representation, group_rows, group_service, group_swap
from mltest.probes.group_rows import GroupedRows
from mltest.stats.group_gaps import group_gap, winsorised
from tests.suites import clinics


def of_clinics(seed: int = 5) -> GroupedRows:
    system = clinics.of_seed(seed)
    assert system.data is not None
    assert system.model is not None
    return group_rows.read(system.data, system.model, system.task)


def test_signed_and_absolute_errors_are_those_of_fairlearns_metric_frame() -> None:
    rows = of_clinics()
    errors, places = rows.errors[:, 0], np.array(rows.table["place"].to_pylist())
    frame = MetricFrame(
        metrics={"signed": lambda truth, answer: float(np.mean(answer - truth)), "absolute": mean_absolute_error},
        y_true=np.zeros_like(errors),
        y_pred=errors,
        sensitive_features=places,
    )
    for level in ("town", "village", "island"):
        members, rest = places == level, places != level
        gap = group_gap(errors, members, rows.blocks)
        assert gap.value + errors[rest].mean() == pytest.approx(frame.by_group.loc[level, "signed"])
    found = {one.level: one for one in group_errors.judge(rows) if one.column == "place"}
    others = np.abs(errors[places != "island"]).mean()
    ratio = frame.by_group.loc["island", "absolute"] / others
    assert found["island"].relative_loss == pytest.approx(ratio, rel=0.05)


def test_the_error_of_a_gap_is_that_of_a_regression_with_clustered_errors() -> None:
    random = np.random.default_rng(1)
    days = np.repeat(np.arange(150), 40)
    members = random.random(len(days)) < 0.2
    values = random.normal(0, 1, len(days)) + random.normal(0, 0.7, 150)[days] + 0.3 * members
    ours = group_gap(values, members, days)
    fit = OLS(values, np.column_stack([np.ones(len(days)), members])).fit(cov_type="cluster", cov_kwds={"groups": days})
    assert ours.value == pytest.approx(fit.params[1])
    assert ours.error == pytest.approx(fit.bse[1], rel=0.03)


def test_one_row_a_cluster_gives_welchs_error() -> None:
    random = np.random.default_rng(2)
    values, members = random.normal(0, 1, 400), np.arange(400) < 150
    ours = group_gap(values, members, np.arange(400))
    welch = stats.ttest_ind(values[members], values[~members], equal_var=False)
    assert ours.value / ours.error == pytest.approx(welch.statistic, rel=0.01)


def test_ninety_per_cent_intervals_of_gaps_cover_the_truth_in_nine_of_ten_draws() -> None:
    covered, random = 0, np.random.default_rng(3)
    days = np.repeat(np.arange(60), 30)
    for _ in range(300):
        members = random.random(len(days)) < 0.1
        values = random.normal(0, 1, len(days)) + random.normal(0, 1, 60)[days] + 0.5 * members
        covered += group_gap(values, members, days).interval(0.9).contains(0.5)
    assert 255 <= covered <= 285, f"{covered} of 300 intervals contain the truth"


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-100, 100), st.floats(0.1, 10))
def test_a_gap_moves_with_the_group_alone_and_scales_with_the_unit(seed: int, shift: float, scale: float) -> None:
    random = np.random.default_rng(seed)
    values, members, days = random.normal(0, 1, 90), random.random(90) < 0.4, random.integers(0, 9, 90)
    before = group_gap(values, members, days)
    everybody = group_gap(scale * (values + shift), members, days)
    group_only = group_gap(values + shift * members, members, days)
    assert everybody.value == pytest.approx(scale * before.value, abs=1e-9 * max(1.0, abs(shift)) * scale)
    assert group_only.value == pytest.approx(before.value + shift, abs=1e-9)
    assert group_gap(values, ~members, days).value == pytest.approx(-before.value)


def test_an_empty_side_a_zero_rest_and_a_single_day_decide_nothing() -> None:
    values, days = np.ones(10), np.arange(10)
    nobody = np.zeros(10, dtype=bool)
    assert not group_gap(values, nobody, days).interval(0.9).known
    assert np.isnan(group_gap(values, nobody, days).p_beyond(0.0))
    half = np.arange(10) < 5
    assert not group_gap(np.where(half, 1.0, 0.0), half, days, statistic="ratio").interval(0.9).known
    assert not group_gap(values, half, np.zeros(10)).interval(0.9).known
    with pytest.raises(ValueError, match="not finite"):
        group_gap(np.full(10, np.nan), half, days)


def test_winsorising_leaves_the_middle_alone() -> None:
    values = np.arange(101.0)
    held = winsorised(values)
    assert (held.min(), held.max()) == (5.0, 95.0)
    assert np.array_equal(held[5:96], values[5:96])


def test_a_bias_as_large_as_the_margin_is_neither_failed_nor_passed() -> None:
    rows = of_clinics()
    island = np.array(rows.table["place"].to_pylist()) == "island"
    gap = group_gap(winsorised(rows.errors[:, 0]), island, rows.blocks).value
    shifted = rows.errors + ((0.125 * rows.loss - gap) * island)[:, None]
    moved = GroupedRows(rows.judged, rows.table, shifted, rows.blocks, rows.held_out, rows.groupings)
    worst = group_errors.judge(moved)[0]
    assert (worst.name, worst.status) == ("place = island", "open")
    reason = group_errors.unsettled(group_errors.judge(moved), group_errors.LARGEST_GAP)
    assert reason is not None
    assert "place = island" in reason


def test_inputs_that_settle_a_group_are_found_and_others_are_not() -> None:
    rows = of_clinics()
    by_column = {grouping.column: group_swap.carriers(rows, grouping) for grouping in rows.groupings}
    assert by_column == {"place": ("ward",), "language": ()}


def test_a_raw_table_without_the_group_is_read_through_what_settles_it() -> None:
    found = group_representation.judge(clinics.ClinicData())
    assert {(one.column, one.source) for one in found} == {
        ("place", "ward of visits"),
        ("language", "language of visits"),
    }


def test_a_service_that_serves_nobody_is_no_service_to_compare() -> None:
    rows = of_clinics()
    with pytest.raises(Withheld, match="there is no service that groups could share"):
        group_service.judge(rows, clinics.ClinicServing(known=()), seed=0, effort="quick")
