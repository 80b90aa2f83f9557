from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import encoding
from reference_system.encoding import Encoding, InputError


def fitted(table: pa.Table, nullable: tuple[str, ...] = (), minimum: int = 1) -> Encoding:
    return encoding.fit(table, table.column_names, nullable=nullable, minimum_category_rows=minimum)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["UA", "AA", "B6", "ß", ""]), min_size=1))
def test_a_vocabulary_is_sorted_and_codes_count_from_one(words: list[str]) -> None:
    found = fitted(pa.table({"carrier": words})).categories[0].vocabulary
    assert list(found) == sorted(set(words))
    table = pa.table({"carrier": [*found, "unseen", None]})
    codes = encoding.code_matrix(table, fitted(pa.table({"carrier": words})))[:, 0]
    assert codes.tolist() == [*range(1, len(found) + 1), encoding.UNKNOWN, encoding.UNKNOWN]


def test_rare_categories_share_the_code_of_the_unknown_so_that_it_is_trained() -> None:
    found = fitted(pa.table({"dest": ["ATL"] * 5 + ["LEX"]}), minimum=2)
    assert found.categories[0].vocabulary == ("ATL",)


def test_missing_values_are_learned_from_the_training_rows() -> None:
    column = fitted(pa.table({"age": [1.0, None, 3.0, 8.0]})).numbers[0]
    assert (column.fill, column.nullable, column.flagged) == (3.0, True, True)
    declared = fitted(pa.table({"age": [1.0, 3.0]}), nullable=("age",)).numbers[0]
    assert (declared.nullable, declared.flagged) == (True, False)
    assert not fitted(pa.table({"age": [1.0, 3.0]})).numbers[0].nullable


def test_a_constant_column_does_not_divide_by_zero() -> None:
    assert fitted(pa.table({"seats": [150, 150]})).numbers[0].scale == 1.0


def test_a_column_without_any_value_is_refused() -> None:
    with pytest.raises(InputError, match="'age' has no value"):
        fitted(pa.table({"age": pa.array([None, None], pa.float64())}))


def test_an_encoding_survives_its_way_through_plain_data() -> None:
    found = fitted(pa.table({"age": [1.0, None], "carrier": ["AA", "B6"]}))
    assert Encoding.from_mapping(found.as_mapping()) == found
    assert found.inputs == ("age", "carrier")


def test_booleans_and_integers_are_numbers_and_times_are_not() -> None:
    table = pa.table({"late": [True, False], "seats": [3, 4]})
    assert encoding.number_matrix(table, fitted(table)).tolist() == [[1.0, 3.0], [0.0, 4.0]]
    with pytest.raises(InputError, match="timestamp"):
        fitted(pa.table({"at": pa.array([0, 1], pa.timestamp("us"))}))
    assert np.isnan(encoding.number_values(pa.chunked_array([pa.array([None], pa.null())]), "x")).all()
