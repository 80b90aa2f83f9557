"""The online path as its auditor asks it: single features of raw request records, from the store that serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from reference_system import replay
from reference_system.online import FeatureValue, OnlineStore


class EtaLookup:
    """A store in memory that knows what had become known by a moment."""

    def __init__(self, raw: Mapping[str, pa.Table], as_of: datetime) -> None:
        self._store = OnlineStore(raw, as_of)

    def records(self, raw: Mapping[str, pa.Table], window: tuple[datetime, datetime]) -> Sequence[Mapping[str, Any]]:
        """The requests of the flights that pushed back in the window, in order."""
        return replay.requests(raw, window)

    def values(
        self, records: Sequence[Mapping[str, Any]], names: Sequence[str]
    ) -> Mapping[str, Sequence[FeatureValue]]:
        """The named features of every record, each as of its own push-back."""
        return self._store.columns(records, names=names)
