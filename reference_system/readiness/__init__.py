"""The reference system as its auditor sees it: one function that gives a System, and one for a small sample of it.

Nothing is computed when a System is built, and what only training needs is loaded by what trains. Features and the
champion are made when a probe first asks for them, kept in the cache under a digest of everything that they depend on,
and registered in a registry that belongs to the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from mltest.system import System, SystemRef
from reference_system import digest, raw
from reference_system.config import Preset, preset
from reference_system.readiness import repository
from reference_system.readiness.data import EtaData
from reference_system.readiness.features import EtaFeatures
from reference_system.readiness.labels import EtaLabels
from reference_system.readiness.model import Champion, EtaGate, EtaTraining
from reference_system.readiness.place import Workplace
from reference_system.readiness.serving import EtaServing


def system(ref: SystemRef) -> System:
    """The whole system: all three airports, the shipped configuration."""
    return _system(ref, preset("full"))


def sample(ref: SystemRef) -> System:
    """A small sample that stands on its own: one airport, fewer epochs."""
    return _system(ref, preset("sample"))


def resampled(ref: SystemRef) -> System:
    """A healthy relative of the sample: the seed draws its days, and one of a few champions."""
    from reference_system.readiness import drawn_days as days  # nothing else needs what it imports

    related = sample(replace(ref, seed=ref.seed % days.CHAMPIONS))
    if related.data is None:
        raise LookupError(f"{related.name} offers no data")
    return related.with_parts(name=f"{related.name}-resampled", data=days.of_days(related.data, ref.seed))


def _system(ref: SystemRef, chosen: Preset) -> System:
    place = Workplace(ref.workdir, ref.cache or ref.workdir / "cache", chosen, ref.seed)
    return System(
        name="eta" if chosen.name == "full" else f"eta-{chosen.name}",
        task="regression",
        environment="staging",
        experiments=True,
        data=EtaData(place),
        features=EtaFeatures(place),
        training=EtaTraining(place),
        model=Champion(place),
        registry=place.registry,
        gate=EtaGate(place),
        serving=EtaServing(place),
        repository=repository.of_checkout(),
        labels=EtaLabels(place),
        digests=Digests(place),
    )


class Digests(Mapping[str, str]):
    """Digests of model, data and configuration, computed when they are read; no model is trained for them."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @cached_property
    def _found(self) -> dict[str, str]:
        files = {path.name: digest.of_file(path) for path in sorted(raw.FOLDER.glob("*.parquet"))}
        found = {"data": digest.of_plain(files), "config": digest.of_plain(self._place.preset.config.as_mapping())}
        champion = self._place.registry.champion()
        return found if champion is None else {"model": champion.digest, **found}

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
