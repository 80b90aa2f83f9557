"""Healthy relatives of the sample on real flights: other days, another seed, and nothing wrong with any of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from mltest.system import Data, Roles

KEPT = 0.8
"""Share of all days that a relative has."""
CHAMPIONS = 4
"""Seeds that champions are trained with: enough to vary, few enough to be kept."""


@dataclass(frozen=True)
class ResampledData:
    """Rows of a share of the days, drawn by `draw`; a day that is not drawn is neither learned from nor judged, and
    its flights stand in no raw table."""

    inner: Data
    draw: int

    @property
    def roles(self) -> Roles:
        return self.inner.roles

    @property
    def schema(self) -> Mapping[str, Any]:
        return self.inner.schema

    def dataset(self, split: Any) -> pa.Table:
        rows = self.inner.dataset(split)
        return rows.filter(self._drawn(rows["day"]))

    def raw(self, window: tuple[datetime, datetime] | None = None) -> Mapping[str, Any]:
        tables = self.inner.raw(window)
        flights = tables["flights"]
        return {**tables, "flights": flights.filter(self._drawn(flights["date"]))}

    def __getattr__(self, name: str) -> Any:
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def _drawn(self, days: pa.ChunkedArray) -> pa.Array:
        coded = days.combine_chunks().dictionary_encode()
        draws = [zlib.crc32(f"{self.draw}:{day}".encode()) / 2**32 < KEPT for day in coded.dictionary.to_pylist()]
        return pa.array(draws, pa.bool_()).take(coded.indices)
