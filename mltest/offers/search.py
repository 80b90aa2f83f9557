"""The record of a hyperparameter search: what a training part may offer as `search_log()`.

    class MyTraining:
        def search_log(self):
            return mltest.SearchLog(
                space={"rate": mltest.Range(1e-4, 1e-1, log=True), "dropout": mltest.Range(0, 0.5)},
                trials=[mltest.SearchTrial({"rate": 2e-3, "dropout": 0.1}, value=9.4, seed=0), ...],
                judged_on=mltest.stats.sketch(keys_of_the_rows_that_trials_were_judged_on),
            )

Any tool will do, an Optuna study or a table: the record is plain data. It is checked and not believed: which split the
trials were judged on follows from the sketch, and a small search of the harness's own must not find anything better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

HOW_TO_OFFER = (
    "give the training part a `search_log()` that returns a mltest.SearchLog: the space, every trial with its value, "
    "and the sketch of the rows that trials were judged on"
)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` where orders of magnitude matter, `whole` for integers.

    An end at 0 or 1 is natural (no dropout, one layer) and may hold the best trial; any other end cuts a search off.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Choices:
    """Values without an order."""

    values: tuple[Any, ...]


Space = Mapping[str, Range | Choices]
"""What is searched, by key of the training's configuration."""


@dataclass(frozen=True)
class SearchTrial:
    """One setting and how good it was on the rows that trials are judged on; `value` None for one that was given up."""

    params: Mapping[str, Any]
    value: float | None
    seed: int | None = None


@dataclass(frozen=True)
class SearchLog:
    """A finished search. `judged_on` is `mltest.stats.sketch` of the keys of the rows that decided between trials: of
    the key column of the roles, or of several joined by `|`. `led_to` is the configuration that was chosen (by
    default that of the best trial), `at` when, `objective` what the values are."""

    space: Space
    trials: Sequence[SearchTrial]
    judged_on: Sequence[str] = ()
    direction: Literal["minimize", "maximize"] = "minimize"
    objective: str = ""
    led_to: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@runtime_checkable
class SearchedTraining(Protocol):
    """A training whose configuration was searched for."""

    def search_log(self) -> SearchLog: ...
