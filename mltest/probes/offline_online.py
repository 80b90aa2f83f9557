"""Does better offline mean better online? Variants of the model, ranked by both metrics.

The order is what a release is decided by, so that Spearman's correlation decides; Pearson's is shown. Two controls: the
online metric itself, computed on the rows of the offline evaluation, must rank the variants as the replay does, else
the rows differ and not the metric; and offline values handed out at random must not pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest import figures
from mltest.evidence import ReasonCode, Withheld
from mltest.offers.impact import OfflineMetric, OnlineImpact
from mltest.probes import direction, judged_rows, model_variants, row_sample
from mltest.probes.evaluation_rows import Flattery
from mltest.probes.impact_replay import Replay
from mltest.probes.label_join import LEAST_FOUND, MOST_MISMATCHES, Comparison
from mltest.probes.model_variants import Variant
from mltest.probes.outcomes import Unanswered
from mltest.stats.arrays import FloatArray
from mltest.stats.clusters import cluster
from mltest.stats.rank_agreement import Correlation, correlation, pairs_needed
from mltest.system import Effort, Model

if TYPE_CHECKING:
    import pyarrow as pa

FLOOR = 0.3
"""What the lower end of the correlation's interval must exceed; at 0 or below the metric is a wrong proxy."""
LEAST_RELIABLE = 0.8
"""Share of the variance of online impacts that must not be chance of the days."""
LEAST_SPREAD = 0.05
"""Distance of the best from the worst variant, as a share of the mean impact."""

_PERMUTATIONS = 500
_LARGEST_BLIND = 0.05
_ROWS: dict[Effort, int] = {"quick": 6_000, "standard": 20_000, "thorough": 200_000}


@dataclass(frozen=True, eq=False)
class Ranked:
    """Both metrics of every variant, shape (variants,), as the system gives them, and what follows.

    `spearman` and `pearson` are of goodness, so that agreement is positive whatever is better; `control` is that of the
    impact on the evaluated rows; `reliability` and `spread` say whether the variants can be told apart online at all.
    """

    variants: tuple[Variant, ...]
    offline: FloatArray
    online: FloatArray
    metric: OfflineMetric
    impact: OnlineImpact
    spearman: Correlation
    pearson: Correlation
    control: Correlation
    reliability: float
    spread: float
    blind: float


def some(evaluated: pa.Table, effort: Effort) -> pa.Table:
    """As many of the evaluated rows as the effort allows, spread evenly."""
    return row_sample.evenly(evaluated, _ROWS[effort])


def ranked(
    variants: Sequence[Variant],
    replay: Replay,
    metric: OfflineMetric,
    impact: OnlineImpact,
    evaluated: pa.Table,
    *,
    effort: Effort,
    seed: int,
) -> Ranked:
    """Judges every variant by both metrics on the same rows.

    Raises Withheld when the metric gives something that is no number, or when the variants cannot be told apart.
    """
    rows = some(evaluated, effort)
    offline = np.array([float(metric.value(one.model, rows)) for one in variants])
    if not np.isfinite(offline).all():
        raise Withheld(
            f"{metric.name} is no finite number for {int((~np.isfinite(offline)).sum())} of {len(offline)} variants: "
            "mend the offline metric first"
        )
    per_row = np.array([replay.impact(replay.answers(one.model), impact) for one in variants])
    online = per_row.mean(axis=1)
    again = np.array([_on_evaluated(one.model, rows, replay, impact) for one in variants])
    signs = (-1.0 if metric.better == "lower" else 1.0), (-1.0 if impact.better == "lower" else 1.0)
    if np.allclose(np.abs(offline), np.abs(again), rtol=1e-9, atol=0.0):
        raise Withheld(
            f"{impact.name} is {metric.name} itself, on other rows: a comparison with itself says nothing, so write "
            "down what answers are worth to those who act on them",
            ReasonCode.CIRCULAR,
        )
    found = correlation(signs[0] * offline, signs[1] * online, kind="spearman")
    return Ranked(
        variants=tuple(variants),
        offline=offline,
        online=online,
        metric=metric,
        impact=impact,
        spearman=found,
        pearson=correlation(signs[0] * offline, signs[1] * online, kind="pearson"),
        control=correlation(again, online, kind="spearman"),
        reliability=_reliability(per_row, replay),
        spread=float(np.ptp(online) / max(float(np.abs(online).mean()), 1e-12)),
        blind=_blindness(online, seed),
    )


