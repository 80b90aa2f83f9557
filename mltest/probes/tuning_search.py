"""A short search of the harness's own, and what its best setting gains when it is judged again on other days and seeds.

All settings get the same budget: rows, seed and length of training. The best of them by the earlier half of the
validation days is trained anew with fresh seeds and judged on the later half, beside the shipped setting and beside the
shipped one trained twice as long. Losses are paired by row and seed. What wins on a part of the training rows must win
once more on all of them, for the best setting depends on their number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure, Withheld
from mltest.offers.search import SearchLog
from mltest.probes import search_log, tuning_candidates
from mltest.probes.kept_trainings import KeptTrainings
from mltest.probes.tuning_rows import Fold, TuningRows
from mltest.stats.arrays import FloatArray
from mltest.stats.bootstrap import relative_gain
from mltest.system import Effort, SystemRef

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Training

SMALLEST_GAIN = 1.0
"""Per cent of the shipped setting's loss that another one must save to be better."""
_FRESH = 1000


@dataclass(frozen=True)
class Budget:
    """Settings that are tried on so many rows (0: all), and rows and fresh seeds of the judgement."""

    settings: int
    rows: int
    judged_rows: int
    seeds: int


BUDGETS: Mapping[Effort, Budget] = {
    "quick": Budget(settings=12, rows=15_000, judged_rows=100_000, seeds=3),
    "standard": Budget(settings=16, rows=40_000, judged_rows=0, seeds=3),
    "thorough": Budget(settings=20, rows=0, judged_rows=0, seeds=6),
}


@dataclass(frozen=True)
class Tried:
    """One setting of the search: its loss on the earlier half, None where the training refused it."""

    setting: Mapping[str, Any]
    loss: float | None
    refused: str = ""


@dataclass(frozen=True)
class Gain:
    """What a setting saves of the shipped one's loss on the later half, in per cent: the mean over fresh seeds, its
    standard error over seeds, and the 95 % interval over days."""

    setting: Mapping[str, Any]
    value: float
    error: float
    low: float
    high: float
    days: int
    seeds: int

    @property
    def limit(self) -> float:
        """What it must exceed to count: the smallest gain that matters, or twice the noise of seeds."""
        return max(SMALLEST_GAIN, 2.0 * self.error)


@dataclass(frozen=True, eq=False)
class Search:
    """What was tried, shipped first; the best other setting and the longer training judged again; `ignored` when no
    setting changed any answer, `renamed` a key that the artefact says to have been another than was asked for."""

    tried: tuple[Tried, ...]
    best: Gain | None
    longer: Gain | None
    ignored: bool
    renamed: str | None
    answers: FloatArray
    metrics: Mapping[str, float]
    tally: str


def run(ref: SystemRef, training: Training, rows: TuningRows, log: SearchLog) -> Search:
    """Searches around the shipped configuration and judges what it found. Raises PartFailure when the shipped
    configuration itself cannot be trained."""
    budget, config = BUDGETS[ref.effort], training.config
    shipped = {key: config[key] for key in log.space}
    bench = _Bench(KeptTrainings(ref, training), rows)
    recorded = search_log.finished(log)[0].params
    settings = [shipped, *([] if _same(recorded, shipped, log) else [{key: recorded[key] for key in log.space}])]
    settings += tuning_candidates.around(log.space, config, budget.settings - len(settings), ref.seed)
    little = rows.thinned(budget.rows)
    tried, answers = [], list[FloatArray]()
    for setting in settings:
        found, answered = bench.tried(little, setting, ref.seed, is_shipped=setting is shipped)
        tried.append(found)
        answers += [] if answered is None else [answered]
    others = [each for each in tried[1:] if each.loss is not None]
    seeds = [ref.seed + _FRESH + number for number in range(2 * budget.seeds)]
    stages = [_Stage(bench, rows.thinned(budget.judged_rows), shipped, seeds[: budget.seeds])]
    if stages[0].learned is not rows.learn:
        stages.append(_Stage(bench, rows.learn, shipped, seeds[budget.seeds :]))
    best = min(others, key=lambda each: each.loss or 0.0, default=None)
    extended = tuning_candidates.longer(config)
    return Search(
        tried=tuple(tried),
        best=None if best is None else _judged(stages, best.setting),
        longer=_judged(stages, {**shipped, **extended}) if extended else None,
        ignored=len(answers) > 1 and all(np.array_equal(each, answers[0]) for each in answers),
        renamed=bench.renamed,
        answers=answers[0],
        metrics=bench.metrics,
        tally=bench.kept.tally,
    )


