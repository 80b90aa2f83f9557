from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.stats import compare_values

floats = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40)


@given(floats)
def test_a_copy_agrees_with_its_original_also_where_values_are_missing_or_infinite(values: list[float]) -> None:
    assert compare_values(np.array(values), np.array(values)).agrees


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_exactly_the_changed_rows_are_named(values: list[int], data: st.DataObject) -> None:
    changed = data.draw(st.sets(st.integers(0, len(values) - 1)))
    other = [value + 1 if row in changed else value for row, value in enumerate(values)]
    agreement = compare_values(values, other, keep=5)
    assert agreement.mismatches == len(changed)
    assert agreement.first_mismatches == tuple(sorted(changed))[:5]


@given(st.floats(-1e6, 1e6), st.floats(-1, 1))
def test_floats_agree_within_the_stated_tolerance_and_no_further(value: float, part: float) -> None:
    tolerance = 1e-6 + 1e-5 * abs(value)
    assert compare_values([value], [value + 0.99 * part * tolerance]).agrees
    assert not compare_values([value], [value + math.copysign(1.01, part) * tolerance]).agrees


def test_single_and_double_precision_of_one_value_agree() -> None:
    values = np.random.default_rng(0).normal(size=100) * 1000
    assert compare_values(values, values.astype(np.float32)).agrees


def test_a_negative_zero_is_a_zero() -> None:
    assert compare_values([0.0], [-0.0]).agrees


def test_missing_on_one_side_alone_is_a_mismatch_of_its_own_kind() -> None:
    agreement = compare_values([1.0, math.nan, math.nan], [1.0, 0.0, math.nan])
    assert (agreement.mismatches, agreement.missing_mismatches) == (1, 1)
    assert agreement.first_mismatches == (1,)


def test_opposite_infinities_differ() -> None:
    assert compare_values([math.inf], [-math.inf]).mismatches == 1
    assert compare_values([math.inf], [1e300]).mismatches == 1


def test_integers_get_no_tolerance_even_against_floats() -> None:
    assert compare_values([1_000_000], [1_000_001]).mismatches == 1
    assert compare_values([1_000_000], [1_000_000.5]).mismatches == 1
    assert compare_values([3, 4], [3.0, 4.0]).agrees


def test_large_identifiers_do_not_collide_as_floats() -> None:
    assert compare_values([2**60], [2**60 + 1]).mismatches == 1


def test_texts_must_be_equal_and_missing_texts_are_equal() -> None:
    first = np.array(["AA", None, "MQ ", ""], dtype=object)
    second = np.array(["AA", None, "MQ", None], dtype=object)
    assert compare_values(first, second).first_mismatches == (2, 3)


def test_truth_values_are_compared_exactly() -> None:
    assert compare_values([True, False], [True, True]).first_mismatches == (1,)


def test_the_same_instant_in_another_zone_agrees() -> None:
    noon = datetime(2013, 11, 3, 12, tzinfo=UTC)
    in_new_york = noon.astimezone(timezone(timedelta(hours=-5)))
    first, second = np.array([noon], dtype=object), np.array([in_new_york], dtype=object)
    assert compare_values(first, second).agrees
    assert compare_values(np.array(["2013-11-03T12:00"], dtype="datetime64[s]"), second).agrees
    assert not compare_values(first, second + timedelta(hours=1)).agrees


def test_different_types_are_a_mismatch_in_every_row_that_says_so() -> None:
    agreement = compare_values([1, 2], ["1", "2"])
    assert agreement.mismatches == 2
    assert agreement.reason == "the types differ: number against text"


def test_a_column_that_is_missing_throughout_differs_from_any_value() -> None:
    nothing = np.array([None, None], dtype=object)
    assert compare_values(nothing, ["a", "b"]).missing_mismatches == 2
    assert compare_values(nothing, nothing.copy()).agrees


def test_the_largest_difference_is_over_finite_numbers() -> None:
    assert compare_values([1.0, math.inf, 5.0], [1.5, 0.0, 5.0]).largest_difference == pytest.approx(0.5)


def test_no_rows_and_a_comparison_with_itself_never_agree() -> None:
    values = np.array([1.0, 2.0])
    assert compare_values([], []).reason == "there are no rows to compare"
    assert compare_values(values, values).reason == "the column is compared with itself"
    assert not compare_values([], []).agrees
    assert not compare_values(values, values[:]).agrees


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="first 1, second 2"):
        compare_values([1], [1, 2])


def test_a_column_of_objects_that_mixes_whole_and_broken_numbers_is_one_of_floats() -> None:
    as_logged = np.array([3, 2.5, None], dtype=object)
    assert compare_values([3.0, 2.5 + 1e-7, math.nan], as_logged).agrees


def test_a_table_is_no_column() -> None:
    with pytest.raises(ValueError, match="first has 2 dimensions"):
        compare_values([[1, 2]], [[1, 2]])
