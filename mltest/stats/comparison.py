"""From an interval and a margin to a decision: the claim that holds is the claim that was tested."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Literal

from mltest.stats.arrays import require_share
from mltest.stats.intervals import Interval


class Decision(StrEnum):
    """What an interval says about a claim; an unknown interval decides nothing."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


def superiority(gain: Interval, margin: float) -> Decision:
    """Claim: the gain exceeds `margin` (>= 0, the smallest gain that matters).

    A tie whose whole interval stays below the margin fails: the effort does not pay.
    """
    _require_margin(margin)
    return _above(gain, margin)


def non_inferiority(gain: Interval, margin: float) -> Decision:
    """Claim: at most `margin` (>= 0) is lost, that is, the gain exceeds -margin."""
    _require_margin(margin)
    return _above(gain, -margin)


def equivalence(difference: Interval, margin: float) -> Decision:
    """Claim: the difference lies within -margin to margin (two one-sided tests, Schuirmann 1987).

    A 95 % interval tests each side at 2.5 %; hand over a 90 % one for the customary 5 %.
    """
    _require_margin(margin)
    if not difference.known:
        return Decision.UNDECIDED
    if -margin < difference.low and difference.high < margin:
        return Decision.HOLDS
    return Decision.FAILS if difference.low > margin or difference.high < -margin else Decision.UNDECIDED


def within_limit(measured: Interval, limit: float, *, better: Literal["lower", "higher"]) -> Decision:
    """Claim: the measured quantity keeps to `limit`; `better` names the good side."""
    if better == "higher":
        return _at_least(measured, limit)
    if better == "lower":
        return _at_least(Interval(-measured.high, -measured.low, measured.level), -limit)
    raise ValueError(f"better is {better!r}: give 'lower' or 'higher'")


def needed(n: int, value: float, interval: Interval, limit: float, *, power: float = 0.8) -> int | None:
    """How many units (of those that `n` counts) would settle on which side of `limit` the quantity lies.

    The interval shrinks with 1/sqrt(n); with the returned n, a quantity that truly equals `value` is decided with
    probability `power`. Returns `n` when the interval decides already, and None when no number would: the estimate
    lies on the limit or is not a number.
    """
    from scipy.special import ndtri

    require_share("power", power)
    distance = abs(value - limit)
    if n < 1 or not interval.known or not math.isfinite(distance) or distance == 0.0:
        return None
    reach = value - interval.low if value > limit else interval.high - value
    if not math.isfinite(reach):
        return None
    if reach < distance:
        return n
    quantile = float(ndtri(0.5 + interval.level / 2.0))
    return max(n + 1, math.ceil(n * (reach / distance * (1.0 + float(ndtri(power)) / quantile)) ** 2))


def _above(interval: Interval, limit: float) -> Decision:
    if not interval.known:
        return Decision.UNDECIDED
    if interval.low > limit:
        return Decision.HOLDS
    return Decision.FAILS if interval.high < limit else Decision.UNDECIDED


def _at_least(interval: Interval, limit: float) -> Decision:
    if not interval.known:
        return Decision.UNDECIDED
    if interval.low >= limit:
        return Decision.HOLDS
    return Decision.FAILS if interval.high < limit else Decision.UNDECIDED


def _require_margin(margin: float) -> None:
    if not (margin >= 0.0 and math.isfinite(margin)):
        raise ValueError(f"margin is {margin}: give a finite number that is not negative")
