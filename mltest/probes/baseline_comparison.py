"""Does the model earn its complexity? Its loss against every baseline's, row by row, with whole days resampled.

Passing is the claim that was tested: over every baseline that deserves the name, the lower end of the 95 % interval of
the relative gain lies above the smallest gain that matters. A tie fails, since nothing shows that complexity pays: the
gain is smaller than that on all days and on either half of them, and the interval is precise enough to have shown it.
All baselines have to be beaten, so their number needs no correction (an intersection-union test, Berger 1982).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mltest import figures
from mltest.evidence import Measurement, ReasonCode, Withheld
from mltest.probes.baselines import Baseline, Rung
from mltest.probes.judged_rows import JudgedRows
from mltest.stats.arrays import FloatArray
from mltest.stats.bootstrap import Estimate, cluster_bootstrap, relative_gain
from mltest.stats.clusters import ENOUGH_CLUSTERS

SMALLEST_GAIN = 1.0
"""Per cent of a baseline's loss that the model must save at least."""

MOST_UNLABELLED = 0.05
"""Share of the holdout that may lack an outcome: those rows may be the hard ones, and turn the comparison."""

_INFORMATION = ("boosting",)
_BLIND = 0.05


@dataclass(frozen=True, eq=False)
class Gain:
    """How much of a baseline's loss the model saves, in per cent, with the halves of the days apart.

    `decides` is False for what is no reference: boosting, and a baseline that does not beat the simpler one.
    """

    baseline: Baseline
    value: float
    low: float
    high: float
    halves: tuple[float, float]
    decides: bool

    @property
    def name(self) -> str:
        return f"gain_over_{self.baseline.rung}"

    def falls_short(self, limit: float) -> bool:
        """Whether the gain misses the limit: the whole interval does, or it is a tie seen precisely enough.

        Either has to show on both halves of the days.
        """
        precise = (self.high - self.low) / 2.0 <= limit
        return self.high < limit or (self.value < limit and precise)

    def confirmed(self, limit: float) -> bool:
        """Whether both halves of the days miss the limit."""
        return max(self.halves) < limit


@dataclass(frozen=True, eq=False)
class Comparison:
    """The model against its baselines, best reference first. `reversed_saves` is what the mirrored answers save."""

    gains: tuple[Gain, ...]
    model_loss: Estimate
    baseline_loss: tuple[Estimate, ...]
    control: Gain | None
    reversed_saves: float
    rows: JudgedRows


def compare(
    rows: JudgedRows, answers: FloatArray, baselines: Sequence[Baseline], *, seed: int, draws: int = 1000
) -> Comparison:
    """Pairs the model with every baseline on the held-out rows.

    `answers` are the model's, shape (n,) or (n, classes). Raises Withheld with fewer than 30 blocks (days), and when
    the model answers exactly as a baseline that looks at the inputs.
    """
    if rows.n_blocks < ENOUGH_CLUSTERS:
        raise Withheld(
            f"the holdout has {rows.n_blocks} {rows.unit}, {ENOUGH_CLUSTERS} are needed for an interval of the gain",
            ReasonCode.TOO_LITTLE_DATA,
        )
    losses = rows.outcome.losses(rows.truth, answers)
    means = {baseline.rung: float(baseline.losses.mean()) for baseline in baselines}
    gains = [
        _gain(rows, losses, baseline, _is_reference(baseline, means), seed, draws)
        for baseline in sorted(baselines, key=lambda b: (b.rung in _INFORMATION, means[b.rung]))
    ]
    gains = [gain for gain in gains if gain.decides] + [gain for gain in gains if not gain.decides]
    return Comparison(
        gains=tuple(gains),
        model_loss=cluster_bootstrap(losses, rows.blocks, draws=draws, seed=seed),
        baseline_loss=tuple(cluster_bootstrap(g.baseline.losses, rows.blocks, draws=draws, seed=seed) for g in gains),
        control=_control(rows, baselines, seed, draws),
        reversed_saves=_reversed_saves(rows, answers, losses),
        rows=rows,
    )


