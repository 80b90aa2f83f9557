"""The batch path and its catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from mltest.system import FeatureInfo
from reference_system import catalogue, feature_cache
from reference_system.readiness.lookups import EtaLookup
from reference_system.readiness.place import Workplace
from reference_system.readiness.policy import POLICY


class EtaFeatures:
    """The batch path; a table that was computed before, from the same rows by the same code, is not computed again."""

    policy = POLICY

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @property
    def catalogue(self) -> Sequence[FeatureInfo]:
        return tuple(
            FeatureInfo(
                name=feature.name,
                dtype=feature.dtype,
                source=feature.source,
                owner=feature.owner,
                available_at=feature.available_at,
                group=feature.group,
                nullable=feature.nullable,
                sensitivity=feature.sensitivity,
                deprecated_after=None if feature.deprecated_after is None else feature.deprecated_after.isoformat(),
                cost_budget_us=feature.cost_budget_us,
            )
            for feature in catalogue.FEATURES
        )

    def compute(self, raw: Mapping[str, pa.Table], at: tuple[datetime, datetime] | None = None) -> pa.Table:
        return feature_cache.load(self._place.cache, raw, at)

    def online(self, raw: Mapping[str, pa.Table], as_of: datetime) -> EtaLookup:
        """The store that serves, with everything known up to `as_of`."""
        return EtaLookup(raw, as_of)
