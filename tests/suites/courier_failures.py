"""The couriers with one stage that goes on after a failure without a word, or that says so in a way of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from mltest.system import Artifact, System, SystemRef, Window
from tests.suites.couriers import (
    NUMBERS,
    CourierFeatures,
    CourierHandle,
    CourierModel,
    CourierRegistry,
    CourierServing,
    system,
)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Filled(CourierFeatures):
    """A raw column that is not there is taken for a column of `value`."""

    value: float | None = 0.0

    @property
    def catalogue(self) -> Any:  # type: ignore[override]
        return tuple(replace(info, nullable=self.value is None) for info in CourierFeatures.catalogue)

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        rows = raw["deliveries"]
        for name in NUMBERS:
            if name not in rows.column_names:
                rows = rows.append_column(name, pa.array([self.value] * rows.num_rows, pa.float64()))
        return super().compute({"deliveries": rows}, at)


def filling_lost_columns(ref: SystemRef) -> System:
    return system(ref).with_parts(features=Filled())


def declaring_lost_columns(ref: SystemRef) -> System:
    """The catalogue says that these inputs may be missing, and missing they are."""
    return system(ref).with_parts(features=Filled(None))


class TrustingRegistry(CourierRegistry):
    """Believes the digest that it is told."""

    def register(self, artifact: Artifact) -> str:
        digest = hashlib.sha256(artifact.path.read_bytes()).hexdigest()
        return super().register(replace(artifact, digest=digest))


class LateRegistry(TrustingRegistry):
    """Takes any bytes, and hands out none that are not what was trained."""

    def register(self, artifact: Artifact) -> str:
        version = super().register(artifact)
        (self.folder / f"{version}.digest").write_text(artifact.digest)
        return version

    def load(self, version: str) -> CourierModel:
        model = super().load(version)
        if model.metadata.digest != (self.folder / f"{version}.digest").read_text():
            raise ValueError(f"version {version} is not what was trained")
        return model


def _registered(ref: SystemRef, kind: type[CourierRegistry]) -> System:
    healthy, registry = system(replace(ref, workdir=ref.workdir / "before")), kind(ref.workdir / "registry")
    if registry.alias("champion") is None:
        assert healthy.training is not None
        assert healthy.data is not None
        rows = healthy.data.dataset("train")
        trained = healthy.training.train(rows, seed=0, config={}, workdir=ref.workdir / "models")
        registry.set_alias("champion", registry.register(trained))
    return healthy.with_parts(registry=registry, serving=CourierServing(registry))


def taking_any_bytes(ref: SystemRef) -> System:
    return _registered(ref, TrustingRegistry)


def checking_bytes_late(ref: SystemRef) -> System:
    return _registered(ref, LateRegistry)


class FallingBackServing(CourierServing):
    """Serves the champion in place of a version whose file it cannot read."""

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[CourierHandle]:
        assert version is not None
        path = self.registry.path(version)
        try:
            json.loads(path.read_text())
        except ValueError:
            version = None
        with super().start(workdir, version=version, as_of=as_of) as handle:
            yield handle


def falling_back_when_unreadable(ref: SystemRef) -> System:
    return system(ref).with_parts(serving=FallingBackServing(CourierRegistry(ref.workdir / "registry")))


@dataclass(frozen=True)
class RescuedHandle(CourierHandle):
    rescued: Callable[[Record], Record]

    def predict(self, records: Sequence[Record]) -> Sequence[Record]:
        broken = [record for record in records if not isinstance(record["distance"], float)]
        return [self.rescued(record) for record in broken] if broken else super().predict(records)


@dataclass(frozen=True)
class RescuingServing:
    """Answers what it cannot understand by the mean of all deliveries."""

    inner: CourierServing
    said: Mapping[str, Any]

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[RescuedHandle]:
        mean = {"prediction": 42.0, "version": version, **self.said}
        with self.inner.start(workdir, version=version, as_of=as_of) as handle:
            yield RescuedHandle(handle.url, handle.log, lambda record: mean)

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Record]:
        return self.inner.records(raw, window)


def _rescuing(ref: SystemRef, **said: Any) -> System:
    healthy = system(ref)
    assert isinstance(healthy.serving, CourierServing)
    return healthy.with_parts(serving=RescuingServing(healthy.serving, said))


def guessing_in_silence(ref: SystemRef) -> System:
    return _rescuing(ref)


def guessing_aloud(ref: SystemRef) -> System:
    return _rescuing(ref, degraded=["distance"])
