"""The policy speaks of the tables and columns that there are, and of the licences that the catalogue names."""

from __future__ import annotations

from datetime import date

from mltest.offers.governance import Governance
from mltest.probes import feature_policy
from mltest.system import FeatureInfo
from reference_system import raw
from reference_system.catalogue import FEATURES
from reference_system.readiness.policy import POLICY


def test_every_source_is_a_raw_table_and_every_forbidden_column_is_there():
    assert set(POLICY.sources) <= set(raw.COLUMNS)
    assert set(POLICY.sources.values()) == set(POLICY.licences)
    assert all(column.column in raw.COLUMNS[column.table] for column in POLICY.forbidden)


def test_the_licence_of_a_feature_is_that_of_a_table_it_is_made_from():
    for feature in FEATURES:
        tables = [part.partition(":")[0].strip() for part in feature.source.split(";")]
        assert feature.licence in {POLICY.sources[table] for table in tables}, feature.name


def test_the_catalogue_keeps_the_policy():
    entries = [
        FeatureInfo(f.name, f.dtype, f.source, f.owner, f.available_at, sensitivity=f.sensitivity) for f in FEATURES
    ]
    names = [feature.name for feature in FEATURES]
    assert feature_policy.breaches(names, Governance(entries, POLICY), raw.COLUMNS, date(2026, 11, 24)) == []
