"""The catalogue and the feature table say the same."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from reference_system import communities
from reference_system.catalogue import FEATURES, Feature
from reference_system.declarations import WINDOW_FEATURES
from tests.reference_system.flown_days import features_of_some_days

LEAKS = re.compile(r"\b(arr_time|air_time|arr_delay)\b")
every_feature = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)


def test_names_are_unique():
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)


def test_every_declared_model_input_is_in_the_catalogue():
    declared = {feature.name for feature in WINDOW_FEATURES if feature.model_input}
    assert declared <= {feature.name for feature in FEATURES}


def test_the_feature_table_holds_exactly_the_catalogue_behind_its_own_columns():
    own = ["flight_id", "pushed_back_at", "landed_at", "day", "haul", *communities.COLUMNS, "block_deviation"]
    assert features_of_some_days().column_names == own + [feature.name for feature in FEATURES]


@every_feature
def test_an_entry_is_complete(feature: Feature):
    for text in (feature.source, feature.owner, feature.description, feature.available_at, feature.licence):
        assert text.strip()
    assert feature.group in {"SCHEDULE", "DEPARTURE", "WEATHER", "PLANE", "CONGESTION", "LEVEL", "RECENT"}
    assert feature.cost_budget_us > 0
    assert feature.deprecated_after is None


@every_feature
def test_the_type_and_the_nulls_are_as_declared(feature: Feature):
    column = features_of_some_days()[feature.name]
    assert column.type == (pa.float64() if feature.dtype == "float" else pa.string())
    assert feature.nullable or column.null_count == 0


@every_feature
def test_outcomes_are_read_of_earlier_flights_alone(feature: Feature):
    if LEAKS.search(feature.source):
        assert "of earlier flights" in feature.source
        assert "strictly before push-back" in feature.available_at


@every_feature
def test_what_comes_from_a_tail_number_counts_as_pseudonymous(feature: Feature):
    assert (feature.sensitivity == "pseudonymous") == ("tailnum" in feature.source)
