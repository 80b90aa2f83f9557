"""What two trainings with the same seed and data have in common, in figures.

Tolerances come in tiers: rows and their order must be equal; on one machine with one number of threads, predictions
agree to a millionth; with another number of threads sums are taken in another order, so that a small difference is
allowed as long as it is far below what another seed does (Pham et al., ASE 2020; Summers and Dinneen, ICML 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltest.evidence import Measurement, ReasonCode, Verdict
from mltest.probes.locked_environment import LockedEnvironment
from mltest.probes.outcomes import Outcome
from mltest.probes.trainings import FEWEST_ROWS, ProcessResult, Retraining, Trained
from mltest.stats.arrays import FloatArray

SAME_MACHINE = 1e-6
"""Difference of two predictions, in spreads, that is allowed on one machine with one number of threads."""

OTHER_THREADS = 1e-3
"""The same where sums are taken in another order."""

SEED_NOISE = 0.1
"""Difference of two losses, in standard deviations over seeds, that is allowed where threads differ."""

AS_ANOTHER_SEED = 0.5
"""Typical difference of predictions where threads differ, as a share of that between seeds, that is allowed."""

_SEEN = 0.5
_THREADS_DECIDE = (
    "the number of threads or cores decides the model: fix it in the configuration, switch on deterministic "
    "algorithms, and go on from nothing that an earlier training left"
)
_CLOCKWORK = frozenset({"seconds", "second", "time", "duration", "elapsed", "ms", "timestamp", "memory"})


@dataclass(frozen=True)
class RowOrder:
    """Training rows at whose position two readings differ, and whether sorting would make them equal."""

    moved: int
    only_order: bool

    @property
    def sentence(self) -> str:
        what = "the same rows came in another order" if self.only_order else "other rows came"
        return f"{what} when the training data were read a second time ({self.moved} rows)"


@dataclass(frozen=True)
class Comparison:
    """Differences between trainings of one seed, and those that another seed makes.

    Differences of predictions are in standard deviations of the predictions (`spread`, in units of the target);
    `thread_loss` is a difference of mean losses in standard deviations over seeds, `thread_share` the typical
    difference where threads differ as a share of that between seeds (None: seeds make none).
    """

    spread: float
    order: RowOrder
    process_difference: float
    process_rows: int
    thread_difference: float
    thread_loss: float | None
    thread_share: float | None
    seed_difference: float
    metric_difference: float
    artifacts_equal: bool
    judged: int
    differences: str
    read_back: tuple[str, ...]

    @property
    def threads_agree(self) -> bool:
        loss = self.thread_loss
        return self.thread_difference <= OTHER_THREADS and loss is not None and loss <= SEED_NOISE


def compare(retraining: Retraining, truth: FloatArray, outcome: Outcome) -> Comparison:
    """Compares all trainings; `truth` holds the judged rows' targets as `outcome` codes them, shape (rows,)."""
    usual, threaded = (process.of_seed(retraining.seed) for process in (retraining.usual, retraining.threaded))
    elsewhere = retraining.elsewhere.of_seed(retraining.seed) if retraining.elsewhere.trainings else None
    spread = spread_of(usual.answers)
    process = np.ones(len(usual.answers)) if elsewhere is None else gaps(usual.answers, elsewhere.answers, spread)
    others = [float(gaps(usual.answers, other.answers, spread).max()) for other in retraining.other_seeds]
    losses = [_loss(t.answers, truth, outcome) for t in (usual, *retraining.other_seeds)]
    return Comparison(
        spread=spread,
        order=_worse_order(retraining),
        process_difference=float(process.max()),
        process_rows=int((process > SAME_MACHINE).sum()),
        thread_difference=float(gaps(usual.answers, threaded.answers, spread).max()),
        thread_loss=_in_seed_noise(losses, _loss(threaded.answers, truth, outcome)),
        thread_share=_share_of_seeds(usual, threaded, retraining.other_seeds, spread),
        seed_difference=min(others),
        metric_difference=0.0 if elsewhere is None else metric_difference(usual.metrics, elsewhere.metrics),
        artifacts_equal=elsewhere is not None and usual.digest == elsewhere.digest,
        judged=len(usual.answers),
        differences=retraining.elsewhere.surroundings.differences,
        read_back=retraining.read_back,
    )


