"""Asks the real model: trained with and without a unit, on the same rows, with the same seeds.

A screen speaks of other models than the one that is shipped. So both controls, and what the screens suspect, are
retrained for real: a column of noise must not help, the loss of the strongest unit must hurt, and a suspect whose
removal hurts is no suspect any more. Suspects go together first; only where that hurts they are told apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import learnable, time_folds
from mltest.probes.ablation import Screened
from mltest.probes.ablation_rows import Material
from mltest.probes.direction import contradiction
from mltest.probes.feature_verdicts import MARGIN, Benefit
from mltest.probes.learnable import NOISE
from mltest.stats.bootstrap import Estimate
from mltest.stats.seeds import estimate_over_seeds
from mltest.system import HOW_TO_OFFER, Artifact, Effort, System, SystemRef, Training

ROWS: Mapping[Effort, int] = {"quick": 20_000, "standard": 60_000, "thorough": 250_000}
SECONDS: Mapping[Effort, float] = {"quick": 20.0, "standard": 120.0, "thorough": 900.0}
SEEDS: Mapping[Effort, int] = {"quick": 3, "standard": 5, "thorough": 10}
FEWEST_SEEDS = 3
"""With two seeds the interval of a difference has hardly more than one degree of freedom, and tells nothing."""
PATIENCE = 7.5
"""How many times the budget may be overrun for the fewest seeds, before a training counts as too dear."""
FULL, NOISY, BEREFT, CLEARED = "all inputs", "with noise", "without the strongest", "without the suspects"

Losses = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Retrained:
    """What the real model says: benefit of a unit as a share of its loss, and what it took to find out."""

    noise: Estimate
    strongest: Estimate
    suspects: Estimate | None
    missed: tuple[str, ...]
    """Suspects that the real model does worse without; `suspects` is what the others bring together."""
    trainings: int
    seeds: int
    seconds: float
    shortened: str


@dataclass(frozen=True)
class _Trainer:
    training: Training
    rows: Material
    learn: pa.Table
    judge: pa.Table
    shorter: Mapping[str, Any]
    workdir: Path
    made: dict[str, tuple[Artifact, Losses]] = field(default_factory=dict)
    """The last artifact of every arm, with its answers."""

    def arm(self, inputs: Sequence[str], seeds: Sequence[int], arm: str) -> Losses:
        """Losses after a training with each seed; shape (seeds, judged)."""
        return np.stack([self.losses(inputs, seed, arm) for seed in seeds])

    def losses(self, inputs: Sequence[str], seed: int, arm: str) -> Losses:
        """Loss of every judged row after a training on `inputs`; shape (judged,)."""
        folder = self.workdir / f"{arm.replace(' ', '-')}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        artifact = self.training.train(
            self.learn, seed=seed, config={**self.shorter, "inputs": list(inputs)}, workdir=folder
        )
        outcome = self.rows.outcome
        answers = outcome.answers(self.training.load(artifact).predict(self.judge), self.judge.num_rows)
        self.made[arm] = artifact, answers
        truth = outcome.truth(learnable.targets(self.judge, self.rows.roles))
        return np.asarray(outcome.losses(truth, answers), dtype=np.float64)


def confirm(system: System, rows: Material, screened: Screened, ref: SystemRef) -> Retrained:
    """Trains every arm with the same seeds, as many as the effort has time for.

    Raises Withheld without a training part, when one training is too dear for the effort, when the training does not
    heed `inputs`, when its model is worse than a constant or contradicts the served one, or when a control fails.
    """
    trainer = _trainer(_offered(system), rows, ref)
    arms = _arms(rows, screened)
    started = time.perf_counter()
    first = {arm: trainer.losses(inputs, ref.seed, arm) for arm, inputs in list(arms.items())[:1]}
    seconds = time.perf_counter() - started
    seeds = _affordable(seconds, len(arms), ref.effort)
    more = range(ref.seed, ref.seed + seeds)
    losses = {
        arm: np.concatenate([first[arm][None], trainer.arm(inputs, more[1:], arm)])
        if arm in first
        else trainer.arm(inputs, more, arm)
        for arm, inputs in arms.items()
    }
    _require_sense(losses, trainer)
    _require_agreement(system, trainer)
    compared = _Compared(trainer, losses[FULL], more)
    suspects = compared.without(losses[CLEARED]) if CLEARED in losses else None
    missed: tuple[str, ...] = ()
    if suspects is not None and suspects.interval.low > 0:
        affordable = round(PATIENCE * SECONDS[ref.effort] / max(seconds * seeds, 1e-9)) - len(arms)
        missed, suspects = _missed(compared, _suspects(screened), suspects, affordable)
    found = Retrained(
        noise=_benefit(losses[FULL] - losses[NOISY], compared.mean, compared.days),
        strongest=compared.without(losses[BEREFT]),
        suspects=suspects,
        missed=missed,
        trainings=seeds * len(trainer.made),
        seeds=seeds,
        seconds=time.perf_counter() - started,
        shortened=_said(trainer),
    )
    _require_controls(found, screened)
    return found


def settled(screened: Screened, retrained: Retrained) -> dict[str, Benefit]:
    """The verdicts of the screens, except for suspects that the real model misses when they are taken away."""
    return {**screened.verdicts, **dict.fromkeys(retrained.missed, Benefit.UNDERPOWERED)}


@dataclass(frozen=True)
class _Compared:
    """What other trainings lose more than those on all inputs, whose losses are `full` (seeds, judged)."""

    trainer: _Trainer
    full: Losses
    seeds: Sequence[int]

    @property
    def mean(self) -> float:
        return float(self.full.mean())

    @property
    def days(self) -> npt.NDArray[np.intp]:
        return time_folds.blocks(self.trainer.judge, self.trainer.rows.roles).of_row

    def without(self, losses: Losses) -> Estimate:
        return _benefit(losses - self.full, self.mean, self.days)

    def retrained_without(self, names: Sequence[str], arm: str) -> Estimate:
        kept = tuple(name for name in self.trainer.rows.inputs if name not in names)
        return self.without(self.trainer.arm(kept, self.seeds, arm))


def _missed(
    compared: _Compared, suspects: tuple[str, ...], together: Estimate, affordable: int
) -> tuple[tuple[str, ...], Estimate]:
    """Which suspects are missed, of those that are `together`, and what the others bring.

    One that is missed clears nobody else: each is taken away alone, then all that are not missed at once. Where that
    is too dear, or where they stand in for each other, all count as missed.
    """
    if len(suspects) == 1 or len(suspects) + 1 > affordable:
        return suspects, together
    missed = tuple(
        name
        for number, name in enumerate(suspects)
        if compared.retrained_without((name,), f"without suspect {number}").interval.low > 0
    )
    rest = tuple(name for name in suspects if name not in missed)
    if not missed or not rest:
        return suspects, together
    others = compared.retrained_without(rest, "without the others")
    return (suspects, together) if others.interval.low > 0 else (missed, others)


def _suspects(screened: Screened) -> tuple[str, ...]:
    return screened.inputs_that_are(Benefit.NONE, Benefit.HARMFUL)


def _offered(system: System) -> Training:
    """The training part. Raises Withheld when the system offers none: a screen speaks of other models."""
    if system.training is None:
        raise Withheld(
            f"the screens ran (see the table), but the real model cannot be retrained: {HOW_TO_OFFER['training']}",
            ReasonCode.PART_MISSING,
        )
    return system.training


def _trainer(training: Training, rows: Material, ref: SystemRef) -> _Trainer:
    everything = np.arange(rows.learn.num_rows)
    blocks = time_folds.blocks(rows.learn, rows.roles)
    learn = time_folds.whole_blocks(blocks.of_row, everything, ROWS[ref.effort])
    judge = time_folds.thinned(np.arange(rows.held_back.num_rows), ROWS[ref.effort])
    epochs = training.config.get("epochs")
    shorter = {"epochs": max(1, epochs // 2)} if ref.effort == "quick" and isinstance(epochs, int) else {}
    return _Trainer(
        training=training,
        rows=rows,
        learn=learnable.with_noise(rows.learn.take(pa.array(learn)), ref.seed),
        judge=learnable.with_noise(rows.held_back.take(pa.array(judge)), ref.seed + 1),
        shorter=shorter,
        workdir=ref.workdir / "ablation",
    )


def _arms(rows: Material, screened: Screened) -> dict[str, tuple[str, ...]]:
    strongest = screened.units[screened.strongest_unit]
    arms = {
        FULL: rows.inputs,
        NOISY: (*rows.inputs, NOISE[0]),
        BEREFT: tuple(name for name in rows.inputs if name not in strongest),
    }
    if not arms[BEREFT]:
        arms[BEREFT] = (NOISE[0],)
    suspects = _suspects(screened)
    if suspects and len(suspects) < len(rows.inputs):
        arms[CLEARED] = tuple(name for name in rows.inputs if name not in suspects)
    return arms


def _affordable(seconds: float, arms: int, effort: Effort) -> int:
    if seconds * arms * FEWEST_SEEDS > PATIENCE * SECONDS[effort]:
        raise Withheld(
            f"one training takes {seconds:.0f} s, and {arms * FEWEST_SEEDS} are needed: give the run a higher effort "
            f"than {effort}",
            ReasonCode.NOT_RUN,
        )
    return int(np.clip(SECONDS[effort] / max(seconds * arms, 1e-9), FEWEST_SEEDS, SEEDS[effort]))


def _benefit(more_lost: Losses, mean: float, days: npt.NDArray[np.intp]) -> Estimate:
    """What is saved, as a share of the full model's loss, with the error of both seeds and days."""
    return estimate_over_seeds(more_lost / mean, days)


