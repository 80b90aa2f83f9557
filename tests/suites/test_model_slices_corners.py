"""Model 6, from outside: what is wrong where columns meet, at the end of a range, without an answer, or left out."""

from __future__ import annotations

import pytest

from tests.suites.running import ItemResult, run_item

ITEM = "model.slices"


def scored(pytester: pytest.Pytester, name: str) -> ItemResult:
    return run_item(pytester, f"tests.suites.ferry_corners:{name}", ITEM)


def filtered(pytester: pytest.Pytester, name: str) -> ItemResult:
    return run_item(pytester, f"tests.suites.ferry_filters:{name}", ITEM)


@pytest.mark.parametrize(
    ("variant", "named"),
    [
        ("bad_in_stormy_nights", "shift = night and wind = ["),
        ("bad_at_iona_in_strong_wind", "port = iona and wind = ["),
        ("bad_when_windy_and_full", "wind = [18.4774, inf) and load = [0.74"),
        ("bad_in_extreme_wind", "wind = [23.7"),
        ("bad_without_wave_at_night", "shift = night and wave is missing = yes"),
    ],
)
def test_a_corner_that_is_served_badly_fails_by_name(pytester: pytest.Pytester, variant: str, named: str) -> None:
    found = scored(pytester, variant)
    assert found.verdict == "failed", found.message
    assert found.message.startswith(named), found.message


@pytest.mark.parametrize("variant", ["hardly_off_in_stormy_nights", "hard_in_stormy_nights", "unlucky_at_rum"])
def test_a_corner_that_is_hard_unlucky_or_hardly_off_keeps_the_verdict(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, variant)
    assert found.verdict == "passed", found.message
    assert found.value("pairs_searched") > 100
    assert found.value("slices_unknown") == 1


def test_a_declared_slice_that_looks_worse_than_allowed_is_the_worst_and_lets_nothing_pass(
    pytester: pytest.Pytester,
) -> None:
    found = scored(pytester, "frozen_at_mull")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "too_little_data"), found.message
    assert found.message.startswith("port = mull (166 rows) looks worse than allowed with 1.41")
    assert found.value("worst_slice_ratio") > 1.2


def test_a_declared_slice_without_answers_fails_by_name(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "silent_at_mull")
    assert found.verdict == "failed", found.message
    assert found.message.startswith("port = mull (166 rows) gets no finite answer on 100% of its rows")


def test_rows_without_an_answer_all_over_the_place_are_no_slice(pytester: pytest.Pytester) -> None:
    found = scored(pytester, "silent_here_and_there")
    assert found.verdict == "not_demonstrated", found.message
    assert "not finite" in found.message


@pytest.mark.parametrize(
    ("variant", "named"),
    [
        ("gaps_left_out_of_the_holdout", "wave is missing = yes has 255 raw rows, of which the data set keeps 0"),
        ("gaps_left_out_everywhere", "wave is missing = yes has 918 raw rows, of which the data set keeps 0"),
        ("storms_left_out", "wind = [23.7"),
        ("pair_left_out", "port = iona and shift = night has 331 raw rows, of which the data set keeps 0"),
    ],
)
def test_rows_that_a_filter_kept_from_the_evidence_fail_by_name(
    pytester: pytest.Pytester, variant: str, named: str
) -> None:
    found = filtered(pytester, variant)
    assert found.verdict == "failed", found.message
    assert named in found.message


@pytest.mark.parametrize(
    "variant", ["gaps_left_out_of_training", "gaps_filled", "gaps_never_sailed", "storms_out_of_season"]
)
def test_rows_that_are_filled_unsettled_or_out_of_season_were_not_removed(
    pytester: pytest.Pytester, variant: str
) -> None:
    found = filtered(pytester, variant)
    assert found.verdict == "passed", found.message
    assert found.value("least_share_kept_of_raw") > 0.3