class _Stage:
    """Rows to learn from and fresh seeds; the shipped setting is trained when another one is first judged beside it."""

    def __init__(self, bench: _Bench, learned: pa.Table, shipped: Mapping[str, Any], seeds: Sequence[int]) -> None:
        self.learned = learned
        self._bench, self._shipped, self._seeds = bench, shipped, seeds

    @cached_property
    def _usual(self) -> list[FloatArray]:
        return [self._bench.losses(self.learned, self._shipped, seed) for seed in self._seeds]

    def gain(self, setting: Mapping[str, Any]) -> Gain | None:
        """What a setting saves here; None where the training refuses it."""
        return self._bench.gain(self.learned, setting, self._seeds, self._usual)


def _judged(stages: Sequence[_Stage], setting: Mapping[str, Any]) -> Gain | None:
    """What a setting saves; one that wins on a part of the rows must win again on all, with other seeds: what is best
    for a few rows need not be best for many."""
    gain = None
    for stage in stages:
        gain = stage.gain(setting)
        if gain is None or gain.value <= gain.limit:
            return gain
    return gain


class _Bench:
    """Trains settings and judges them, noting what artefacts say about their configuration."""

    def __init__(self, kept: KeptTrainings, rows: TuningRows) -> None:
        self.kept = kept
        self.renamed: str | None = None
        self.metrics: Mapping[str, float] = {}
        self._rows = rows

    def tried(
        self, learned: pa.Table, setting: Mapping[str, Any], seed: int, *, is_shipped: bool
    ) -> tuple[Tried, FloatArray | None]:
        """A setting on the half to choose by; one that the training refuses says so, unless it is the shipped one."""
        try:
            answers = self._answers(learned, setting, seed, self._rows.choose)
        except (PartFailure, Withheld) as error:
            if is_shipped:
                raise
            return Tried(setting, None, str(error)[:200]), None
        losses = self._rows.outcome.losses(self._rows.choose.truth, answers)
        return Tried(setting, float(losses.mean())), answers

    def losses(self, learned: pa.Table, setting: Mapping[str, Any], seed: int) -> FloatArray:
        """Losses on the half to judge by, shape (rows,)."""
        answers = self._answers(learned, setting, seed, self._rows.judge)
        return self._rows.outcome.losses(self._rows.judge.truth, answers)

    def gain(
        self, learned: pa.Table, setting: Mapping[str, Any], seeds: Sequence[int], usual: Sequence[FloatArray]
    ) -> Gain | None:
        """What a setting saves beside the `usual` losses of the shipped one; None where the training refuses it."""
        try:
            losses = [self.losses(learned, setting, seed) for seed in seeds]
        except (PartFailure, Withheld):
            return None
        pairs = list(zip(losses, usual, strict=True))
        saved = np.array([100.0 * (1.0 - float(own.sum()) / float(other.sum())) for own, other in pairs])
        own, other = (np.mean(each, axis=0) for each in zip(*pairs, strict=True))
        days = relative_gain(own, other, self._rows.judge.blocks, seed=0)
        error = float(saved.std(ddof=1)) / math.sqrt(len(saved))
        interval = (100.0 * days.interval.low, 100.0 * days.interval.high) if days.reason is None else (0.0, 0.0)
        return Gain(setting, float(saved.mean()), error, *interval, days.n_clusters, len(saved))

    def _answers(self, learned: pa.Table, setting: Mapping[str, Any], seed: int, fold: Fold) -> FloatArray:
        done = self.kept.train(learned, seed=seed, config=setting)
        self.metrics = self.metrics or done.artifact.metrics
        said = done.artifact.config
        wrong = [key for key in setting if key in said and not _alike(said[key], setting[key])]
        self.renamed = self.renamed or (wrong[0] if wrong else None)
        model = self.kept.model(done)
        try:
            predicted = model.predict(fold.rows.drop_columns([self._rows.roles.target]))
        except Exception as error:
            raise PartFailure(f"a model trained by `training` raised {type(error).__name__}: {error}") from error
        return self._rows.outcome.answers(predicted, fold.rows.num_rows)


def _same(params: Mapping[str, Any], shipped: Mapping[str, Any], log: SearchLog) -> bool:
    return all(search_log.same(params[key], shipped[key], values) for key, values in log.space.items())


def _alike(said: Any, asked: Any) -> bool:
    if isinstance(said, list | tuple) and isinstance(asked, list | tuple):
        return list(said) == list(asked)
    return bool(said == asked)
