from __future__ import annotations

import math
from typing import Any

import ibis
import pandera.errors
import pandera.ibis as pandera_ibis
import pandera.pandas as pandera_pandas
import pandera.polars as pandera_polars
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.polars import Check, Column, DataFrameSchema

from mltest import tables


def found(table: Any, schema: Any) -> dict[str, tuple[int, int]]:
    """Count and n of every check, by its name."""
    return {entry.check: (entry.count, entry.n) for entry in tables.violations(table, schema)}


def of(column: Any, values: Any, kind: Any = None) -> dict[str, tuple[int, int]]:
    return found(pa.table({"x": pa.array(values, kind)}), DataFrameSchema({"x": column}))


@pytest.mark.parametrize(
    ("check", "values", "count"),
    [
        (Check.in_range(0, 1), [0.0, 1.0, 1.5, -1.0], 2),
        (Check.in_range(0, 1, include_min=False, include_max=False), [0.0, 1.0, 0.5], 2),
        (Check.eq(1), [1.0, 2.0], 1),
        (Check.ne(1), [1.0, 2.0], 1),
        (Check.gt(1), [1.0, 2.0], 1),
        (Check.ge(1), [1.0, 0.0], 1),
        (Check.lt(1), [1.0, 0.0], 1),
        (Check.le(1), [1.0, 2.0], 1),
        (Check.isin([1, 2]), [1.0, 2.0, 3.0], 1),
        (Check.notin([1, 2]), [1.0, 2.0, 3.0], 2),
        (Check.isin(["AA"]), ["AA", "AA ", "aa"], 2),
        (Check.str_matches("A"), ["AA", "BA"], 1),
        (Check.str_matches("^A$|^B"), ["A", "AB", "BB"], 1),
        (Check.str_contains("A$"), ["AB", "BA"], 1),
        (Check.str_startswith("A%"), ["AB", "A%"], 1),
        (Check.str_endswith("A"), ["AB", "BA"], 1),
        (Check.str_length(2, 3), ["a", "ab", "abcd"], 2),
        (Check.str_length(exact_value=2), ["ü", "üü"], 1),
    ],
)
def test_every_built_in_check_counts_the_rows_that_break_it(check: Any, values: list[Any], count: int) -> None:
    counts = of(Column(None, check), values)
    assert [counted for name, counted in counts.items() if name != "not null"] == [(count, len(values))]


@pytest.mark.parametrize("pandera", [pandera_polars, pandera_pandas, pandera_ibis])
def test_a_schema_of_every_backend_is_understood(pandera: Any) -> None:
    schema = pandera.DataFrameSchema({"x": pandera.Column(float, pandera.Check.in_range(0, 1), unique=True)})
    assert found(pa.table({"x": [0.5, 0.5, 2.0, None]}), schema) == {
        "type float64": (0, 4),
        "not null": (1, 4),
        "unique": (1, 3),
        "in_range(0, 1)": (1, 3),
    }


def test_examples_are_the_extremes_of_what_breaks_a_rule() -> None:
    table = pa.table({"x": [0.5, 7.0, 9.0, -3.0]})
    (broken,) = [
        entry for entry in tables.violations(table, DataFrameSchema({"x": Column(float, Check.le(1))})) if entry.count
    ]
    assert broken.examples == ("7.0", "9.0")


def test_examples_of_repeated_keys_are_the_keys() -> None:
    schema = DataFrameSchema({"x": Column(str, unique=True)})
    (broken,) = [e for e in tables.violations(pa.table({"x": ["b", "a", "b", "a", "c"]}), schema) if e.count]
    assert (broken.check, broken.count, broken.examples) == ("unique", 2, ("a", "b"))


def test_a_long_example_is_cut() -> None:
    schema = DataFrameSchema({"x": Column(str, Check.str_length(max_value=3))})
    (broken,) = [e for e in tables.violations(pa.table({"x": ["a" * 10_000]}), schema) if e.count]
    assert len(broken.examples[0]) == 80


def test_a_missing_column_is_broken_in_every_row_and_at_least_once() -> None:
    schema = DataFrameSchema({"x": Column(float, Check.ge(0))})
    assert found(pa.table({"y": [1.0, 2.0]}), schema) == {"present": (2, 2)}
    assert found(pa.table({"y": pa.array([], pa.float64())}), schema) == {"present": (1, 0)}


