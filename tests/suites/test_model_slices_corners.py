"""Model 6, from outside: what is wrong where a declared column meets a range, at its end, or by giving no answer."""

from __future__ import annotations

import pytest

from tests.suites.running import ItemResult, run_item

ITEM = "model.slices"


def scored(pytester: pytest.Pytester, name: str, *options: str) -> ItemResult:
    return run_item(pytester, f"tests.suites.ferry_corners:{name}", ITEM, (), *options)


@pytest.mark.parametrize(
    ("variant", "named"),
    [
        ("bad_in_stormy_nights", "shift = night and wind = ["),
        ("bad_at_iona_in_strong_wind", "port = iona and wind = ["),
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
