"""What a catalogue of features is held against: a policy of which sources and fields may be used at all.

A part `features` offers it as `features.policy`, beside its `catalogue`. Data in files, which have no `features` part,
offer both as `data.governance`; there the only table is `dataset`, the rows that the model reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from mltest.offers import require
from mltest.system import FeatureInfo, RawColumn, System

DATASET = "dataset"
"""The table that sources and columns of a system of files are said to lie in."""

HOW_TO_OFFER = (
    "no policy is declared to hold the features against: offer `features.policy` (mltest.FeaturePolicy), or name a "
    "file with [policy] and [[features]] as data.catalogue in the manifest"
)


@dataclass(frozen=True)
class FeaturePolicy:
    """Which features may be used at all.

    `sources` maps every raw table that may be used to its licence, `licences` and `sensitivities` are those permitted,
    `owners` the teams that may own a feature (none named: any). No feature may follow a `forbidden` column, and none
    one that is `known_later` than the moment of prediction (where raw tables know their past, that is tried anyway).
    """

    sources: Mapping[str, str]
    licences: tuple[str, ...]
    sensitivities: tuple[str, ...]
    owners: tuple[str, ...] = ()
    forbidden: tuple[RawColumn, ...] = ()
    known_later: tuple[RawColumn, ...] = ()


@dataclass(frozen=True)
class Governance:
    """A catalogue and the policy that it is held against."""

    catalogue: Sequence[FeatureInfo]
    policy: FeaturePolicy


class GovernedFeatures(Protocol):
    """Features with a policy."""

    @property
    def policy(self) -> FeaturePolicy: ...


class GovernedData(Protocol):
    """Data in files with a catalogue of their columns."""

    @property
    def governance(self) -> Governance | None: ...


def of(system: System) -> Governance:
    """Catalogue and policy of a system. Raises Withheld, telling how to offer them, where there are none."""
    if system.features is not None:
        policy: FeaturePolicy = require(system.features, "policy", HOW_TO_OFFER)
        return Governance(tuple(system.features.catalogue), policy)
    found: Governance = require(system.data, "governance", HOW_TO_OFFER)
    return found


def today(clock: Any | None) -> date:
    """The day that deprecations are judged on: the system's clock, or the time of the run where it has none."""
    now: datetime = datetime.now(UTC) if clock is None else clock.now()
    return now.date()
