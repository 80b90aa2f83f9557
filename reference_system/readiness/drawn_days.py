"""Healthy relatives of the sample on real flights: other days, another seed, and nothing wrong with any of them."""

from __future__ import annotations

import zlib

import pyarrow as pa

from mltest.faults.parts import ExchangedData
from mltest.system import Data

KEPT = 0.8
"""Share of all days that a relative has."""
CHAMPIONS = 4
"""Seeds that champions are trained with: enough to vary, few enough to be kept."""


def of_days(data: Data, draw: int) -> Data:
    """Rows of a share of the days, drawn by `draw`: a day that is not drawn is neither learned from nor judged, and its
    flights stand in no raw table."""
    return ExchangedData(
        data,
        rows=lambda _, rows: rows.filter(_drawn(rows["day"], draw)),
        raw_rows=lambda name, rows: rows.filter(_drawn(rows["date"], draw)) if name == "flights" else rows,
    )


def _drawn(days: pa.ChunkedArray, draw: int) -> pa.Array:
    coded = days.combine_chunks().dictionary_encode()
    draws = [zlib.crc32(f"{draw}:{day}".encode()) / 2**32 < KEPT for day in coded.dictionary.to_pylist()]
    return pa.array(draws, pa.bool_()).take(coded.indices)
