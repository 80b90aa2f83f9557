"""Bounds that were read off the judged rows are recognised, honest ones are not."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandera.polars
import polars
import pyarrow as pa
import pytest

from mltest.probes.schema_circularity import circularity

NAMES = tuple("abcd")


def drawn(seed: int, rows: int, scale: float = 1.0) -> pa.Table:
    """Long-tailed measurements, so that more rows reach further."""
    random = np.random.default_rng(seed)
    return pa.table({name: scale * random.normal(0, 10, rows) for name in NAMES})


TRAIN, VALIDATION, JUDGED, REACHING = drawn(0, 30_000), drawn(1, 5_000), drawn(2, 2_000), drawn(3, 2_000, scale=1.5)

Made = Callable[[float, float], tuple[float, float]]


def read_off(*tables: pa.Table, made: Made = lambda low, high: (low, high)) -> pandera.polars.DataFrameSchema:
    columns = {}
    for name in NAMES:
        values = np.concatenate([table[name].to_numpy() for table in tables])
        check = pandera.polars.Check.in_range(*made(float(values.min()), float(values.max())))
        columns[name] = pandera.polars.Column(polars.Float64, check)
    return pandera.polars.DataFrameSchema(columns)


def found(schema: object, judged: pa.Table = JUDGED) -> bool:
    return circularity(schema, NAMES, judged, TRAIN, VALIDATION).found


def widened(low: float, high: float) -> tuple[float, float]:
    return low - 0.01 * (high - low), high + 0.01 * (high - low)


def rounded(low: float, high: float) -> tuple[float, float]:
    return math.floor(10 * low) / 10, math.ceil(10 * high) / 10


@pytest.mark.parametrize("made", [lambda low, high: (low, high), widened, rounded])
def test_the_ends_of_the_judged_rows_are_recognised_as_they_are_widened_or_rounded(made: Made) -> None:
    assert found(read_off(JUDGED, made=made))


def test_the_ends_of_all_rows_are_recognised_where_the_judged_ones_reach_furthest() -> None:
    everything = read_off(TRAIN, VALIDATION, REACHING)
    assert found(everything, REACHING)
    assert not found(everything, JUDGED)


@pytest.mark.parametrize("made", [lambda low, high: (low, high), widened, rounded])
@pytest.mark.parametrize("judged", [JUDGED, REACHING])
def test_what_was_read_off_the_training_rows_is_not_circular(made: Made, judged: pa.Table) -> None:
    assert not found(read_off(TRAIN, made=made), judged)


@pytest.mark.parametrize("judged", [JUDGED, REACHING])
@pytest.mark.parametrize("bound", [40.0, 45.0, 50.0, 60.0, 70.0, 100.0])
def test_a_bound_set_by_hand_is_not_circular_however_near(bound: float, judged: pa.Table) -> None:
    assert not found(read_off(TRAIN, made=lambda low, high: (-bound, bound)), judged)


def test_rows_that_are_the_training_rows_tell_nothing() -> None:
    assert not circularity(read_off(JUDGED), NAMES, JUDGED, JUDGED).found


def test_natural_limits_that_every_part_nearly_reaches_are_not_circular() -> None:
    parts = [pa.table({n: np.random.default_rng(s).uniform(0, 100, 500) for n in NAMES}) for s in range(3)]
    schema = read_off(parts[0], made=lambda low, high: (0, 100))
    assert not circularity(schema, NAMES, *parts).found
