"""The kill ratio: strict schemas refuse nearly everything, loose ones nearly nothing, and clean batches never count."""

from __future__ import annotations

import numpy as np
import pandera.pandas
import pandera.polars
import polars
import pyarrow as pa
import pytest

from mltest.probes import pandera_schemas, schema_power

RANDOM = np.random.default_rng(3)
ROWS = pa.table(
    {
        "key": np.arange(3000),
        "price": RANDOM.uniform(10, 90, 3000),
        "word": RANDOM.choice(["plum", "pear"], 3000),
    }
)


def strict(module: object = pandera.polars, number: object = polars.Float64) -> object:
    return module.DataFrameSchema(  # type: ignore[attr-defined]
        {
            "key": module.Column(int, unique=True),  # type: ignore[attr-defined]
            "price": module.Column(number, pandera.polars.Check.in_range(9, 100)),  # type: ignore[attr-defined]
            "word": module.Column(str, pandera.polars.Check.isin(["plum", "pear"])),  # type: ignore[attr-defined]
        }
    )


@pytest.mark.parametrize("schema", [strict(), strict(pandera.pandas, float)], ids=["polars", "pandas"])
def test_a_strict_schema_of_any_backend_refuses_every_damage(schema: object) -> None:
    found = schema_power.power(schema, ROWS, ["price", "word"], ["key"])
    assert found.refused_clean == ()
    assert found.survivors == ()
    assert found.rate.value == 1.0
    assert found.batch_rows == schema_power.BATCH


def test_a_schema_that_says_nothing_refuses_nothing_but_what_is_not_there() -> None:
    silent = pandera.polars.DataFrameSchema({"price": pandera.polars.Column(nullable=True)})
    found = schema_power.power(silent, ROWS, ["price"], ["key"])
    assert found.rate.events == 1
    assert "price (burst of nulls" in found.worst()
    assert "repeated rows" in found.worst()


def test_a_rule_across_columns_counts_for_the_columns_that_it_speaks_of() -> None:
    def dearer(data: object) -> object:
        return data.lazyframe.select(polars.col("price") < 100)  # type: ignore[attr-defined]

    across = pandera.polars.DataFrameSchema(
        {"price": pandera.polars.Column(polars.Float64)}, checks=[pandera.polars.Check(dearer)]
    )
    survivors = {each.damage for each in schema_power.power(across, ROWS, ["price"]).survivors}
    assert "value out of range" not in survivors
    assert "sign flipped" in survivors


def test_a_column_whose_clean_batch_is_refused_proves_nothing() -> None:
    wrong = pandera.polars.DataFrameSchema(
        {
            "price": pandera.polars.Column(polars.Float64, pandera.polars.Check.lt(20)),
            "word": pandera.polars.Column(polars.String, pandera.polars.Check.isin(["plum", "pear"])),
        }
    )
    found = schema_power.power(wrong, ROWS, ["price", "word"])
    assert found.refused_clean == ("price",)
    assert found.rate.trials == 6


def test_a_missing_number_is_the_same_whether_it_is_null_or_nan() -> None:
    batch = schema_power.even_batch(pa.table({"x": [1.0, float("nan"), None]}))
    assert batch["x"].null_count == 2


def test_a_column_that_nothing_protects_is_named_first_however_well_the_others_are() -> None:
    gap = pandera.polars.DataFrameSchema(
        {
            "price": pandera.polars.Column(polars.Float64, pandera.polars.Check.in_range(9, 100)),
            "word": pandera.polars.Column(polars.String, pandera.polars.Check.str_matches(r"^\w+$")),
        }
    )
    weakest, price = schema_power.power(gap, ROWS, ["price", "word"]).of_columns()
    assert (weakest.of, weakest.refused, weakest.tried) == ("word", 1, 3)
    assert price.share == 1.0


def test_coercing_lets_types_change() -> None:
    for coerce, share in ((False, 1.0), (True, 0.0)):
        schema = pandera.polars.DataFrameSchema(
            {"price": pandera.polars.Column(polars.Float64, pandera.polars.Check.in_range(9, 100))}, coerce=coerce
        )
        types = schema_power.power(schema, ROWS, ["price"]).of_types()
        assert types is not None
        assert types.share == share


def test_declared_bounds_and_values_are_read_off_a_schema() -> None:
    schema = strict()
    assert pandera_schemas.declared(schema, "price") == pandera_schemas.Declared(9.0, 100.0, None)
    assert pandera_schemas.declared(schema, "word").values == {"plum", "pear"}
    assert pandera_schemas.declared(schema, "nowhere") == pandera_schemas.Declared()