def _require_sense(losses: Mapping[str, Losses], trainer: _Trainer) -> None:
    if np.array_equal(losses[FULL], losses[BEREFT]):
        raise Withheld(
            "the training gives the same model with and without its strongest inputs, so that nothing is compared: "
            "make train() read the columns that config['inputs'] lists",
            ReasonCode.CIRCULAR,
        )
    digests = {artifact.digest for artifact, _ in trainer.made.values()}
    if len(digests) == 1:
        raise Withheld(
            f"models with other inputs carry one digest ({digests.pop()[:12]}): which one was judged is unknown: "
            "let train() give the digest of what it made",
            ReasonCode.STALE,
        )
    constant = _constant_loss(trainer)
    if not losses[FULL].mean() < constant:
        raise Withheld(
            f"the retrained model loses {losses[FULL].mean():.4g} a row and a constant {constant:.4g}: what its "
            "features bring cannot be told from a model that predicts nothing"
        )


def _require_agreement(system: System, trainer: _Trainer) -> None:
    """A training that speaks another language than the served model says nothing about its features."""
    artifact, answers = trainer.made[FULL]
    served = None
    if system.model is not None:
        served = trainer.rows.outcome.answers(system.model.predict(trainer.judge), trainer.judge.num_rows)
    problem = contradiction(served, answers, artifact.metrics)
    if problem is not None:
        raise Withheld(problem)


