"""Outcomes as they arrive, requests as they were served, and what answers to them were worth."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from mltest.offers.impact import OnlineImpact
from reference_system import features, impact
from reference_system.readiness.place import Workplace

REPORTED_AFTER = timedelta(minutes=30)
"""From landing to the carrier's report of it."""
KEY = "flight_id"


class EtaLabels:
    """The minutes gained or lost of every flight that has landed and been reported; a diverted flight never is."""

    impact = OnlineImpact(impact.NAME, "lower", simulated=True, per_row=impact.minutes_waited)

    def __init__(self, place: Workplace) -> None:
        self._place = place

    def arrived(self, at: datetime) -> pa.Table:
        """Key, outcome in minutes and the instant of the report, of everything reported by then."""
        landed = self._place.table.select([KEY, features.TARGET, "landed_at"])
        reported = pc.add(landed["landed_at"], pa.scalar(REPORTED_AFTER, pa.duration("us")))
        known = pc.less_equal(reported, pa.scalar(at, reported.type))
        return landed.drop_columns(["landed_at"]).append_column("arrived_at", reported).filter(known)

    def requests(self) -> pa.Table:
        """Every flight that pushed back in the months of the holdout, as it was asked about."""
        asked = features.split(self._place.departed, "holdout")
        return asked.drop_columns([features.TARGET, "landed_at"])

    def joined(self, answers: pa.Table, at: datetime) -> pa.Table:
        """Answers whose flight has been reported, with its outcome; the key holds the date."""
        return answers.join(self.arrived(at), keys=KEY, join_type="inner")
