"""Features kept one by one: one declaration more computes one feature, and a changed one is never taken for the old."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reference_system import catalogue, feature_cache, features, offline, row_features
from reference_system.declarations import WINDOW_FEATURES, WindowFeature
from tests.reference_system.flown_days import some_days

WINDOW = (datetime(2013, 11, 4, 12, tzinfo=UTC), datetime(2013, 11, 4, 18, tzinfo=UTC))
CHANGED = "departures_15min"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the window features that are really computed, in order."""
    names: list[str] = []
    values_of = offline.values_of

    def noted(asked: Any, *rest: Any) -> Any:
        names.extend(feature.name for feature in asked)
        return values_of(asked, *rest)

    monkeypatch.setattr(offline, "values_of", noted)
    return names


def declare(monkeypatch: pytest.MonkeyPatch, declared: tuple[WindowFeature, ...]) -> None:
    """As an edit of the declarations would, whose file has another digest."""
    for module in (feature_cache, offline, row_features):
        monkeypatch.setattr(module, "WINDOW_FEATURES", declared)
    monkeypatch.setattr(feature_cache, "DECLARING", feature_cache.DECLARING | {f"edited-{len(declared)}.py"})
    monkeypatch.setattr(feature_cache, "key", lambda raw, window: f"whole-{hash(declared)}")


def test_a_table_from_the_cache_is_the_one_that_was_computed(tmp_path: Path, computed: list[str]) -> None:
    first = feature_cache.load(tmp_path, some_days(), WINDOW)
    assert first.equals(features.compute(some_days(), WINDOW))
    computed.clear()
    assert feature_cache.load(tmp_path, some_days(), WINDOW).equals(first)
    assert computed == []


def test_where_a_declaration_changed_that_feature_alone_is_computed(
    tmp_path: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = feature_cache.load(tmp_path, some_days(), WINDOW)
    computed.clear()
    declared = tuple(
        replace(f, window=replace(f.window, before=300)) if f.name == CHANGED else f for f in WINDOW_FEATURES
    )
    declare(monkeypatch, declared)
    after = feature_cache.load(tmp_path, some_days(), WINDOW)
    assert computed == [CHANGED]
    assert not after[CHANGED].equals(before[CHANGED])
    others = [name for name in before.column_names if name != CHANGED]
    assert after.select(others).equals(before.select(others))
    assert CHANGED in {feature.name for feature in catalogue.FEATURES}


def test_what_is_kept_for_other_code_or_rows_is_not_taken(tmp_path: Path) -> None:
    ground = feature_cache._ground(some_days(), WINDOW)
    other = feature_cache._ground({**some_days(), "weather": some_days()["weather"].slice(1)}, WINDOW)
    feature = WINDOW_FEATURES[-1]
    assert feature_cache._column_key(feature, ground) != feature_cache._column_key(feature, other)
    assert feature_cache._column_key(feature, ground) != feature_cache._column_key(WINDOW_FEATURES[-2], ground)
