"""Kinds of expectation that pandera lacks: granularity, quantiles, shares, and relations between columns.

Each function returns a pandera check for the polars backend. Row-wise checks judge every known value. Checks of a
distribution judge the whole table, and abstain below ``ENOUGH`` rows, where chance alone moves a quantile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

ENOUGH = 500


def whole(per_unit: float = 1.0) -> pa.Check:
    """Values are whole multiples of ``1 / per_unit``: what is counted or rounded upstream never lies between."""
    name = f"whole multiples of 1/{per_unit:g}"

    def multiples(data: PolarsData) -> pl.LazyFrame:
        scaled = pl.col(data.key).cast(pl.Float64) * per_unit
        return data.lazyframe.select((scaled - scaled.round()).abs() < 1e-6)

    return pa.Check(multiples, name=name, error=f"not {name}")


def quantile_within(level: float, low: float, high: float) -> pa.Check:
    """The quantile lies in an interval wide enough for any few days of the year, too narrow for another unit."""
    name = f"quantile {level:g} within {low:g} and {high:g}"
    return _judged(name, lambda key: pl.col(key).quantile(level).is_between(low, high))


def null_share_at_most(limit: float) -> pa.Check:
    """No more than this share of rows has no value."""
    return _judged(f"at most {limit:.0%} null", lambda key: pl.col(key).null_count() <= limit * pl.len())


def outside_at_most(known: Collection[str], limit: float) -> pa.Check:
    """A budget for new categories: no more than this share of rows has a value that is not in ``known``."""
    values = sorted(known)
    name = f"at most {limit:.1%} outside {len(values)} known values"
    return _judged(name, lambda key: (~pl.col(key).is_in(values)).sum() <= limit * pl.len())


def every_row(name: str, holds: pl.Expr) -> pa.Check:
    """A relation between columns that holds in each row where all of them are known."""
    return pa.Check(lambda data: data.lazyframe.select(holds), name=name, error=f"violated: {name}")


def whole_table(name: str, holds: pl.Expr) -> pa.Check:
    """A statement about the table as a whole, such as a slope; ``holds`` is one boolean."""
    return _judged(name, lambda _: holds)


def slope(y: str, x: str) -> pl.Expr:
    """Least-squares slope of ``y`` on ``x`` over the rows where both are known."""
    both = pl.col(x).is_not_null() & pl.col(y).is_not_null()
    known_x, known_y = (pl.col(name).cast(pl.Float64).filter(both) for name in (x, y))
    return pl.cov(known_y, known_x) / known_x.var()


def correlation_above(first: str, second: str, limit: float) -> pa.Check:
    """Two columns that tell of the same thing move together; a sign turned in one of them shows here."""
    both = pl.col(first).is_not_null() & pl.col(second).is_not_null()
    correlation = pl.corr(pl.col(first).filter(both), pl.col(second).filter(both))
    return whole_table(f"correlation of {first} and {second} above {limit:g}", correlation > limit)


def _judged(name: str, holds: Callable[[str], pl.Expr]) -> pa.Check:
    def judge(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.len() < ENOUGH) | holds(data.key).fill_null(False))

    return pa.Check(judge, name=name, error=f"violated: {name}")
