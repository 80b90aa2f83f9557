"""All schemas by table: the raw tables, and ``features`` for what the model reads."""

from __future__ import annotations

from collections.abc import Mapping

import pandera.polars as pa

from reference_system.feature_schema import FEATURE_SCHEMA
from reference_system.raw_schemas import DESTINATIONS, FLIGHTS, PLANES, WEATHER

SCHEMAS: Mapping[str, pa.DataFrameSchema] = {
    "flights": FLIGHTS,
    "weather": WEATHER,
    "planes": PLANES,
    "destinations": DESTINATIONS,
    "features": FEATURE_SCHEMA,
}