def _constant_loss(trainer: _Trainer) -> float:
    """Mean loss of always giving the median, or the frequencies of the classes, of the rows learned from."""
    outcome, roles = trainer.rows.outcome, trainer.rows.roles
    learned = outcome.truth(learnable.targets(trainer.learn, roles))
    truth = outcome.truth(learnable.targets(trainer.judge, roles))
    if outcome.is_number:
        return float(outcome.losses(truth, np.full(len(truth), np.median(learned))).mean())
    shares = np.array([(learned == code).mean() for code in range(len(outcome.classes))])
    return float(outcome.losses(truth, np.tile(shares, (len(truth), 1))).mean())


def _require_controls(found: Retrained, screened: Screened) -> None:
    if found.noise.interval.low > MARGIN:
        raise Withheld("the retrained model gains from a column of pure noise: its comparisons mean nothing here")
    if not found.strongest.interval.low > 0:
        raise Withheld(
            f"the retrained model does not clearly miss {screened.strongest_unit}, the strongest of all "
            f"({found.strongest.value:.2%} of its loss, from {found.strongest.interval.low:.2%}): more seeds or rows "
            "are needed",
            ReasonCode.TOO_LITTLE_DATA,
        )


def _said(trainer: _Trainer) -> str:
    epochs = f", {trainer.shorter['epochs']} epochs" if "epochs" in trainer.shorter else ""
    return f"{trainer.learn.num_rows} training rows{epochs}, judged on {trainer.judge.num_rows}"
