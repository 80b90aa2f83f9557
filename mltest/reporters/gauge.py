"""Where a measurement, its interval and its limit lie on a small scale: numbers from 0 to 100 for drawing.

The scale spans what is to be shown and a margin, so that the reader sees at a glance on which side of the limit the
value and its interval lie. It has no axis: the numbers stand beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mltest.evidence import Measurement

_MARGIN = 0.18
_ALMOST_NOTHING = 1e-12
_SMALLEST = 1e-290


@dataclass(frozen=True)
class Gauge:
    """Positions in percent of the width. `allowed` is the stretch inside the limit."""

    value: float
    low: float
    high: float
    limit: float
    allowed: tuple[float, float]


def gauge(measurement: Measurement) -> Gauge | None:
    """The drawing of a measurement; None where there is no value or no limit, or a number that cannot be drawn."""
    value, limit = measurement.value, measurement.limit
    if value is None or limit is None:
        return None
    low, high = measurement.ci or (value, value)
    known = [number for number in (value, limit, low, high) if number is not None]
    span = max(known) - min(known)
    if not math.isfinite(span):
        return None
    if span <= max(_ALMOST_NOTHING * max(abs(number) for number in known), _SMALLEST):
        span = max(abs(limit), 1.0)
    start = min(known) - _MARGIN * span
    scale = 100 / (span * (1 + 2 * _MARGIN))

    def place(number: float) -> float:
        return round((number - start) * scale, 2)

    at_limit = place(limit)
    return Gauge(
        value=place(value),
        low=0.0 if low is None else place(low),
        high=100.0 if high is None else place(high),
        limit=at_limit,
        allowed=(0.0, at_limit) if measurement.better == "lower" else (at_limit, 100.0),
    )