def obstacle(retraining: Retraining) -> tuple[str, ReasonCode] | None:
    """Why the trainings cannot be compared at all, as a sentence and its code; None when they can.

    Too few rows in the other process only are no obstacle: they are other rows than usual, which is a finding.
    """
    usual = retraining.usual
    if usual.labelled < FEWEST_ROWS:
        return (
            f"{usual.labelled} labelled training rows, {FEWEST_ROWS} are needed: give the split `train` more rows",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if usual.seen > _SEEN:
        return (
            f"{usual.seen:.0%} of the rows to predict are training rows: give a holdout that was not learnt from",
            ReasonCode.CIRCULAR,
        )
    answers = usual.of_seed(retraining.seed).answers
    finite = np.isfinite(answers).mean() if answers.dtype.kind == "f" else 1.0
    if not finite > _SEEN:
        return f"only {finite:.0%} of the predictions are numbers: nothing can be compared", ReasonCode.WITHHELD
    if not spread_of(answers) > 0:
        return "the model predicts the same for every row: a comparison has no content", ReasonCode.WITHHELD
    return None


def blindness(retraining: Retraining, comparison: Comparison) -> tuple[str, ReasonCode] | None:
    """Why agreement would show nothing: another seed changed nothing, or digests are not those of the artifacts."""
    if not comparison.seed_difference > 10 * SAME_MACHINE:
        return (
            f"training with another seed gave the same predictions (difference {comparison.seed_difference:.2g} "
            "spreads), so agreement shows nothing: hand the seed on to every generator of the training",
            ReasonCode.WITHHELD,
        )
    seeded = [retraining.usual.of_seed(retraining.seed), *retraining.other_seeds]
    if len({trained.digest for trained in seeded}) == 1:
        return (
            f"artifacts of {len(seeded)} different models all have the digest {seeded[0].digest[:12]}: "
            "take the digest from the file that is shipped",
            ReasonCode.STALE,
        )
    if not comparison.threads_agree and (comparison.thread_loss is None or comparison.thread_loss <= 1):
        seen = "unknown" if comparison.thread_loss is None else f"{comparison.thread_loss:.2g}"
        return (
            f"with another number of threads predictions differ by up to {comparison.thread_difference:.2g} spreads "
            f"(allowed {OTHER_THREADS:g}) and the loss by {seen} seed deviations (allowed {SEED_NOISE:g}): fix the "
            "number of threads in the configuration",
            ReasonCode.WITHHELD,
        )
    return None


def refusal(retraining: Retraining) -> str:
    """What is said when the training works as usual and raises elsewhere."""
    other = retraining.elsewhere
    return (
        f"the training that works as usual raised {other.raised} in a process with {other.surroundings.differences}, "
        "none of which may matter: let it depend on its rows, its configuration and its seed alone"
    )


def explanation(failed: Sequence[Measurement], comparison: Comparison, stack: LockedEnvironment | None) -> str:
    """One sentence for each failed measurement: what was seen, what was allowed, and what to do."""
    unpinned = "" if stack is None else stack.explanation()
    causes: Mapping[str, str] = {
        "training_rows_moved": f"{comparison.order.sentence}: sort the rows by their keys, pin the version of the "
        "data, and never ask the clock for a day",
        "process_difference": f"{comparison.process_rows} of {comparison.judged} predictions changed, by up to "
        f"{comparison.process_difference * comparison.spread:.3g} in units of the target, when only the process was "
        f"another (with {comparison.differences}): seed every generator, sort whatever comes from a set or a "
        "directory, and take nothing from the clock, the machine or an earlier run",
        "thread_loss_difference": _THREADS_DECIDE,
        "thread_share_of_seeds": _THREADS_DECIDE,
        "models_read_back": f"what a training gave lay in {', '.join(comparison.read_back[:3])} before it, so that "
        "nothing was repeated: keep what is kept below the workdir, and train on what is handed over",
        "pins_not_kept": unpinned,
        "packages_not_pinned": unpinned,
    }
    sentences = (f"{m.sentence()}: {causes[m.name]}" for m in failed if m.name in causes)
    return "; ".join(sentences)


def failures(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The measurements that lie beyond their limit."""
    return tuple(m for m in measurements if m.decides and m.verdict() is Verdict.FAILED)


def gaps(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic], spread: float) -> FloatArray:
    """Largest difference of two models' answers a row, in spreads, shape (rows,).

    An answer that only one of them gives, another label, and answers of another shape count as one whole spread.
    """
    if first.shape != second.shape:
        return np.ones(max(len(first), 1))
    if first.dtype.kind not in "fiub" or second.dtype.kind not in "fiub":
        return np.asarray(first != second, dtype=np.float64)
    one, two = first.astype(np.float64), second.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - two) / spread
    apart = np.where(np.isnan(one) & np.isnan(two), 0.0, np.where(np.isnan(apart), 1.0, apart))
    return np.asarray(apart if apart.ndim == 1 else apart.reshape(len(apart), -1).max(axis=1), dtype=np.float64)


def spread_of(answers: npt.NDArray[np.generic]) -> float:
    """Standard deviation of the finite answers, in units of the target; for labels 1 if there are two of them."""
    if answers.dtype.kind not in "fiub":
        return float(len(np.unique(answers)) > 1)
    numbers = answers.astype(np.float64)
    known = numbers[np.isfinite(numbers)]
    return float(known.std()) if known.size else 0.0


def row_order(usual: ProcessResult, other: ProcessResult) -> RowOrder:
    """At how many positions two readings of the training rows differ."""
    one, two = usual.row_digests, other.row_digests
    common = min(len(one), len(two))
    moved = int((one[:common] != two[:common]).sum()) + abs(len(one) - len(two))
    return RowOrder(moved, only_order=len(one) == len(two) and np.array_equal(np.sort(one), np.sort(two)))


def metric_difference(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Largest relative difference of the metrics that both report, those of time and memory left out."""
    names = [name for name in first if name in second and not _CLOCKWORK & set(name.lower().split("_"))]
    apart = (abs(first[name] - second[name]) / max(abs(first[name]), abs(second[name]), 1e-12) for name in names)
    return max((value for value in apart if np.isfinite(value)), default=0.0)


def _worse_order(retraining: Retraining) -> RowOrder:
    orders = [row_order(retraining.usual, other) for other in (retraining.elsewhere, retraining.threaded)]
    return max(orders, key=lambda order: order.moved)


def _loss(answers: npt.NDArray[np.generic], truth: FloatArray, outcome: Outcome) -> float:
    known = np.isfinite(truth)
    return float(outcome.losses(truth[known], outcome.answers(answers[known], int(known.sum()))).mean())


def _share_of_seeds(usual: Trained, threaded: Trained, others: Sequence[Trained], spread: float) -> float | None:
    """Typical difference of predictions with other threads, as a share of the least typical one of another seed.

    What sums in another order may do, up to `OTHER_THREADS`, counts as none.
    """
    if gaps(usual.answers, threaded.answers, spread).max() <= OTHER_THREADS:
        return 0.0

    def typical(other: Trained) -> float:
        return float(np.sqrt((gaps(usual.answers, other.answers, spread) ** 2).mean()))

    seeds = min(typical(other) for other in others)
    return typical(threaded) / seeds if seeds > 0 else None


def _in_seed_noise(over_seeds: Sequence[float], threaded: float) -> float | None:
    """The loss with other threads against the first one, in standard deviations over seeds; None without any."""
    noise = float(np.std(over_seeds, ddof=1)) if len(over_seeds) > 1 else 0.0
    apart = abs(threaded - over_seeds[0])
    if noise > 0:
        return apart / noise
    return 0.0 if apart == 0 else None