def _on_evaluated(model: Model, rows: pa.Table, replay: Replay, impact: OnlineImpact) -> float:
    target = replay.roles.target
    truth = replay.outcome.truth(judged_rows.column(rows, target))
    known = np.isfinite(truth)
    answers = replay.outcome.answers(model.predict(rows.drop_columns([target])), rows.num_rows)
    return float(np.mean(impact.per_row(answers[known], truth[known])))


def _reliability(per_row: FloatArray, replay: Replay) -> float:
    """1 - the variance that comes from the choice of days over that of the means, both beside the mean variant."""
    days = cluster(replay.blocks[replay.judged])
    sizes = days.sizes()
    apart = per_row - per_row.mean(axis=0)
    noise = []
    for values in apart:
        sums = days.sums(values)
        residuals = (sums - sums.sum() / sizes.sum() * sizes) / sizes.sum()
        noise.append(float(np.square(residuals).sum()) * days.count / (days.count - 1))
    total = float(per_row.mean(axis=1).var(ddof=1))
    return 1.0 - float(np.mean(noise)) / total if total > 0.0 else 0.0


def _blindness(online: FloatArray, seed: int) -> float:
    """Share of random orders that would pass."""
    random = np.random.default_rng(seed)
    passed = [
        correlation(random.permutation(online), online, kind="spearman").interval.low > FLOOR
        for _ in range(_PERMUTATIONS)
    ]
    return float(np.mean(passed))


def restricted(seen: Ranked) -> str | None:
    """Why the variants cannot carry a verdict, good or bad; None when they can."""
    if seen.spread < LEAST_SPREAD or seen.reliability < LEAST_RELIABLE:
        return (
            f"the best of {len(seen.variants)} variants is {seen.spread:.1%} apart from the worst in "
            f"{seen.impact.name}, and {max(0.0, seen.reliability):.0%} of that is more than chance ({LEAST_SPREAD:.0%} "
            f"and {LEAST_RELIABLE:.0%} are needed): among models of nearly equal quality no metric can be told from "
            "another, so let the training give worse ones too, and replay more days"
        )
    if not seen.control.interval.low > FLOOR:
        return (
            f"{seen.impact.name} itself, computed on the evaluated rows, does not rank the variants as the replay does "
            f"({_told(seen.control)}), so no offline metric on these rows could: replay more requests, or evaluate on "
            "rows that are like them"
        )
    if seen.blind > _LARGEST_BLIND:
        return f"{seen.blind:.0%} of random orders would pass: more variants are needed"
    return None


def sentence(seen: Ranked) -> str:
    """A failure by order: what was seen, what was allowed, what to do."""
    if seen.spearman.reason:
        told = f"{seen.metric.name} cannot rank the variants ({seen.spearman.reason})"
    else:
        told = f"{seen.metric.name} ranks {seen.spearman.n} variants with a correlation of {_told(seen.spearman)}"
    remedy = "choose an offline metric with the asymmetry of the real cost"
    if not seen.spearman.reason and seen.spearman.interval.high < 0.0:
        remedy = "check which direction of either metric is declared as better, and then the metric"
    return (
        f"{told} to {seen.impact.name}, the lower end must exceed {FLOOR:g}; the impact itself on the same evaluated "
        f"rows reaches {_told(seen.control)}, so the metric is the wrong proxy: {remedy}"
    )


def undecided(seen: Ranked) -> str:
    """Some relation is shown, and not enough of it: how many variants would do."""
    needed = pairs_needed(seen.spearman.value, FLOOR)
    more = f"about {needed} variants would decide" if needed else "it lies at the limit"
    return (
        f"{seen.metric.name} ranks {seen.spearman.n} variants with a correlation of {_told(seen.spearman)} to "
        f"{seen.impact.name}, the lower end must exceed {FLOOR:g}: {more}, or an offline metric that is nearer to it"
    )


