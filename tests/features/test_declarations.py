"""Declarations obey the rules that both paths rely on."""

from __future__ import annotations

import pytest

from reference_system.declarations import BASELINES, EVENTS, WINDOW_FEATURES, LastEvents, Span, WindowFeature
from reference_system.events import EVENT_COLUMNS

BY_NAME = {feature.name: feature for feature in WINDOW_FEATURES}
every_feature = pytest.mark.parametrize("feature", WINDOW_FEATURES, ids=lambda feature: feature.name)


def test_names_are_unique():
    assert len(BY_NAME) == len(WINDOW_FEATURES)


@every_feature
def test_only_the_published_timetable_may_be_read_ahead(feature: WindowFeature):
    ahead = isinstance(feature.window, Span) and feature.window.after > 0
    assert not ahead or (feature.events == "timetable" and feature.pending_until is None and feature.value is None)


@every_feature
def test_the_statistic_fits_the_window(feature: WindowFeature):
    fitting = {"median", "mean", "age", "last"} if isinstance(feature.window, LastEvents) else {"mean", "count"}
    assert feature.statistic in fitting
    assert (feature.value is None) == (feature.statistic in ("age", "count"))


@every_feature
def test_an_age_limit_is_asked_of_the_latest_event_alone(feature: WindowFeature):
    assert not isinstance(feature.window, LastEvents) or feature.window.within is None or feature.window.count == 1


@every_feature
def test_keys_are_known_of_both_the_flight_and_the_event(feature: WindowFeature):
    assert feature.keys
    assert feature.events in EVENTS
    assert set(feature.keys) <= ({"origin"} if feature.events == "weather" else set(EVENT_COLUMNS))


@every_feature
def test_what_is_subtracted_exists(feature: WindowFeature):
    assert feature.minus is None or feature.minus in EVENT_COLUMNS
    if feature.value_minus is not None:
        baseline = BY_NAME[feature.value_minus]
        assert baseline in BASELINES
        assert baseline.value_minus is None
        assert baseline.events == "landings"


@every_feature
def test_a_model_input_says_what_it_tells(feature: WindowFeature):
    assert not feature.model_input or len(feature.description) > 15
