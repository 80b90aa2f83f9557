"""Members of a declared group are one feature in parts, related, or strangers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mltest.probes import feature_ties, feature_units
from mltest.probes.feature_ties import Tie

RANDOM = np.random.default_rng(8)
N = 6000
BASE, HOUR, SOIL = RANDOM.normal(size=N), RANDOM.uniform(0, 2 * np.pi, N), RANDOM.integers(0, 12, N)
GONE = RANDOM.uniform(size=N) < 0.2
RAIN = np.where(RANDOM.uniform(size=N) < 0.93, 0.0, RANDOM.gamma(2.0, 1.0, N))
COLUMNS = {
    "base": BASE,
    "near": BASE + 0.3 * RANDOM.normal(size=N),
    "related": BASE + 2.0 * RANDOM.normal(size=N),
    "stranger": RANDOM.normal(size=N),
    "hint": 0.15 * BASE + RANDOM.normal(size=N),
    "sine": np.sin(HOUR),
    "cosine": np.cos(HOUR),
    "rain": RAIN,
    "view": np.where(RAIN > 0, RANDOM.uniform(0, 10, N), 10.0),
    "joined": pa.array(RANDOM.normal(size=N), mask=GONE),
    "joined_too": pa.array(RANDOM.normal(size=N), mask=GONE),
    **{f"soil_{k}": (k == SOIL).astype(float) for k in range(12)},
}
ROWS = pa.table(COLUMNS)
KNOWN = feature_units.associations(ROWS, ROWS.column_names)


@pytest.mark.parametrize(
    ("first", "second", "tie"),
    [
        ("base", "near", Tie.CLOSE),
        ("base", "related", Tie.LOOSE),
        ("base", "stranger", Tie.NONE),
        ("base", "hint", Tie.NONE),
        ("sine", "cosine", Tie.CLOSE),
        ("rain", "view", Tie.CLOSE),
        ("joined", "joined_too", Tie.LOOSE),
    ],
)
def test_a_tie_is_as_close_as_what_one_feature_says_about_the_other(first: str, second: str, tie: Tie) -> None:
    found = feature_ties.ties(ROWS, {"group": (first, second)}, KNOWN)
    assert found == {first: tie, second: tie}


def test_indicators_of_one_category_are_one_feature_however_many_levels_it_has() -> None:
    names = tuple(f"soil_{k}" for k in range(12))
    assert set(feature_ties.ties(ROWS, {"soil": names}, KNOWN).values()) == {Tie.CLOSE}
    assert Tie.CLOSE not in feature_ties.ties(ROWS, {"soil": names[:5]}, KNOWN).values()
