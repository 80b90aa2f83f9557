"""Kilns whose search a hasty look would believe, and some whose log is only unusual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

import mltest
from mltest.stats.sketches import sketch
from mltest.system import Artifact, System, SystemRef
from tests.suites import kilns
from tests.suites.kilns import KilnData, KilnTraining


@dataclass(frozen=True)
class _Logged(KilnTraining):
    """The same training with another log."""

    other: mltest.SearchLog | None = None

    def search_log(self) -> Any:
        return self.other


def _with_log(ref: SystemRef, **changes: Any) -> System:
    return kilns.with_training(ref, _Logged(other=replace(kilns.log(), **changes)))


def without_log(ref: SystemRef) -> System:
    """A training that offers nothing beyond the protocol."""
    return kilns.with_training(ref, _Plain(KilnTraining()))


@dataclass(frozen=True)
class _Plain:
    inner: Any

    @property
    def config(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.inner.config
        return found

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        trained: Artifact = self.inner.train(dataset, seed=seed, config=config, workdir=workdir)
        return trained

    def load(self, artifact: Artifact) -> Any:
        return self.inner.load(artifact)


def four_trials(ref: SystemRef) -> System:
    return _with_log(ref, trials=list(kilns.log().trials)[:4])


def no_trials(ref: SystemRef) -> System:
    return _with_log(ref, trials=[])


def of_another_training(ref: SystemRef) -> System:
    """The log speaks of a key that this training does not have."""
    return _with_log(ref, space={**kilns.SPACE, "momentum": mltest.Range(0.0, 0.99)})


def of_other_rows(ref: SystemRef) -> System:
    """The trials were judged on rows that are in no split."""
    return _with_log(ref, judged_on=sketch(range(1000)))


def nothing_about_rows(ref: SystemRef) -> System:
    return _with_log(ref, judged_on=())


def from_the_future(ref: SystemRef) -> System:
    return _with_log(ref, at=datetime(2090, 1, 1, tzinfo=UTC))


def narrow_and_wrong(ref: SystemRef) -> System:
    """The search looked at rates from 100 to 1000 alone, where none is any good, and ships one from the middle."""
    space = {**kilns.SPACE, "rate": mltest.Range(100.0, 1000.0, log=True)}
    trials = [
        replace(trial, params={**trial.params, "rate": 100.0 * 10.0 ** (number / 15)}, value=50.0 + abs(number - 7))
        for number, trial in enumerate(kilns.log().trials)
    ]
    config = {**kilns.BASE, **trials[7].params}
    log = replace(kilns.log(), space=space, trials=trials)
    return kilns.with_training(ref, _Logged(config=config, other=log))


def rate_never_searched(ref: SystemRef) -> System:
    """The search never looked at the rate, which is twenty times too small."""
    space = {key: values for key, values in kilns.SPACE.items() if key != "rate"}
    best = kilns.shipped()
    config = {**kilns.BASE, **best, "rate": 0.002}
    return kilns.with_training(ref, _Logged(config=config, other=replace(kilns.log(), space=space)))


def all_alike(ref: SystemRef) -> System:
    """Sixteen settings, one value: whatever was judged, it was not these."""
    return _with_log(ref, trials=[replace(trial, value=0.8) for trial in kilns.log().trials])


def not_what_was_found(ref: SystemRef) -> System:
    """What is shipped was never near the best trial."""
    return kilns.with_training(ref, KilnTraining({**kilns.BASE, **kilns.shipped(), "rate": 0.004}))


@dataclass(frozen=True)
class _Deaf(KilnTraining):
    """Trains with the shipped configuration, whatever it is asked to use."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        return super().train(dataset, seed=seed, config={}, workdir=workdir)


def deaf(ref: SystemRef) -> System:
    return kilns.with_training(ref, _Deaf())


@dataclass(frozen=True)
class _Lying(KilnTraining):
    """Trains with twice the rate that it is asked to use."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        asked = {**self.config, **config}
        return super().train(dataset, seed=seed, config={**asked, "rate": 2 * asked["rate"]}, workdir=workdir)


def lying(ref: SystemRef) -> System:
    return kilns.with_training(ref, _Lying())


@dataclass(frozen=True)
class _Picky(KilnTraining):
    """Refuses settings outside the range that it was made for."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        if not 1e-4 <= {**self.config, **config}["rate"] <= 0.2:
            raise ValueError("rate is outside its range")
        return super().train(dataset, seed=seed, config=config, workdir=workdir)


def picky(ref: SystemRef) -> System:
    return kilns.with_training(ref, _Picky())


@dataclass(frozen=True)
class _Stubborn(KilnTraining):
    """Refuses every setting but its own."""

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        if any(self.config[key] != value for key, value in config.items()):
            raise ValueError("this setting is not for sale")
        return super().train(dataset, seed=seed, config=config, workdir=workdir)


def stubborn(ref: SystemRef) -> System:
    return kilns.with_training(ref, _Stubborn())


@dataclass(frozen=True)
class _WithoutValidation(KilnData):
    def dataset(self, split: str) -> pa.Table:
        if split == "validation":
            raise KeyError(f"no split {split!r}")
        return super().dataset(split)


def folds_of_training(ref: SystemRef) -> System:
    """No validation split: trials were judged on folds of the training rows."""
    judged = sketch(KilnData().dataset("train")["brick"].to_pylist())
    return replace(_with_log(ref, judged_on=judged), data=_WithoutValidation())


def maximised(ref: SystemRef) -> System:
    """The objective is the negative error, and the larger the better."""
    trials = [replace(trial, value=-float(trial.value or 0.0)) for trial in kilns.log().trials]
    return _with_log(ref, trials=trials, direction="maximize")
