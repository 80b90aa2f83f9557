"""Flights to learn from and to judge by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltest.offers.privacy import PrivacyPolicy
from mltest.system import RawColumn, Roles
from reference_system import communities, erasures, feature_cache, features, history
from reference_system.readiness.place import Workplace


class EtaData:
    """Flights with known arrival, by the months of the splits."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self.roles = Roles(
            target=features.TARGET,
            inputs=place.inputs,
            time="pushed_back_at",
            block="day",
            keys=("flight_id",),
            groups=communities.COLUMNS,
            slices=("carrier", "origin", "dest", "haul"),
            entity=RawColumn("flights", "carrier"),
            outcome=RawColumn("flights", "arr_delay"),
        )
        self._as_it_stood = lru_cache(maxsize=4)(self._known_at)

    def dataset(self, split: str) -> pa.Table:
        if split not in features.SPLITS:
            raise KeyError(f"no split {split!r}: there are {', '.join(features.SPLITS)}")
        if split == "train":
            return self._learnt_from(self._place.table, self._place.raw)
        return features.split(self._place.table, split)

    def raw(self, window: tuple[datetime, datetime] | None = None) -> Mapping[str, pa.Table]:
        """All raw tables; with a window, as they stood when it ended, without the timetable of later days."""
        return self._place.raw if window is None else self._as_it_stood(window[1])

    @property
    def privacy(self) -> PrivacyPolicy:
        """A tail number leads to a registered owner: features are looked up by it, and nothing may keep it."""
        return PrivacyPolicy(
            sensitive=(RawColumn("flights", "tailnum"), RawColumn("planes", "tailnum")),
            subject=RawColumn("flights", "tailnum"),
            erasures=RawColumn("erasures", "tailnum"),
        )

    def training_rows(self, raw: Mapping[str, pa.Table]) -> pa.Table:
        """What training would learn from, were these the raw tables."""
        table = feature_cache.load(self._place.cache, raw)
        return self._learnt_from(table.filter(pc.is_valid(table[features.TARGET])), raw)

    def _learnt_from(self, table: pa.Table, raw: Mapping[str, pa.Table]) -> pa.Table:
        return erasures.without_erased(features.training_rows(table, self._place.preset.train_from), raw)

    def _known_at(self, moment: datetime) -> Mapping[str, pa.Table]:
        tables = self._place.raw
        so_far = tables["flights"].filter(pc.less_equal(tables["flights"]["date"], pa.scalar(moment.date())))
        return history.known_at({**tables, "flights": so_far}, moment)

    @property
    def schema(self) -> Mapping[str, Any]:
        from reference_system import schema  # its library takes longer to load than all the rest together

        return {"dataset" if name == "features" else name: found for name, found in schema.SCHEMAS.items()}
