"""Links broken between a model and the review of what it was made from. Any registry and repository will do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mltest.faults.fault import NotApplicable
from mltest.faults.registry import fault, twin
from mltest.faults.repositories import ExchangedRepository, offered
from mltest.offers.review import Provenance
from mltest.system import Review, System

NOWHERE = hashlib.sha1(b"a commit that nobody made", usedforsecurity=False).hexdigest()


def told_otherwise(system: System, change: Callable[[Provenance], Provenance] | None) -> System:
    """The system whose registry tells something else about where its models come from."""
    if not hasattr(system.registry, "provenance"):
        raise NotApplicable(f"the registry of {system.name} tells nothing about where a model comes from")
    lists = () if change is None else (("provenance", change),)
    return system.with_parts(registry=ExchangedRepository(system.registry, lists=lists))


def reviewed_otherwise(system: System, change: Callable[[Sequence[Review]], Sequence[Review]] | None) -> System:
    """The system with other reviews."""
    offered(system, "reviews")
    lists = () if change is None else (("reviews", change),)
    return system.with_parts(repository=ExchangedRepository(system.repository, lists=lists))


def provenance_changed(healthy: System, faulted: System) -> str:
    """What the registries tell about the version that serves, where they differ."""
    before, after = (_told(system) for system in (healthy, faulted))
    if before is None or after is None or (before == after and list(before.files) == list(after.files)):
        return ""
    names = [name for name in ("commit", "config", "digest") if getattr(before, name) != getattr(after, name)]
    return f"another provenance: {', '.join(names or ['files'])}"


def reviews_changed(healthy: System, faulted: System) -> str:
    """Reviews that differ, or their order."""
    before, after = (tuple(offered(system, "reviews")) for system in (healthy, faulted))
    return "" if before == after else f"{len(before)} reviews became {len(after)}, or others"


def _told(system: System) -> Provenance | None:
    registry: Any = system.registry
    version = registry.alias("champion") if system.model is None else system.model.metadata.version
    found: Provenance | None = registry.provenance(version)
    return found


def _edited(told: Provenance, files: float) -> Provenance:
    """As if that many files had been edited before the training."""
    names = sorted(told.files)[: int(files)]
    return replace(told, files={**told.files, **{n: _other(told.files[n]) for n in names}})


def _other(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@fault(
    "O-M1-a",
    item="model.review",
    seam="train",
    doses=(1, 3),
    must_catch=1,
    parts=("registry", "repository"),
    alive=provenance_changed,
    why="trained from a working tree with edits that were never checked in, and registered under the last commit",
)
def dirty_tree(system: System, dose: float, workdir: Path) -> System:
    """The first `dose` files of the specification had been edited when the model was trained."""
    return told_otherwise(system, (lambda told: _edited(told, dose)) if dose else None)


@twin("O-M1-a")
def files_in_another_order(system: System, dose: float, workdir: Path) -> System:
    """The training wrote the files down in another order."""
    return told_otherwise(
        system, (lambda told: replace(told, files=dict(reversed([*told.files.items()])))) if dose else None
    )


@fault(
    "O-M1-b",
    item="model.review",
    seam="train",
    doses=(1,),
    parts=("registry", "repository"),
    alive=provenance_changed,
    why="a commit that was amended, rebased away or never pushed",
)
def phantom_commit(system: System, dose: float, workdir: Path) -> System:
    """The model comes from a commit that no branch has, with content that none has."""
    return told_otherwise(system, (lambda told: replace(_edited(told, 1), commit=NOWHERE)) if dose else None)


@twin("O-M1-b")
def squashed_commit(system: System, dose: float, workdir: Path) -> System:
    """The commit that was trained from is gone, as after a squash; its content is on the branch."""
    return told_otherwise(system, (lambda told: replace(told, commit=NOWHERE)) if dose else None)


@fault(
    "O-M1-c",
    item="model.review",
    seam="repo",
    doses=(1, 2),
    must_catch=1,
    parts=("registry", "repository"),
    alive=reviews_changed,
    why="an approval that was given before the last change, or by its author",
)
def stale_or_self_approval(system: System, dose: float, workdir: Path) -> System:
    """The reviews are of what was there before the last change; with dose 2 they are their authors' own."""

    def earlier(reviews: Sequence[Review]) -> Sequence[Review]:
        return [replace(review, digest=_other(review.digest)) for review in reviews]

    def own(reviews: Sequence[Review]) -> Sequence[Review]:
        return [replace(review, reviewer=review.author) for review in reviews]

    return reviewed_otherwise(system, (earlier, own)[int(dose) - 1] if dose else None)


@twin("O-M1-c")
def older_reviews_beside(system: System, dose: float, workdir: Path) -> System:
    """Reviews of older states come after the one that counts."""

    def more(reviews: Sequence[Review]) -> Sequence[Review]:
        return [*reversed(reviews), *(replace(review, digest=_other(review.digest)) for review in reviews)]

    return reviewed_otherwise(system, more if dose else None)


@fault(
    "O-M1-d",
    item="model.review",
    seam="train",
    doses=(1.01, 2),
    must_catch=2,
    parts=("registry", "repository"),
    alive=provenance_changed,
    why="a learning rate from an environment variable or a command line overrides the reviewed file",
)
def shadow_configuration(system: System, dose: float, workdir: Path) -> System:
    """The first number among the settings was `dose` times what the reviewed file says."""

    def overridden(told: Provenance) -> Provenance:
        numbers = [n for n, v in told.config.items() if isinstance(v, int | float) and not isinstance(v, bool) and v]
        return replace(told, config={**told.config, **{n: told.config[n] * dose for n in numbers[:1]}})

    return told_otherwise(system, overridden if dose else None)


@twin("O-M1-d", doses=(1,))
def another_folder(system: System, dose: float, workdir: Path) -> System:
    """Settings that are called not decisive, such as a folder or a log level, came from the environment."""
    names = offered(system, "specification").not_decisive
    given = dict.fromkeys(names, "from the environment")
    return told_otherwise(system, (lambda told: replace(told, config={**told.config, **given})) if dose else None)
