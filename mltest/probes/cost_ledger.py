"""What each feature costs at serving, and which of it is too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mltest.probes.quantile_intervals import Bounds
from mltest.system import FeatureInfo

LARGE, SMALL = 256, 64
"""Records of a large and of a small batch."""

MOST_GROWTH = 2.0
"""Time a row in a large batch against a small one; a scan of the batch for each of its rows has 4."""

FAR_ABOVE_ONE = 3.0
"""Time a row in a large batch against a batch of one, which pays for the call as well."""

MOST_HELD = 0.1
"""Memory that one feature may hold, as a share of the raw tables; a private copy of them has 1."""

HELD_FLOOR = 2**20
"""Bytes that a feature may hold whatever the size of the raw tables."""

MOST_SAME_APART = 0.05
"""Difference of the same from the same above which the machine is too noisy for any timing."""


@dataclass(frozen=True)
class Opened:
    """Places that a feature opened, and how many a call still opens when everything is warm."""

    places: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    each_call: int = 0
    native_reads_each_call: int = 0

    @property
    def per_request(self) -> bool:
        return self.each_call > 0 or self.native_reads_each_call > 0


@dataclass(frozen=True)
class FeatureCost:
    """One line of the ledger; times in microseconds of the calibrated machine, beyond what every request pays.

    `one` is the median for a batch of one, `tail` its 95th percentile against that of a request without features;
    `large` and `small` are a row's in such batches, None where they were not timed.
    """

    info: FeatureInfo
    one: Bounds
    tail: Bounds
    large: Bounds | None = None
    small: Bounds | None = None
    opened: Opened = field(default_factory=Opened)
    held_bytes: int = 0

    @property
    def budget(self) -> float:
        return float(self.info.cost_budget_us or 0.0)

    @property
    def over_budget(self) -> bool:
        """Surely: all of an interval lies beyond."""
        return self.surely > self.budget

    @property
    def open(self) -> bool:
        """Whether an interval reaches across the budget."""
        return not self.over_budget and self.at_most > self.budget

    @property
    def surely(self) -> float:
        """What it costs at least, by the worst of the three views."""
        return max(view.low for view in (self.one, self.tail, self.large) if view is not None)

    @property
    def at_most(self) -> float:
        """What it costs at most in the median, alone or in a batch."""
        return max(view.high for view in (self.one, self.large) if view is not None)

    @property
    def growth(self) -> float:
        """How many times more a row surely costs in a large batch than in a small one; 1 for next to nothing."""
        if self.large is None or self.small is None or self.large.low <= MATTERS * self.budget:
            return 1.0
        return self.large.low / max(self.small.high, NEXT_TO_NONE)

    @property
    def growth_from_one(self) -> float:
        """The same against a batch of one."""
        if self.large is None or self.large.low <= MATTERS * self.budget:
            return 1.0
        return self.large.low / max(self.one.high, NEXT_TO_NONE)

    @property
    def growing(self) -> bool:
        """Whether a row surely costs far more in a large batch."""
        return self.growth > MOST_GROWTH or self.growth_from_one > FAR_ABOVE_ONE

    @property
    def suspicious(self) -> bool:
        """Whether its time is too much in any view."""
        return self.over_budget or self.growing


NEXT_TO_NONE = 0.05
"""Microseconds a row below which nobody can tell how time grows."""

MATTERS = 0.05
"""Share of its budget that a row in a large batch has to cost before anybody asks how it grew."""


@dataclass(frozen=True)
class CostLedger:
    """All features, and what they share.

    `shared` is what a request without any feature takes and `whole` one with all of them, a batch of one each;
    `slowness` is how many times slower this machine is than the one that budgets are written for; `same_apart` how far
    the same differed from the same; `held_bytes` what building the lookup took. `strangers` are places opened by what
    no feature owns.
    """

    features: tuple[FeatureCost, ...]
    shared: Bounds
    whole: Bounds
    whole_growth: float
    slowness: float
    same_apart: float
    requests: int
    calls: int
    raw_bytes: int
    held_bytes: int
    strangers: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()

    @property
    def budgets(self) -> float:
        return sum(feature.budget for feature in self.features)

    @property
    def most_held(self) -> float:
        """Bytes that one feature may hold."""
        return max(HELD_FLOOR, MOST_HELD * self.raw_bytes)

    def over_budget(self) -> list[FeatureCost]:
        return _ranked([f for f in self.features if f.over_budget])

    def growing(self) -> list[FeatureCost]:
        return [f for f in self.features if f.growing]

    def opening(self) -> list[FeatureCost]:
        return [f for f in self.features if f.opened.per_request]

    def undeclared(self) -> list[FeatureCost]:
        return [f for f in self.features if f.opened.undeclared]

    def hoarding(self) -> list[FeatureCost]:
        return [f for f in self.features if f.held_bytes > self.most_held]

    def undecided(self) -> list[FeatureCost]:
        """Features whose interval reaches across their budget."""
        return [f for f in self.features if f.open]

    @property
    def blind(self) -> bool:
        """Whether a request without features costs as much as one with all, and more than a feature may."""
        least = min(feature.budget for feature in self.features)
        return self.shared.value > 0.9 * self.whole.value and self.shared.value > least


def _ranked(features: Sequence[FeatureCost]) -> list[FeatureCost]:
    return sorted(features, key=lambda feature: -feature.surely / max(feature.budget, 1e-9))
