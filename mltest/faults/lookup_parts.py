"""Lookups that do more than they should: the wrappers behind faults of what a feature costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from mltest.faults.fault import NotApplicable
from mltest.faults.parts import ExchangedFeatures
from mltest.faults.rows import as_arrow
from mltest.probes import heard_access
from mltest.system import FeatureInfo, System

Records = Sequence[Mapping[str, Any]]
More = Callable[["CostlyLookup", Records], None]

_ASKED = 64
"""Records that a proof of life asks for."""

_LEAST_MS = 0.002
"""Milliseconds that show that anything was done for them."""


@dataclass
class CostlyLookup:
    """A lookup that does something more whenever one feature is asked for; it gives the values of the one it wraps."""

    inner: Any
    feature: str
    more: More
    raw: Mapping[str, pa.Table] = field(default_factory=dict, repr=False)
    kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def records(self, raw: Mapping[str, Any], window: tuple[datetime, datetime]) -> Records:
        found: Records = self.inner.records(raw, window)
        return found

    def values(self, records: Records, names: Sequence[str]) -> Any:
        if self.feature in names:
            self.more(self, records)
        return self.inner.values(records, names)


@dataclass
class TwiceLookup:
    """A lookup that does everything twice."""

    inner: Any

    def records(self, raw: Mapping[str, Any], window: tuple[datetime, datetime]) -> Records:
        found: Records = self.inner.records(raw, window)
        return found

    def values(self, records: Records, names: Sequence[str]) -> Any:
        self.inner.values(records, names)
        return self.inner.values(records, names)


@dataclass(frozen=True)
class LookedUpFeatures(ExchangedFeatures):
    """Features whose lookups are passed through `opened`, together with the raw tables that they were built from."""

    opened: Callable[[Any, Mapping[str, pa.Table]], Any] | None = None

    def online(self, raw: Mapping[str, Any], as_of: datetime) -> Any:
        inner: Any = self.inner
        lookup = inner.online(raw, as_of)
        return lookup if self.opened is None else self.opened(lookup, {n: as_arrow(t) for n, t in raw.items()})


def costly(system: System, more: More | None) -> System:
    """The system whose lookup does `more` when its last feature with a budget is asked for; None changes nothing."""
    chosen = chosen_feature(system).name
    return looked_up_by(system, None if more is None else lambda lookup, raw: CostlyLookup(lookup, chosen, more, raw))


def looked_up_by(system: System, opened: Callable[[Any, Mapping[str, pa.Table]], Any] | None) -> System:
    """The system whose lookups are passed through `opened`. Raises NotApplicable for one without lookups."""
    if system.features is None or not hasattr(system.features, "online"):
        raise NotApplicable(f"{system.name} offers no lookup of single features")
    return system.with_parts(features=LookedUpFeatures(system.features, opened=opened))


def chosen_feature(system: System) -> FeatureInfo:
    """The entry of the last feature that has a budget."""
    catalogue = system.features.catalogue if system.features is not None else ()
    priced = [info for info in catalogue if info.cost_budget_us]
    if not priced:
        raise NotApplicable(f"{system.name} gives no feature a budget")
    return priced[-1]


def more_is_done(healthy: System, faulted: System) -> str:
    """Asks the wrapped lookup with nothing inside: how long it takes, what it opens, and whether it asks twice."""
    opened = getattr(faulted.features, "opened", None)
    if opened is None or healthy.data is None:
        return ""
    feature = chosen_feature(healthy).name
    nothing = _Nothing()
    lookup = opened(nothing, {name: as_arrow(table) for name, table in healthy.data.raw().items()})
    with heard_access.listening() as heard:
        started = time.perf_counter()
        lookup.values([{}] * _ASKED, [feature])
        spent = 1e3 * (time.perf_counter() - started)
    if spent < _LEAST_MS and not heard.count and nothing.asked < 2:
        return ""
    return (
        f"asked for {feature} of {_ASKED} records, the lookup spends {spent:.3g} ms around the {nothing.asked} calls "
        f"of the one inside and opens {heard.count} places"
    )


class _Nothing:
    """A lookup that does nothing and counts how often it was asked."""

    asked = 0

    def values(self, records: Records, names: Sequence[str]) -> Any:
        self.asked += 1
        return {}
