"""Faults of a hyperparameter search: detuned, chosen on test rows, collapsed, cut off, or trained too short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.fault import NotApplicable
from mltest.faults.parts import ExchangedTraining
from mltest.faults.registry import fault, twin
from mltest.offers.search import Range, SearchLog, SearchTrial
from mltest.probes.search_log import finished
from mltest.probes.tuning_candidates import LENGTHS
from mltest.probes.tuning_rows import keys_of
from mltest.stats.sketches import SIZE, sketch
from mltest.system import Split, System

LogChange = Callable[[SearchLog], SearchLog]
ConfigChange = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class SearchedOtherwise(ExchangedTraining):
    """Training whose search left another log, and maybe another configuration."""

    logged: LogChange | None = None

    def search_log(self) -> SearchLog:
        inner: Any = self.inner
        found: SearchLog = inner.search_log()
        return found if self.logged is None else self.logged(found)


def searched_otherwise(system: System, logged: LogChange | None, configured: ConfigChange | None = None) -> System:
    """The system with another search log and configuration; None changes nothing. Raises NotApplicable without one."""
    training: Any = training_of(system)
    if getattr(training, "search_log", None) is None:
        raise NotApplicable(f"{system.name} offers no search log")
    return system.with_parts(training=SearchedOtherwise(training, configured=configured, logged=logged))


def search_changed(healthy: System, faulted: System) -> str:
    """What differs in the search log or in the shipped configuration."""
    before, after = (_said(system) for system in (healthy, faulted))
    names = ("configuration", "space", "trials", "judged rows")
    moved = [name for name, old, new in zip(names, before, after, strict=True) if old != new]
    return f"the search has another {' and '.join(moved)}" if moved else ""


def _said(system: System) -> tuple[Any, ...]:
    training: Any = training_of(system)
    log: SearchLog = training.search_log()
    trials = [(dict(trial.params), trial.value) for trial in log.trials]
    return dict(training.config), dict(log.space), trials, tuple(log.judged_on)


def _log_of(system: System) -> SearchLog:
    training: Any = training_of(system)
    if getattr(training, "search_log", None) is None:
        raise NotApplicable(f"{system.name} offers no search log")
    found: SearchLog = training.search_log()
    return found


def _key(system: System, wanted: Callable[[Range], bool], what: str) -> str:
    """The first searched key whose range is as wanted. Raises NotApplicable without any."""
    space = _log_of(system).space
    keys = [key for key, values in space.items() if isinstance(values, Range) and wanted(values)]
    if not keys:
        raise NotApplicable(f"{system.name} searched no {what}")
    return keys[0]


def _rescaled(system: System, factor: float) -> System:
    """Space, trials and shipped value of the first key on a log scale, all times `factor`: a consistent slip."""
    if not factor:
        return searched_otherwise(system, None)
    key = _key(system, lambda values: values.log and not values.whole, "number on a log scale")

    def logged(log: SearchLog) -> SearchLog:
        known: Any = log.space[key]
        moved = replace(known, low=known.low * factor, high=known.high * factor)
        trials = [replace(t, params={**t.params, key: t.params[key] * factor}) for t in log.trials]
        return replace(log, space={**log.space, key: moved}, trials=trials)

    return searched_otherwise(system, logged, lambda config: {**config, key: config[key] * factor})


@fault(
    "O-M3-a",
    item="model.hyperparameters",
    seam="train",
    doses=(3, 10, 100),
    must_catch=100,
    parts=("data", "training"),
    alive=search_changed,
    why="a learning rate in another unit, in the search as in the training (DeepCrime: learning rate)",
)
def detuned(system: System, dose: float, workdir: Path) -> System:
    """The first number that is searched on a log scale is `dose` times as large, in the log and as shipped."""
    return _rescaled(system, dose)


@twin("O-M3-a", doses=(1.5,))
def within_the_flat_optimum(system: System, dose: float, workdir: Path) -> System:
    """It is one and a half times as large, which is still near the optimum."""
    return _rescaled(system, dose)


def _judged_on(system: System, split: Split, share: float) -> System:
    data = columns.data_of(system)
    if not data.roles.keys:
        raise NotApplicable(f"{system.name} names no keys")

    def logged(log: SearchLog) -> SearchLog:
        others = sketch(keys_of(columns.splits_of(data)[split], data.roles))
        taken = round(share * SIZE)
        return replace(log, judged_on=(*others[:taken], *tuple(log.judged_on)[taken:]))

    return searched_otherwise(system, logged if share else None)


@fault(
    "O-M3-b",
    item="model.hyperparameters",
    seam="spec",
    doses=(0.1, 1.0),
    must_catch=1.0,
    parts=("data", "training"),
    alive=search_changed,
    why="settings chosen on the test rows, which can then judge nothing",
)
def tuned_on_test(system: System, dose: float, workdir: Path) -> System:
    """That share of the rows that trials were judged on are held-out rows."""
    return _judged_on(system, "holdout", dose)


@twin("O-M3-b")
def nested_folds(system: System, dose: float, workdir: Path) -> System:
    """Trials were judged on folds of the training rows, as in nested cross-validation."""
    return _judged_on(system, "train", dose)


@fault(
    "O-M3-c",
    item="model.hyperparameters",
    seam="spec",
    doses=(1,),
    parts=("training",),
    alive=search_changed,
    why="a sampler whose seed is set anew for every trial: fifty trials of one setting",
)
def collapsed(system: System, dose: float, workdir: Path) -> System:
    """Every trial of the log is the best one again."""

    def logged(log: SearchLog) -> SearchLog:
        best = finished(log)[0]
        return replace(log, trials=[SearchTrial(best.params, best.value, number) for number in range(50)])

    return searched_otherwise(system, logged if dose else None)


@twin("O-M3-c")
def some_given_up(system: System, dose: float, workdir: Path) -> System:
    """Three trials more were given up before they had a value."""

    def logged(log: SearchLog) -> SearchLog:
        given_up = [replace(trial, value=None) for trial in list(log.trials)[:3]]
        return replace(log, trials=[*log.trials, *given_up])

    return searched_otherwise(system, logged if dose else None)


@fault(
    "O-M3-d",
    item="model.hyperparameters",
    seam="train",
    doses=(0.5, 0.8, 0.99),
    must_catch=0.99,
    parts=("data", "training"),
    alive=search_changed,
    why="a setting for debugging that was shipped: one epoch (DeepCrime: number of epochs)",
)
def trained_short(system: System, dose: float, workdir: Path) -> System:
    """Training is shorter by that share, once round the rows at least."""
    return _shorter(system, dose)


@twin("O-M3-d", doses=(0.2,))
def stopped_early(system: System, dose: float, workdir: Path) -> System:
    """Training is a fifth shorter, when its loss hardly falls any more."""
    return _shorter(system, dose)


def _shorter(system: System, share: float) -> System:
    lengths = [key for key in LENGTHS if isinstance(training_of(system).config.get(key), int)]
    if not lengths:
        raise NotApplicable(f"the training of {system.name} does not say how long it trains")
    if not share:
        return searched_otherwise(system, None)
    return searched_otherwise(
        system, None, lambda config: {**config, **{key: max(1, round(config[key] * (1.0 - share))) for key in lengths}}
    )


@fault(
    "O-M3-e",
    item="model.hyperparameters",
    seam="spec",
    doses=(1,),
    parts=("training",),
    alive=search_changed,
    why="a range that ends where the best trials lie: a typing error in its upper end",
)
def cut_off(system: System, dose: float, workdir: Path) -> System:
    """The range of the first number on a log scale ends at its best trial, and better ones are not in the log."""
    return _upper_end(system, (lambda best, _: best) if dose else None)


@twin("O-M3-e")
def a_wider_range(system: System, dose: float, workdir: Path) -> System:
    """The range of that number reaches twice as far."""
    return _upper_end(system, (lambda _, high: 2.0 * high) if dose else None)


def _upper_end(system: System, end: Callable[[float, float], float] | None) -> System:
    if end is None:
        return searched_otherwise(system, None)
    key = _key(system, lambda values: values.log and not values.whole, "number on a log scale")

    def logged(log: SearchLog) -> SearchLog:
        known: Any = log.space[key]
        high = end(finished(log)[0].params[key], known.high)
        trials = [replace(t, params={**t.params, key: min(t.params[key], high)}) for t in log.trials]
        return replace(log, space={**log.space, key: replace(known, high=high)}, trials=trials)

    return searched_otherwise(system, logged)
