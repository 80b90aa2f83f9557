"""Parts with one more feature, with features of other raw rows, or with another catalogue, on every path alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.faults import columns
from mltest.faults.fault import NotApplicable
from mltest.faults.parts import ExchangedData, ExchangedFeatures, ExchangedTraining, exchanged_model
from mltest.faults.rows import as_arrow, floats, is_numeric, is_text, text, with_column
from mltest.offers.governance import FeaturePolicy, Governance
from mltest.system import FeatureInfo, Features, System, Window

Raw = Mapping[str, Any]
Made = Callable[[Features, Raw, Window | None, pa.Table], Any]
"""A column for the rows of a table of features, from the batch path, its raw tables and the window."""


@dataclass(frozen=True)
class WidenedFeatures(ExchangedFeatures):
    """Features with one more column, whose catalogue entry looks like the first one that there is."""

    name: str = ""
    made: Made | None = None

    @property
    def catalogue(self) -> Sequence[FeatureInfo]:
        known = tuple(self.inner.catalogue)
        return (*known, *(replace(entry, name=self.name, dtype="float") for entry in known[:1]))

    def compute(self, raw: Raw, at: Window | None = None) -> pa.Table:
        table = as_arrow(self.inner.compute(raw, at))
        return table if self.made is None else with_column(table, self.name, self.made(self.inner, raw, at, table))


@dataclass(frozen=True)
class RecomputedData(ExchangedData):
    """Data whose splits hold, in the named columns, what the features of all raw rows say of the same keys."""

    features: Features | None = None
    names: tuple[str, ...] = ()

    @cached_property
    def _computed(self) -> pa.Table:
        if self.features is None:
            raise NotApplicable("nothing computes the rows")
        return as_arrow(self.features.compute(self.inner.raw()))

    def dataset(self, split: Any) -> pa.Table:
        rows, keys = as_arrow(super().dataset(split)), list(self.roles.keys)
        if not keys:
            raise NotApplicable("the roles name no keys, by which rows could be found again")
        sought = self._computed.select([*keys, *self.names])
        placed = rows.select(keys).append_column("_place", pa.array(np.arange(rows.num_rows)))
        joined = placed.join(sought, keys, join_type="left outer").sort_by("_place")
        for name in self.names:
            rows = with_column(rows, name, joined.column(name))
        return rows


@dataclass(frozen=True)
class RelistedFeatures(ExchangedFeatures):
    """Features with another catalogue and, where there is one, another policy."""

    permitted: Callable[[FeaturePolicy], FeaturePolicy] | None = None

    @property
    def policy(self) -> FeaturePolicy:
        inner: Any = self.inner
        known: FeaturePolicy = inner.policy
        return known if self.permitted is None else self.permitted(known)


@dataclass(frozen=True)
class RelistedData(ExchangedData):
    """Data in files whose catalogue and policy are others."""

    listed: Callable[[Sequence[FeatureInfo]], Sequence[FeatureInfo]] | None = None
    permitted: Callable[[FeaturePolicy], FeaturePolicy] | None = None

    @property
    def governance(self) -> Governance:
        inner: Any = self.inner
        known: Governance = inner.governance
        catalogue = known.catalogue if self.listed is None else tuple(self.listed(known.catalogue))
        return Governance(catalogue, known.policy if self.permitted is None else self.permitted(known.policy))


def with_feature(system: System, name: str, made: Made | None) -> System:
    """The system whose model also reads a feature made by `made`, in the catalogue and in every split."""
    if made is None:
        return system.with_parts(features=ExchangedFeatures(features_of(system)))
    features = WidenedFeatures(features_of(system), name=name, made=made)
    data = RecomputedData(columns.data_of(system), features=features, names=(name,), meaning=_read_too(name))
    changed: dict[str, Any] = {"features": features, "data": data}
    if system.model is not None:
        changed["model"] = exchanged_model(
            system.model, described=lambda info: replace(info, inputs=(*info.inputs, name)) if info.inputs else info
        )
    if system.training is not None:
        changed["training"] = ExchangedTraining(
            system.training, configured=lambda config: {**config, "inputs": [*config.get("inputs", ()), name]}
        )
    return system.with_parts(**changed)


def computed_from(system: System, change: Callable[[Raw], Raw] | None) -> System:
    """The system whose batch path reads raw tables through `change`, and which learns from what comes of it."""
    if change is None:
        return system.with_parts(features=ExchangedFeatures(features_of(system)))
    features = ExchangedFeatures(features_of(system), given=lambda raw, _: change(raw))
    data = columns.data_of(system)
    inputs = columns.inputs_of(data.roles, columns.learned_from(data))
    return system.with_parts(features=features, data=RecomputedData(data, features=features, names=inputs))


def relisted(
    system: System,
    listed: Callable[[Sequence[FeatureInfo]], Sequence[FeatureInfo]] | None,
    permitted: Callable[[FeaturePolicy], FeaturePolicy] | None = None,
) -> System:
    """The system with another catalogue, be it of its features or of its files."""
    if system.features is not None:
        return system.with_parts(features=RelistedFeatures(system.features, listed=listed, permitted=permitted))
    data = columns.data_of(system)
    if getattr(data, "governance", None) is None:
        raise NotApplicable(f"{system.name} offers no catalogue of features")
    return system.with_parts(data=RelistedData(data, listed=listed, permitted=permitted))


def catalogue_of(system: System) -> tuple[FeatureInfo, ...]:
    """The entries of a system's catalogue."""
    if system.features is not None:
        return tuple(system.features.catalogue)
    data: Any = columns.data_of(system)
    return tuple(data.governance.catalogue)


def policy_of(system: System) -> FeaturePolicy:
    """The policy of a system. Raises NotApplicable where there is none."""
    data: Any = system.data
    found: FeaturePolicy | None = getattr(system.features, "policy", None)
    if found is None and getattr(data, "governance", None) is not None:
        found = data.governance.policy
    if found is None:
        raise NotApplicable(f"{system.name} declares no policy")
    return found


def features_of(system: System) -> Features:
    """The features part. Raises NotApplicable for a system without one."""
    if system.features is None:
        raise NotApplicable(f"{system.name} offers no features part")
    return system.features


def hours(table: pa.Table, time: str) -> np.ndarray:
    """The moments of rows as hours since 1970, missing ones as NaN; shape (rows,)."""
    instants = pc.cast(pc.cast(table.column(time), pa.timestamp("us", table.column(time).type.tz)), pa.int64())
    return np.asarray(pc.fill_null(pc.cast(instants, pa.float64()), float("nan")).to_numpy()) / 3.6e9


def longer(at: Window | None, before: float, after: float) -> Window | None:
    """A window with so many hours more before it and after it."""
    return None if at is None else (at[0] - timedelta(hours=before), at[1] + timedelta(hours=after))


def _read_too(name: str) -> Callable[[Any], Any]:
    return lambda roles: replace(roles, inputs=(*roles.inputs, name)) if roles.inputs else roles


def numbers(rows: pa.Table, name: str) -> np.ndarray:
    """A column as numbers; words as their rank."""
    column = rows.column(name)
    if is_numeric(column):
        return floats(column)
    words = text(column).to_pylist() if is_text(column) else [str(value) for value in column.to_pylist()]
    ranks = {word: float(rank) for rank, word in enumerate(sorted({w for w in words if w is not None}))}
    return np.array([ranks.get(word, np.nan) for word in words], dtype=np.float64)