def test_a_column_that_may_be_missing_may() -> None:
    assert found(pa.table({"y": [1.0]}), DataFrameSchema({"x": Column(float, required=False)})) == {}


def test_another_type_is_broken_in_every_row_and_so_are_its_bounds() -> None:
    counts = of(Column(float, Check.in_range(0, 1)), ["a", "b"])
    assert counts == {"type float64": (2, 2), "not null": (0, 2), "in_range(0, 1)": (2, 2)}


def test_a_type_that_may_be_coerced_is_broken_where_it_cannot() -> None:
    counts = of(Column(float, Check.le(1), coerce=True), ["1", "2", "x"])
    assert counts["coerces to float64"] == (1, 3)
    assert counts["le(1)" if "le(1)" in counts else "less_than_or_equal_to(1)"] == (1, 2)


def test_without_rows_nothing_is_looked_at() -> None:
    schema = DataFrameSchema({"x": Column(float, Check.ge(0), unique=True)})
    entries = tables.violations(pa.table({"x": pa.array([], pa.float64())}), schema)
    assert [entry.looked for entry in entries] == [False] * 4


def test_in_a_column_of_nulls_no_check_has_anything_to_look_at() -> None:
    counts = of(Column(float, Check.ge(0), nullable=True), [None, None], pa.float64())
    assert counts["greater_than_or_equal_to(0)"] == (0, 0)


def test_a_statistic_of_nothing_but_nulls_has_not_been_looked_at() -> None:
    median = Check(lambda data: data.lazyframe.select(polars.col(data.key).median() < 5), name="median")
    assert of(Column(float, median, nullable=True), [None, None], pa.float64())["median"] == (0, 0)
    assert of(Column(float, median, nullable=True), [1.0, None])["median"][0] == 0
    assert of(Column(float, median, nullable=True), [9.0, 9.0])["median"][0] == 2


def test_nan_is_no_value_and_infinity_out_of_every_range() -> None:
    counts = of(Column(float, Check.in_range(0, 1)), [0.5, math.nan, math.inf])
    assert counts["not null"] == (1, 3)
    assert counts["in_range(0, 1)"] == (1, 2)


def test_nulls_that_a_check_does_not_ignore_break_it() -> None:
    assert of(Column(float, Check.ge(0, ignore_na=False), nullable=True), [1.0, None])[
        "greater_than_or_equal_to(0)"
    ] == (1, 1)


def test_patterns_name_several_columns() -> None:
    schema = DataFrameSchema({"^f_": Column(float, Check.ge(0), regex=True)})
    entries = tables.violations(pa.table({"f_1": [-1.0], "f_2": [1.0], "g": [-1.0]}), schema)
    assert [(e.column, e.count) for e in entries if e.check.startswith("greater")] == [("f_1", 1), ("f_2", 0)]


def test_a_strict_schema_finds_columns_that_nobody_expected() -> None:
    schema = DataFrameSchema({"x": Column(float)}, strict=True)
    assert [
        (e.column, e.count)
        for e in tables.violations(pa.table({"x": [1.0], "y": [1.0]}), schema)
        if e.check == "expected"
    ] == [("y", 1)]


def test_columns_that_are_unique_together_are_counted_together() -> None:
    schema = DataFrameSchema({"x": Column(str), "y": Column(str)}, unique=["x", "y"])
    table = pa.table({"x": ["a", "a", "a"], "y": ["b", "b", "c"]})
    assert found(table, schema)["unique(x, y)"] == (1, 3)


def test_the_order_of_columns_counts_where_a_schema_says_so() -> None:
    schema = DataFrameSchema({"x": Column(float), "y": Column(float)}, ordered=True)
    assert found(pa.table({"y": [1.0], "x": [1.0]}), schema)["in order"][0] == 1
    assert found(pa.table({"x": [1.0], "y": [1.0]}), schema)["in order"][0] == 0


def _positive(data: Any) -> Any:
    return data.lazyframe.select(polars.col(data.key) > 0)