def join_sentence(broken: Comparison) -> str:
    """A failure of the join: what its rows look like beside ours, what was allowed, what to do."""
    return (
        f"the system's join of labels gives an answer up to {broken.rows_each} labels, {broken.mismatched:.1%} of them "
        f"not those of its key, and finds {broken.found:.0%} of those that arrived; allowed are one label, "
        f"{MOST_MISMATCHES:.1%} and at least {LEAST_FOUND:.0%}: join on all of the keys, the date among them"
    )


def flattery_sentence(worst: Flattery, limit: float) -> str:
    """A failure of the rows: who leaves out how many, by how much that flatters, what to do."""
    return (
        f"{worst.by} leaves out {worst.left_out:.1%} of the labelled rows, and the loss on the others is "
        f"{worst.value:.3g} % [{worst.interval.low:.3g}, {worst.interval.high:.3g}] lower than on all, allowed is at "
        f"most {limit:.3g} %: evaluate on every row that is served and gets a label"
    )


def contradiction(champion: Model | None, seen: Ranked, replay: Replay) -> str | None:
    """Why the trained variants are not about the model that is served; None where they are."""
    shipped = next(one for one in seen.variants if one.name == model_variants.AS_SHIPPED)
    answers = replay.answers(shipped.model)
    served = None if champion is None else np.asarray(champion.predict(replay.requests))
    if served is not None and answers.ndim == 2 and served.ndim == 1:
        answers = answers[:, -1]
    return direction.contradiction(served, answers, shipped.metrics)


def answering(
    replay: Replay, variants: Sequence[Variant], evaluated: pa.Table, refused: dict[str, str]
) -> tuple[Variant, ...]:
    """Variants that answer all rows, and otherwise than those before them; the others join the refused ones.

    Raises what the shipped model raises, and Withheld when fewer than eight variants are left.
    """
    rows = evaluated.drop_columns([name for name in (replay.roles.target,) if name in evaluated.column_names])
    found: dict[bytes, Variant] = {}
    for one in variants:
        try:
            told = replay.answers(one.model).tobytes()
            replay.outcome.answers(one.model.predict(rows), rows.num_rows)
        except Unanswered as silent:
            if one.name == model_variants.AS_SHIPPED:
                raise
            refused[one.name] = silent.reason
            continue
        if told in found:
            refused[one.name] = f"answers as the variant {found[told].name!r}"
        found.setdefault(told, one)
    if len(found) < model_variants.FEWEST:
        raise Withheld(
            f"{len(variants)} variants give {len(found)} different sets of answers, {model_variants.FEWEST} are "
            "needed: let the training follow its rows and its configuration",
            ReasonCode.TOO_LITTLE_DATA,
        )
    return tuple(found.values())


def table(seen: Ranked, refused: Mapping[str, str], tally: str) -> str:
    """Every variant with both metrics, then what was refused, as JSON rows."""
    rows: list[dict[str, Any]] = []
    for made, offline, online in zip(model_variants.records(seen.variants), seen.offline, seen.online, strict=True):
        rows.append({**made, seen.metric.name: _number(offline), seen.impact.name: _number(online)})
    rows += [{"variant": name, "refused": why[:200]} for name, why in refused.items()]
    simulated = "simulated on replayed requests" if seen.impact.simulated else "not declared as simulated"
    return json.dumps([*rows, {"variant": "all", "trainings": tally, "online metric": simulated}])


def figure(seen: Ranked) -> str | None:
    """Offline against online, one point a variant; None without the extra `figures`."""
    points = [
        figures.Point(one.name, float(x), float(y))
        for one, x, y in zip(seen.variants, seen.offline, seen.online, strict=True)
    ]
    simulated = ", simulated" if seen.impact.simulated else ""
    return figures.scatter(
        "Variants by offline and online metric",
        points,
        x_unit=f"offline {seen.metric.name} ({seen.metric.better} is better)",
        y_unit=f"{seen.impact.name} ({seen.impact.better} is better{simulated})",
        line=None,
    )


def _told(one: Correlation) -> str:
    if one.reason or not math.isfinite(one.value):
        return f"nothing ({one.reason})"
    return f"{one.value:.2f} [{one.interval.low:.2f}, {one.interval.high:.2f}]"


def _number(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None
