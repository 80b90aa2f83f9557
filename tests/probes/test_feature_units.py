"""Dead, doubled and related features, whatever their type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mltest.probes import feature_units
from mltest.system import FeatureInfo

RANDOM = np.random.default_rng(5)
N = 4000
BASE = RANDOM.normal(size=N)
WORDS = RANDOM.choice(["a", "b", "c"], N)
ROWS = pa.table(
    {
        "base": BASE,
        "scaled": 1.609 * BASE + 32,
        "close": BASE + 0.3 * RANDOM.normal(size=N),
        "other": RANDOM.normal(size=N),
        "word": WORDS,
        "renamed": np.char.add("level ", WORDS),
        "code": np.searchsorted(["a", "b", "c"], WORDS).astype(float),
        "level": np.char.add("L", RANDOM.integers(0, 500, N).astype(str)),
        "still": np.full(N, 7.0),
        "gone": pa.nulls(N, pa.float64()),
        "one": ["x"] * N,
    }
)
ALIVE = ["base", "scaled", "close", "other", "word", "renamed", "code", "level"]
KNOWN = feature_units.associations(ROWS, ALIVE)


def test_a_feature_without_two_values_is_dead_and_says_what_it_holds() -> None:
    assert feature_units.dead(ROWS, ROWS.column_names) == {
        "still": "7 in every row",
        "gone": "missing in every row",
        "one": "x in every row",
    }


def test_another_unit_and_another_spelling_are_duplicates_and_a_noisy_copy_is_not() -> None:
    pairs = feature_units.duplicates(ROWS, KNOWN)
    assert ("base", "scaled") in pairs
    assert ("word", "renamed") in pairs
    assert not any("close" in pair or "other" in pair or "level" in pair for pair in pairs)


def test_related_features_form_clusters_across_types() -> None:
    clusters = {frozenset(cluster) for cluster in feature_units.clusters(KNOWN)}
    assert frozenset({"base", "scaled", "close"}) in clusters
    assert frozenset({"word", "renamed", "code"}) in clusters


def test_many_levels_without_meaning_are_related_to_nothing() -> None:
    assert KNOWN.strongest("level", ALIVE) < 0.1
    assert KNOWN.strongest("other", ALIVE) < 0.1


def test_a_category_and_what_it_determines_are_two_features_unless_each_determines_the_other() -> None:
    plot = RANDOM.integers(0, 60, N)
    altitude = np.random.default_rng(1).uniform(0, 1000, 60)
    rows = pa.table(
        {
            "plot": np.char.add("P", plot.astype(str)),
            "region": np.char.add("R", (plot % 6).astype(str)),
            "altitude": altitude[plot],
            "plot_number": plot.astype(float),
            "plot_again": np.char.add("plot ", plot.astype(str)),
        }
    )
    known = feature_units.associations(rows, rows.column_names)
    pairs = set(feature_units.duplicates(rows, known))
    assert pairs == {("plot", "plot_number"), ("plot", "plot_again"), ("plot_number", "plot_again")}


def test_a_copy_that_is_missing_elsewhere_is_no_duplicate() -> None:
    holed = pa.table({"base": BASE, "holed": pa.array(BASE, mask=RANDOM.uniform(size=N) < 0.02)})
    known = feature_units.associations(holed, ["base", "holed"])
    assert feature_units.duplicates(holed, known) == ()


def test_only_groups_of_two_and_more_features_that_are_read_count() -> None:
    catalogue = [
        FeatureInfo(n, "float", "s", "o", "now", group=g) for n, g in (("base", "A"), ("close", "A"), ("x", "A"))
    ]
    lonely = [FeatureInfo("other", "float", "s", "o", "now", group="B")]
    assert feature_units.declared_groups([*catalogue, *lonely], ALIVE) == {"A": ("base", "close")}
