from __future__ import annotations

import math
from typing import Any

import pandera.polars as pandera
import polars
import pytest
from pandera.polars import Check, Column

from mltest import tables


def covered(column: Any) -> bool:
    return tables.coverage(pandera.DataFrameSchema({"x": column}), ["x"]).checked == ("x",)


@pytest.mark.parametrize(
    "column",
    [
        Column(float, Check.in_range(0, 1)),
        Column(float, Check.in_range(-math.inf, 1)),
        Column(float, Check.ge(0)),
        Column(float, Check.lt(9)),
        Column(str, Check.isin(["a"])),
        Column(str, Check.notin(["a"])),
        Column(str, Check.str_matches("^[A-Z]{2}$")),
        Column(str, Check.str_length(max_value=3)),
        Column(float, [Check.in_range(-math.inf, math.inf), Check.ne(0)]),
        Column(float, Check(lambda data: data.lazyframe.select(polars.col(data.key) > 0))),
        Column(bool),
        Column(polars.Enum(["a", "b"])),
    ],
)
def test_a_check_that_can_reject_a_value_covers_its_column(column: Any) -> None:
    assert covered(column)


@pytest.mark.parametrize(
    "column",
    [
        Column(float),
        Column(float, nullable=True),
        Column(float, Check.in_range(-math.inf, math.inf)),
        Column(float, Check.in_range(-1e308, 1e308)),
        Column(float, Check.ge(-math.inf)),
        Column(float, Check.le(math.inf)),
        Column(str, Check.notin([])),
        Column(str, Check.str_matches(".*")),
        Column(str, Check.str_matches("^.*$")),
        Column(str, Check.str_matches("^.+$")),
        Column(str, Check.str_length(min_value=1, max_value=1_000)),
        Column(str, Check.str_contains("")),
        Column(str, Check.str_startswith("")),
        Column(str, Check.str_length(min_value=0)),
        Column(bool, nullable=True),
    ],
)
def test_a_check_that_accepts_everything_covers_nothing(column: Any) -> None:
    assert not covered(column)


def test_an_input_that_the_schema_does_not_know_is_not_covered() -> None:
    schema = pandera.DataFrameSchema({"a": Column(float, Check.ge(0))})
    found = tables.coverage(schema, ["a", "b"])
    assert (found.checked, found.unchecked, found.share) == (("a",), ("b",), 0.5)


def test_a_pattern_covers_the_columns_that_it_matches() -> None:
    schema = pandera.DataFrameSchema({"^f_.*": Column(float, Check.ge(0), regex=True)})
    assert tables.coverage(schema, ["f_1", "g_1"]).checked == ("f_1",)


def test_no_inputs_are_no_share() -> None:
    assert tables.coverage(pandera.DataFrameSchema({}), []).share is None


def test_a_model_class_is_a_schema_too() -> None:
    class Rows(pandera.DataFrameModel):
        a: float = pandera.Field(ge=0)

    assert tables.coverage(Rows, ["a"]).share == 1