def test_a_check_that_somebody_wrote_is_counted_by_pandera() -> None:
    counts = of(Column(float, Check(_positive, name="positive"), nullable=True), [1.0, -1.0, None])
    assert counts["positive"] == (1, 2)


def test_one_that_bears_the_name_of_a_built_in_check_is_not_taken_for_it() -> None:
    everything = Check(lambda data: data.lazyframe.select(polars.lit(True)), name="in_range")
    assert of(Column(float, everything), [5.0])["in_range"] == (0, 1)


def test_a_check_of_the_whole_table_sees_columns_together() -> None:
    schema = DataFrameSchema(
        {"x": Column(float), "y": Column(float)},
        checks=Check(lambda data: data.lazyframe.select(polars.col("x") <= polars.col("y")), name="x before y"),
    )
    assert found(pa.table({"x": [1.0, 5.0], "y": [2.0, 2.0]}), schema)["x before y"] == (1, 2)


def test_a_check_that_raises_has_not_held_and_says_so() -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("no such\nthing")

    schema = DataFrameSchema({"x": Column(float, Check(broken, name="broken"))})
    (entry,) = [e for e in tables.violations(pa.table({"x": [1.0]}), schema) if e.check == "broken"]
    assert (entry.count, entry.examples) == (1, ("RuntimeError: no such thing",))


def test_checks_of_pandas_and_of_ibis_run_where_they_belong() -> None:
    table = pa.table({"x": [1.0, -1.0]})
    pandas = pandera_pandas.DataFrameSchema(
        {"x": pandera_pandas.Column(float, pandera_pandas.Check(lambda series: series > 0, name="positive"))}
    )
    in_ibis = pandera_ibis.DataFrameSchema(
        {"x": pandera_ibis.Column(float, pandera_ibis.Check(lambda data: data.table[data.key] > 0, name="positive"))}
    )
    assert found(table, pandas)["positive"] == (1, 2)
    assert found(table, in_ibis)["positive"][0] >= 1


def test_a_pattern_that_the_engine_does_not_know_is_left_to_pandera() -> None:
    schema = pandera_pandas.DataFrameSchema(
        {"x": pandera_pandas.Column(str, pandera_pandas.Check.str_matches("(?!A)B"))}
    )
    assert next(iter(e.count for e in tables.violations(pa.table({"x": ["B", "A"]}), schema) if "str_" in e.check)) == 1


def test_a_choice_of_columns_leaves_the_others_alone() -> None:
    schema = DataFrameSchema({"x": Column(float, Check.ge(0)), "y": Column(float, Check.ge(0)), "z": Column(float)})
    entries = tables.violations(pa.table({"x": [-1.0], "y": [-1.0]}), schema, columns=["y"])
    assert {entry.column for entry in entries} == {"y"}


def test_a_table_in_a_database_is_counted_there() -> None:
    table = ibis.range(200_000).unnest().name("x").as_table()
    counts = found(table, DataFrameSchema({"x": Column(int, Check.lt(150_000), unique=True)}))
    assert counts["less_than(150000)"] == (50_000, 200_000)
    assert counts["unique"] == (0, 200_000)


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(TypeError, match="dict is no pandera schema"):
        tables.violations(pa.table({"x": [1]}), {"x": "float"})


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(-3, 3), st.just(math.nan)), min_size=1, max_size=20),
    low=st.floats(-2, 2),
    nullable=st.booleans(),
    unique=st.booleans(),
)
def test_a_table_has_no_violations_exactly_where_pandera_accepts_it(
    values: list[float | None], low: float, nullable: bool, unique: bool
) -> None:
    present = [value for value in values if value is not None and not math.isnan(value)]
    if unique and len(present) < len(values) - 1:
        return  # pandera takes two nulls for a repeated key, a database does not
    table = pa.table({"x": pa.array(values, pa.float64())})
    schema = DataFrameSchema({"x": Column(float, Check.ge(low), nullable=nullable, unique=unique)})
    frame = polars.from_arrow(table)
    assert isinstance(frame, polars.DataFrame)
    try:
        schema.validate(frame.fill_nan(None))
        accepted = True
    except pandera.errors.SchemaError:
        accepted = False
    assert accepted == (not any(entry.count for entry in tables.violations(table, schema)))
