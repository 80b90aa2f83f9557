"""Whose data must not be learnt from: tail numbers lead to registered owners, and an owner may ask to be forgotten."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from reference_system import records, row_features
from reference_system.raw import RawTables


def without_erased(rows: pa.Table, raw: RawTables) -> pa.Table:
    """``rows`` of a feature table but those of flights by a plane on the list ``erasures`` of the raw tables."""
    flights = raw["flights"]
    theirs = flights.filter(pc.is_in(flights["tailnum"], raw["erasures"]["tailnum"].combine_chunks().drop_null()))
    if not theirs.num_rows:
        return rows
    gone = pa.array(row_features.flight_ids(records.columns_of(theirs)).tolist(), pa.string())
    return rows.filter(pc.invert(pc.is_in(rows["flight_id"], gone)))