def shortfalls(comparison: Comparison, measured: Sequence[Measurement]) -> list[tuple[Gain, float]]:
    """Gains that miss the limit they were measured against, each with that limit, the smallest gain first."""
    limits = {m.name: m.limit for m in measured if m.limit is not None}
    missed = [(gain, limits[gain.name]) for gain in comparison.gains if gain.name in limits]
    return sorted((pair for pair in missed if pair[0].falls_short(pair[1])), key=lambda pair: pair[0].value)


def unsettled(comparison: Comparison, missed: Sequence[tuple[Gain, float]]) -> str | None:
    """Why no verdict may be drawn, whatever the measurements say; None when it may."""
    if any(gain.confirmed(limit) for gain, limit in missed):
        return None
    unit = comparison.rows.unit
    if missed:
        gain = missed[0][0]
        return (
            f"{gain.name} is {gain.value:.3g} %, but one half of the {unit} gives {min(gain.halves):.3g} % and the "
            f"other {max(gain.halves):.3g} %: hold out more {unit} to confirm that it falls short"
        )
    if comparison.control is not None and comparison.control.high < -100.0 * _BLIND:
        inside = 100.0 * comparison.control.baseline.gain_inside
        return (
            f"the linear baseline saves {inside:.3g} % on training rows kept aside and loses "
            f"{-comparison.control.value:.3g} % on the holdout, so the two speak of different relations: check the "
            "sign and unit of target and inputs"
        )
    if comparison.rows.share_unlabelled > MOST_UNLABELLED:
        return (
            f"{comparison.rows.share_unlabelled:.0%} of the holdout's rows have no outcome, allowed are "
            f"{MOST_UNLABELLED:.0%}, for they may be the very rows that the model gets wrong: join the outcomes that "
            "are missing"
        )
    return None


def advice(comparison: Comparison, missed: Sequence[tuple[Gain, float]]) -> str:
    """One sentence for a failure: what was seen, what was allowed, what to do."""
    worst, limit = missed[0]
    seen = (
        f"the model saves {worst.value:.3g} % [{worst.low:.3g}, {worst.high:.3g}] of the "
        f"{comparison.rows.outcome.loss_name} of {worst.baseline.says} ({worst.baseline.rung}), allowed is at least "
        f"{limit:.3g} %"
    )
    if comparison.reversed_saves > _BLIND:
        return f"{seen}: mirrored answers would be {comparison.reversed_saves:.0%} better, so check their sign"
    if worst.baseline.rung in ("constant", "zero") and worst.high < 0.0:
        return f"{seen}: it is worse than not looking, so check the unit of its answers, their row order and its inputs"
    if worst.low > -SMALLEST_GAIN:
        return f"{seen}: no evidence that the complexity pays, so ship the simpler one or find inputs that tell more"
    return f"{seen}: a simpler model is better, so check training labels, regularisation and the range of the output"


def figure(comparison: Comparison) -> str | None:
    """Loss with its interval for the model and every baseline."""
    names = ["the model", *(f"{gain.baseline.rung}: {gain.baseline.says}" for gain in comparison.gains)]
    losses = (comparison.model_loss, *comparison.baseline_loss)
    drawn = [
        figures.Interval(name, loss.value, loss.interval.low, loss.interval.high, status="open" if number else "passed")
        for number, (name, loss) in enumerate(zip(names, losses, strict=True))
    ]
    return figures.intervals(f"Mean {comparison.rows.outcome.loss_name} on the held-out rows", drawn)


