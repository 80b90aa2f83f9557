"""Ways in which a feed breaks, column by column: what a schema worth the name must notice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from polars import selectors


def mutations(table: pl.DataFrame, key: str, seed: int) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Column, kind of damage and damaged table, without damage that changed nothing."""
    for column in table.columns:
        numeric = column in table.select(selectors.numeric()).columns
        text = table[column].dtype == pl.String
        damaged = {
            "null burst": pl.when(_share(table, 0.2, seed)).then(None).otherwise(pl.col(column)),
            "missing": None,
            **(_numeric(table, column, seed) if numeric else {}),
            **(_text(table, column, seed) if text else {}),
        }
        for kind, expression in damaged.items():
            mutated = table.drop(column) if expression is None else table.with_columns(expression.alias(column))
            if not mutated.equals(table):
                yield column, kind, mutated
    yield key, "duplicated rows", pl.concat([table, table.head(20)])


def _numeric(table: pl.DataFrame, column: str, seed: int) -> dict[str, pl.Expr]:
    value, kind = pl.col(column), table[column].dtype
    few = _share(table, 0.01, seed)
    return {
        "kilometres for miles": (value * 1.609).cast(kind),
        "Celsius for Fahrenheit": ((value - 32) / 1.8).cast(kind),
        "sign": -value,
        "sentinel -999": pl.when(few).then(pl.lit(-999, kind)).otherwise(value),
        "sentinel 9999": pl.when(few).then(pl.lit(9999, kind)).otherwise(value),
        "type": value.cast(pl.String),
    }


def _text(table: pl.DataFrame, column: str, seed: int) -> dict[str, pl.Expr]:
    some, value = _share(table, 0.05, seed), pl.col(column)
    return {
        "new category": pl.when(some).then(pl.lit("never seen")).otherwise(value),
        "lower case": pl.when(some).then(value.str.to_lowercase()).otherwise(value),
        "trailing space": pl.when(some).then(value + " ").otherwise(value),
    }


def _share(table: pl.DataFrame, share: float, seed: int) -> pl.Series:
    return pl.Series(np.random.default_rng(seed).random(table.height) < share)
