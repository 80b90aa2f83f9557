"""When the champion is replaced by one that learned from newer flights, and why then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

EVERY = timedelta(days=30)
"""Age at which a champion is replaced."""

CURVE: Mapping[float, float] = {30: 0.001, 60: 0.004, 90: 0.001, 120: 0.001, 150: -0.005, 180: -0.007}
"""Share by which a model so many days older loses more than a fresh one on the same flights.

Nine models, each of 60,000 flights from 91 days of 2013, judged on the week after each end; the intervals are one per
cent wide to either side at 30 days, and two at 180.
"""

REASON = (
    "30 days cost 0.1 % [-0.8, 1.1]; no age up to 180 days surely costs more than 2 %, but from 60 days on the "
    "interval comes close to it, and one year shows every season once"
)


def age(trained_until: datetime | None, at: datetime) -> timedelta:
    """The age of a model: from the newest flight that it learned from, whenever it was trained or registered.

    Raises ValueError for a model that does not say it.
    """
    if trained_until is None:
        raise ValueError("the model does not say until when it was trained, so it has no age: train it again")
    return at - trained_until