def table(comparison: Comparison, trained_until: datetime | None) -> str:
    """Every contender as JSON rows: loss, gain, training rows, seconds, until when it was trained, and its standing."""
    model = comparison.model_loss
    records: list[dict[str, object]] = [
        {
            "contender": "the model",
            "loss": _short(model.value),
            "rows": model.n_rows,
            "trained_until": f"{trained_until:%Y-%m-%d}" if trained_until else "the model does not say",
            "digest": comparison.rows.digest,
        }
    ]
    for gain, loss in zip(comparison.gains, comparison.baseline_loss, strict=True):
        records.append(
            {
                "contender": f"{gain.baseline.rung}: {gain.baseline.says}",
                "loss": _short(loss.value),
                "gain_percent": _short(gain.value),
                "low": _short(gain.low),
                "high": _short(gain.high),
                "training_rows": gain.baseline.rows_learned,
                "seconds": round(gain.baseline.seconds, 2),
                "reference": "yes" if gain.decides else "no",
                "digest": comparison.rows.digest,
            }
        )
    return json.dumps(records)


def _is_reference(baseline: Baseline, means: dict[Rung, float]) -> bool:
    if baseline.rung in _INFORMATION:
        return False
    return baseline.simpler is None or means[baseline.rung] < means[baseline.simpler]


def _gain(rows: JudgedRows, losses: FloatArray, baseline: Baseline, decides: bool, seed: int, draws: int) -> Gain:
    estimate = relative_gain(losses, baseline.losses, rows.blocks, draws=draws, seed=seed)
    if estimate.reason is None:
        low, high = 100.0 * estimate.interval.low, 100.0 * estimate.interval.high
        return Gain(baseline, 100.0 * estimate.value, low, high, _halves(rows, losses, baseline.losses, seed), decides)
    if np.array_equal(losses, baseline.losses):
        if baseline.rung not in ("constant", "zero"):
            raise Withheld(
                f"the model's losses equal those of the {baseline.rung} baseline on every row: a model compared with "
                "itself says nothing",
                ReasonCode.CIRCULAR,
            )
        return Gain(baseline, 0.0, 0.0, 0.0, (0.0, 0.0), decides)
    raise Withheld(f"the gain over the {baseline.rung} baseline cannot be computed: {estimate.reason}")


def _halves(rows: JudgedRows, losses: FloatArray, reference: FloatArray, seed: int) -> tuple[float, float]:
    """The gain on each random half of the blocks, in per cent."""
    _, codes = np.unique(rows.blocks, return_inverse=True)
    count = int(codes.max()) + 1
    first = np.isin(codes, np.random.default_rng(seed + 1).permutation(count)[: count // 2])
    totals = [(float(losses[half].sum()), float(reference[half].sum())) for half in (first, ~first)]
    one, other = (100.0 * (1.0 - model / base) if base > 0.0 else 0.0 for model, base in totals)
    return one, other


def _control(rows: JudgedRows, baselines: Sequence[Baseline], seed: int, draws: int) -> Gain | None:
    """Gain of the linear baseline over the constant, where it had one on training rows kept aside."""
    by_rung = {baseline.rung: baseline for baseline in baselines}
    linear = by_rung.get("linear")
    if linear is None or not linear.gain_inside > _BLIND:
        return None
    estimate = relative_gain(linear.losses, by_rung["constant"].losses, rows.blocks, draws=draws, seed=seed)
    if estimate.reason is not None:
        return None
    low, high = 100.0 * estimate.interval.low, 100.0 * estimate.interval.high
    return Gain(linear, 100.0 * estimate.value, low, high, (low, high), decides=False)


def _reversed_saves(rows: JudgedRows, answers: FloatArray, losses: FloatArray) -> float:
    """Share of the model's loss that its answers would save if they were mirrored about the middle of the outcomes."""
    if rows.outcome.is_number:
        mirrored = np.median(rows.truth) - (answers - np.median(answers))
    elif len(rows.outcome.classes) == 2:
        mirrored = answers[:, ::-1]
    else:
        return 0.0
    total = float(losses.sum())
    return 1.0 - float(rows.outcome.losses(rows.truth, mirrored).sum()) / total if total > 0.0 else 0.0


def _short(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
