from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from mltest.stats import SliceReport, SliceStatus, compare_slices, find_candidates

LIMIT = 1.2


@dataclass(frozen=True)
class Flights:
    """Rows of a simulated test period: losses of a reference, and the columns that slices come from."""

    day: npt.NDArray[np.intp]
    carrier: npt.NDArray[np.str_]
    night: npt.NDArray[np.bool_]
    reference: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]

    def judge(
        self, ratio: npt.NDArray[np.float64] | float, foreseen: tuple[str, ...] = (), seed: int = 1
    ) -> SliceReport:
        candidates = find_candidates({"carrier": self.carrier, "night": self.night})
        named = [one.name for one in candidates.slices if one.columns in [(name,) for name in foreseen]]
        return compare_slices(
            self.reference * ratio * self.noise,
            self.reference,
            self.day,
            candidates,
            limit=LIMIT,
            foreseen=named,
            seed=seed,
        )


def flights(seed: int, days: int = 48, rows: int = 60) -> Flights:
    generator = np.random.default_rng(seed)
    n = days * rows
    shares = 1 / np.arange(1, 13)
    storm = np.exp(0.3 * generator.normal(size=days))
    day = np.repeat(np.arange(days), rows)
    # Mean one, so that the ratio that a test plants is the true ratio; a day's error is shared by its flights.
    noise = np.exp(0.2 * generator.normal(size=days) - 0.02)[day] * np.exp(0.4 * generator.normal(size=n) - 0.08)
    return Flights(
        day,
        generator.choice([f"C{number:02d}" for number in range(12)], n, p=shares / shares.sum()),
        generator.random(n) < 0.3,
        generator.exponential(size=n) * storm[day] + 0.1,
        noise,
    )


def failed_names(report: SliceReport) -> set[str]:
    return {result.name for result in report.with_status(SliceStatus.FAILED)}


def test_a_bad_carrier_fails_and_is_the_one_that_is_named() -> None:
    data = flights(1)
    report = data.judge(np.where(data.carrier == "C03", 1.8, 1.0))
    assert "carrier = C03" in failed_names(report)
    assert all("C03" in name for name in failed_names(report))
    assert "C03" in report.results[0].name


def test_an_intersection_fails_although_its_margins_look_fine() -> None:
    data = flights(2, rows=120)
    report = data.judge(np.where((data.carrier == "C02") & data.night, 2.0, 0.9))
    assert "carrier = C02 and night = True" in failed_names(report)
    assert "night = True" not in failed_names(report)


def test_with_every_slice_at_the_limit_false_alarms_stay_within_their_level() -> None:
    runs = 120
    alarms = sum(bool(failed_names(flights(seed).judge(LIMIT))) for seed in range(runs))
    assert alarms <= binom.ppf(0.999, runs, 0.025)


def test_so_they_do_where_slices_were_foreseen_and_tested_on_all_days() -> None:
    runs = 120
    alarms = sum(bool(failed_names(flights(seed).judge(LIMIT, ("carrier", "night")))) for seed in range(runs))
    assert alarms <= binom.ppf(0.999, runs, 0.025)


def test_a_foreseen_slice_is_judged_alike_however_the_days_are_halved() -> None:
    data = flights(3)
    ratio = np.where(data.carrier == "C03", 1.55, 1.0)
    reports = [data.judge(ratio, ("carrier",), seed) for seed in range(8)]
    bad = [next(one for one in report.results if one.name == "carrier = C03") for report in reports]
    assert {(one.status, one.ratio) for one in bad} == {(SliceStatus.FAILED, bad[0].ratio)}
    assert any("carrier = C03" not in failed_names(data.judge(ratio, seed=seed)) for seed in range(8))


def test_a_foreseen_slice_that_is_not_confirmed_has_an_interval_around_the_limit() -> None:
    for seed in range(20):
        report = flights(seed).judge(1.3, ("carrier", "night"))
        for result in report.with_status(SliceStatus.UNDECIDED):
            if len(result.columns) == 1 and result.ratio > LIMIT:
                assert result.interval.low <= LIMIT < result.interval.high


def test_a_good_model_holds_on_its_large_slices() -> None:
    report = flights(4).judge(0.9)
    holding = {result.name for result in report.with_status(SliceStatus.HOLDS)}
    assert {"carrier = C00", "carrier = C01", "night = False"} <= holding
    assert report.overall_ratio == pytest.approx(0.9, rel=0.1)


