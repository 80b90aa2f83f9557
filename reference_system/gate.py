"""The gate between training and service: it measures what would be shipped and says why it may not be.

It never believes a metric that it did not measure itself, it compares with the champion (a sudden loss) and with
the carry-over rule on the same rows (a slow one, release after release).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.stats.bootstrap import cluster_bootstrap
from reference_system import encoding, evaluation
from reference_system.artifact import Artifact, ArtifactError
from reference_system.runtime import Predictor

FEWEST_ROWS = 500


@dataclass(frozen=True)
class GateLimits:
    """What a candidate must keep to.

    `share_of_carry_over`: its mean absolute error at most this share of that of "no minute gained or lost"; the net
    reaches 0.63 on September and October (0.69 on the LGA sample), so that ten releases of 2 % each do not pass.
    `margin`: at most so much worse than the champion, as a share, with 95 % confidence by day (non-inferiority).
    `metric_tolerance`: minutes by which a metric in the manifest may differ from the one measured here.
    """

    share_of_carry_over: float = 0.75
    margin: float = 0.02
    metric_tolerance: float = 0.05


@dataclass(frozen=True)
class Judgement:
    """The answer of the gate; `reasons` say why a candidate is refused."""

    accepted: bool
    reasons: tuple[str, ...] = ()


def judge(
    candidate: Artifact, champion: Artifact | None, table: pa.Table, limits: GateLimits | None = None
) -> Judgement:
    """Judges the artefact as it lies on disk on labelled rows that it was not trained on.

    `table` holds the inputs, the target, `day` and `pushed_back_at`. Without a champion only the fixed limit counts.
    """
    allowed = limits or GateLimits()
    try:
        predictor = Predictor.of(candidate)
    except ArtifactError as error:
        return Judgement(False, (str(error),))
    target = predictor.config["target"]
    rows, outcome = evaluation.labelled(table, target)
    if rows.num_rows < FEWEST_ROWS:
        return Judgement(False, (f"{rows.num_rows} labelled rows to judge by, {FEWEST_ROWS} are needed",))
    try:
        loss = np.abs(predictor.predict(rows) - outcome)
    except encoding.InputError as error:
        return Judgement(False, (str(error),))
    wrong = int((~np.isfinite(loss)).sum())
    if wrong:
        return Judgement(False, (f"{wrong} of {loss.size} answers are not numbers",))
    reasons = [
        *_unseen(predictor, rows),
        *_absolute(loss, outcome, allowed),
        *_claimed(candidate, loss, rows, allowed),
        *_against(champion, loss, rows, outcome, allowed),
    ]
    return Judgement(not reasons, tuple(reasons))


def _unseen(predictor: Predictor, rows: pa.Table) -> list[str]:
    until = predictor.metadata.trained_until
    first = pc.min(rows.column("pushed_back_at")).as_py()
    if until is None or first > until:
        return []
    return [f"rows from {first:%Y-%m-%d} on are judged, but training rows reach {until:%Y-%m-%d}: judge on later rows"]


def _absolute(loss: np.ndarray, outcome: np.ndarray, limits: GateLimits) -> list[str]:
    ratio = float(loss.mean() / np.abs(outcome).mean())
    if ratio <= limits.share_of_carry_over:
        return []
    return [f"error is {ratio:.3f} of the carry-over rule's, at most {limits.share_of_carry_over} is allowed"]


def _claimed(candidate: Artifact, loss: np.ndarray, rows: pa.Table, limits: GateLimits) -> list[str]:
    """The manifest's own figure, where it speaks about the same number of rows, must be the one measured here."""
    claimed = candidate.metrics.get("validation_mae")
    if claimed is None or candidate.metrics.get("validation_rows") != float(rows.num_rows):
        return []
    if abs(claimed - float(loss.mean())) <= limits.metric_tolerance:
        return []
    return [f"the manifest claims an error of {claimed:.3f} min, the file that would be shipped has {loss.mean():.3f}"]


def _against(
    champion: Artifact | None, loss: np.ndarray, rows: pa.Table, outcome: np.ndarray, limits: GateLimits
) -> list[str]:
    if champion is None:
        return []
    reference = np.abs(Predictor.of(champion).predict(rows) - outcome)
    if np.array_equal(loss, reference):
        return []
    days = rows.column("day").to_numpy(zero_copy_only=False)
    ratio = cluster_bootstrap(loss, days, statistic="ratio", reference=reference, seed=0)
    if ratio.reason is None and ratio.interval.high <= 1 + limits.margin:
        return []
    seen = ratio.reason or f"{ratio.value:.3f} [{ratio.interval.low:.3f}, {ratio.interval.high:.3f}]"
    return [f"error relative to champion {champion.version} is {seen}, at most {1 + limits.margin:.3f} is allowed"]