def test_a_slice_that_failed_has_its_whole_interval_above_the_limit_and_no_other_tested_one_has() -> None:
    data = flights(5)
    report = data.judge(np.where(data.carrier == "C01", 1.5, 1.25))
    tested = [result for result in report.results if not math.isnan(result.p_adjusted)]
    assert tested
    for result in tested:
        failed = result.status is SliceStatus.FAILED
        assert failed == (result.interval.low > LIMIT) == (result.p_adjusted <= 0.025)


def test_a_small_slice_is_unknown_however_bad_it_looks() -> None:
    data = flights(6)
    carrier = data.carrier.copy()
    carrier[:10], carrier[-10:] = "OO", "OO"
    rare = Flights(data.day, carrier, data.night, data.reference, data.noise)
    report = rare.judge(np.where(carrier == "OO", 5.0, 1.0))
    (unknown,) = (result for result in report.results if result.name == "carrier = OO")
    assert unknown.status is SliceStatus.UNKNOWN
    assert unknown.n == 20
    assert unknown.n_needed == 50
    assert not unknown.interval.known


def test_many_rows_of_few_days_are_unknown_too() -> None:
    data = flights(7, days=6, rows=500)
    assert {result.status for result in data.judge(2.0).results} == {SliceStatus.UNKNOWN}


def test_an_undecided_slice_says_how_many_rows_would_decide() -> None:
    undecided = flights(8).judge(1.15).with_status(SliceStatus.UNDECIDED)
    assert undecided
    assert all(result.n_needed is not None and result.n_needed > result.n for result in undecided)


def test_no_slice_is_lost_between_candidates_and_report() -> None:
    report = flights(9).judge(1.0)
    assert sum(result.n for result in report.results if result.columns == ("carrier",)) == report.n_rows


def test_the_order_of_rows_does_not_matter() -> None:
    data = flights(10)
    order = np.random.default_rng(0).permutation(len(data.day))
    columns = (data.day, data.carrier, data.night, data.reference, data.noise)
    shuffled = Flights(*(column[order] for column in columns))
    before = {result.name: (result.ratio, result.status) for result in data.judge(1.3).results}
    after = {result.name: (result.ratio, result.status) for result in shuffled.judge(1.3).results}
    assert before.keys() == after.keys()
    assert all(after[name] == (pytest.approx(ratio), status) for name, (ratio, status) in before.items())


def test_the_unit_of_the_loss_does_not_matter() -> None:
    data = flights(11)
    in_seconds = Flights(data.day, data.carrier, data.night, data.reference * 60, data.noise)
    ratios = [[result.ratio for result in one.judge(1.1).results] for one in (data, in_seconds)]
    assert ratios[0] == pytest.approx(ratios[1])


def test_ranking_does_not_take_the_worst_of_many_small_slices_at_face_value() -> None:
    ranked = flights(12).judge(1.0)
    small = [result for result in ranked.results if result.n < 100 and not math.isnan(result.shrunken_ratio)]
    assert small
    overall = ranked.overall_ratio
    worst = max(small, key=lambda result: result.ratio)
    assert abs(worst.shrunken_ratio - overall) < abs(worst.ratio - overall)


def test_a_comparison_with_itself_or_with_nothing_judges_no_slice() -> None:
    candidates = find_candidates({"a": ["x", "y"]})
    same = compare_slices([1.0, 2.0], [1.0, 2.0], [1, 2], candidates, seed=1)
    broken = compare_slices([1.0, math.nan], [1.0, 2.0], [1, 2], candidates, seed=1)
    assert (same.results, broken.results) == ((), ())
    assert same.reason == "both losses are equal on every row: the comparison has no content"
    assert broken.reason == "1 of 2 rows of loss are not finite"


def test_a_slice_whose_reference_makes_no_error_is_unknown() -> None:
    data = flights(13)
    perfect = np.where(data.night, 0.0, data.reference)
    report = compare_slices(data.reference, perfect, data.day, find_candidates({"night": data.night}), seed=1)
    (night,) = (result for result in report.results if result.name == "night = True")
    assert night.status is SliceStatus.UNKNOWN
    assert math.isnan(night.ratio)


def test_wrong_use_is_refused() -> None:
    candidates = find_candidates({"a": ["x", "y"]})
    with pytest.raises(ValueError, match="losses are negative"):
        compare_slices([-1.0, 2.0], [1.0, 2.0], [1, 2], candidates, seed=1)
    with pytest.raises(ValueError, match="candidates speak of 2 rows"):
        compare_slices([1.0], [1.0], [1], candidates, seed=1)
    with pytest.raises(ValueError, match="limit is 0"):
        compare_slices([1.0, 2.0], [1.0, 3.0], [1, 2], candidates, limit=0, seed=1)
