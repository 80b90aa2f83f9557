"""Sane baselines, trained here on the model's own inputs and the same training rows.

The ladder: a constant, the median of a declared group, a regularised linear model, a small tree. Each names the
simpler one that it has to beat before it counts as a reference. Gradient boosting stands beside the ladder: it is no
simpler model and decides nothing, but a reader wants to see it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mltest import extras
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix, linear_model
from mltest.probes.design_matrix import Encoder
from mltest.probes.judged_rows import JudgedRows
from mltest.stats.arrays import BoolArray, FloatArray
from mltest.system import Effort

Rung = Literal["constant", "zero", "group", "linear", "tree", "boosting"]

_ROWS_FOR_TREES: dict[Effort, int] = {"quick": 40_000, "standard": 120_000, "thorough": 1_000_000}
_ROWS_FOR_LOGISTIC: dict[Effort, int] = {"quick": 30_000, "standard": 60_000, "thorough": 200_000}
_TREES_OF_BOOSTING: dict[Effort, int] = {"quick": 100, "standard": 300, "thorough": 500}
_DEPTH = 6
_FEWEST_IN_GROUP = 30


@dataclass(frozen=True, eq=False)
class Baseline:
    """A baseline's loss on every held-out row, shape (n,), and what it cost.

    `simpler` is the rung that it must beat to be a reference; `gain_inside` the share of the constant rule's loss
    that it saved on training rows kept aside (NaN where that was not measured); `answer` what it says to other rows.
    """

    rung: Rung
    says: str
    losses: FloatArray
    seconds: float
    rows_learned: int
    simpler: Rung | None = None
    gain_inside: float = float("nan")
    answer: Callable[[Any], FloatArray] | None = None


def train_all(rows: JudgedRows, *, seed: int, effort: Effort) -> tuple[Baseline, ...]:
    """Every baseline that the rows allow, simplest first.

    Raises Withheld where scikit-learn is not installed, and where no input is one that a simple model can read.
    """
    encoder = design_matrix.fit(rows.train, rows.inputs)
    if not encoder.width:
        raise Withheld(
            f"no simple model can read any of the inputs ({', '.join(rows.inputs[:5])}), so the model would be "
            "compared with rules that do not look: name the numbers and categories it reads as inputs of the roles",
            ReasonCode.TOO_LITTLE_DATA,
        )
    made = [_timed(_constant, rows)]
    if rows.outcome.is_number and (rows.train_truth < 0.0).any() and (rows.train_truth > 0.0).any():
        made.append(_timed(_zero, rows))
    grouping = best_group(rows)
    if grouping is not None:
        made.append(_timed(_group, rows, grouping))
    made.append(_timed(linear, rows, encoder, seed, effort))
    chosen = whole_blocks(rows.train_blocks, _ROWS_FOR_TREES[effort], seed)
    made.append(_timed(_tree, rows, encoder, chosen))
    made.append(_timed(_boosting, rows, encoder, chosen, seed, effort))
    return tuple(made)


def whole_blocks(blocks: npt.NDArray[Any], most: int, seed: int) -> BoolArray:
    """A mask of about `most` rows made of whole blocks drawn at random; all rows where they are no more."""
    if len(blocks) <= most:
        return np.ones(len(blocks), dtype=np.bool_)
    _, codes, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(sizes))
    taken = max(1, int(np.searchsorted(np.cumsum(sizes[order]), most, side="right")))
    return np.isin(codes, order[:taken])


def best_group(rows: JudgedRows) -> str | None:
    """The declared group or slice whose levels explain the training rows best, by the loss of their medians."""
    declared = dict.fromkeys((*rows.roles.groups, *rows.roles.slices, *_entity(rows)))
    names = [n for n in declared if n in rows.train.column_names and n in rows.holdout.column_names]
    if not names:
        return None
    losses = {name: float(_group_losses(rows, name, inside=True).mean()) for name in names}
    return min(losses, key=lambda name: losses[name])


def _entity(rows: JudgedRows) -> tuple[str, ...]:
    return () if rows.roles.entity is None else (rows.roles.entity.column,)


def _timed(make: Callable[..., Baseline], *arguments: Any) -> Baseline:
    started = time.perf_counter()
    made = make(*arguments)
    return Baseline(**{**vars(made), "seconds": time.perf_counter() - started})


def _constant(rows: JudgedRows) -> Baseline:
    answer = linear_model.constant_answer(rows.train_truth, rows.outcome)
    losses = rows.outcome.losses(rows.truth, np.repeat(answer, len(rows.truth), axis=0))
    says = f"the median {answer[0]:.4g}" if rows.outcome.is_number else "class frequencies"
    return Baseline("constant", says, losses, 0.0, len(rows.train_truth))


def _zero(rows: JudgedRows) -> Baseline:
    return Baseline("zero", "zero, no change", rows.outcome.losses(rows.truth, np.zeros_like(rows.truth)), 0.0, 0)


def _group(rows: JudgedRows, name: str) -> Baseline:
    typical = "median" if rows.outcome.is_number else "class frequencies"
    losses = _group_losses(rows, name)
    return Baseline("group", f"{typical} by {name}", losses, 0.0, len(rows.train_truth), simpler="constant")


def _group_losses(rows: JudgedRows, name: str, *, inside: bool = False) -> FloatArray:
    """Losses of the group rule on the held-out rows, or `inside` on the training rows."""
    levels, codes = design_matrix.level_codes(rows.train.column(name))
    overall = linear_model.constant_answer(rows.train_truth, rows.outcome)
    known: dict[str, FloatArray] = {}
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    for code, members in zip(present.tolist(), np.split(order, starts[1:]), strict=True):
        if len(members) >= _FEWEST_IN_GROUP:
            known[levels[code]] = linear_model.constant_answer(rows.train_truth[members], rows.outcome)
    table, truth = (rows.train, rows.train_truth) if inside else (rows.holdout, rows.truth)
    asked, positions = design_matrix.level_codes(table.column(name))
    answers = np.concatenate([known.get(level, overall) for level in asked])[positions]
    return rows.outcome.losses(truth, answers)


def linear(rows: JudgedRows, encoder: Encoder, seed: int, effort: Effort) -> Baseline:
    """Ridge or logistic regression on all inputs; classes learn from a sample of whole blocks."""
    most = len(rows.train_truth) if rows.outcome.is_number else _ROWS_FOR_LOGISTIC[effort]
    chosen = whole_blocks(rows.train_blocks, most, seed)
    matrix = encoder.wide(rows.train if chosen.all() else _rows(rows.train, chosen))
    fitted = linear_model.fit(matrix, rows.train_truth[chosen], rows.train_blocks[chosen], rows.outcome)
    losses = rows.outcome.losses(rows.truth, fitted.answer(encoder.wide(rows.holdout)))
    says = "ridge regression" if rows.outcome.is_number else "logistic regression"
    learned = int(chosen.sum())
    return Baseline("linear", says, losses, 0.0, learned, simpler="constant", gain_inside=fitted.gain_inside)


def _tree(rows: JudgedRows, encoder: Encoder, chosen: BoolArray) -> Baseline:
    trees = extras.load("sklearn.tree", "baselines")
    learned, truth = _rows(rows.train, chosen), rows.train_truth[chosen]
    means = encoder.level_means(learned, truth)
    kind = trees.DecisionTreeRegressor if rows.outcome.is_number else trees.DecisionTreeClassifier
    model = kind(max_depth=_DEPTH, min_samples_leaf=max(10, len(truth) // 500), random_state=0)
    matrix = encoder.compact(learned, means)
    model.fit(matrix, truth)
    asked = encoder.compact(rows.holdout, means)
    if rows.outcome.is_number:
        answers = _leaf_medians(model.apply(matrix), truth)[model.apply(asked)]
    else:
        answers = _by_class(model, asked, rows)
    losses = rows.outcome.losses(rows.truth, answers)
    return Baseline("tree", f"a tree of depth {_DEPTH}", losses, 0.0, len(truth), simpler="constant")


def _boosting(rows: JudgedRows, encoder: Encoder, chosen: BoolArray, seed: int, effort: Effort) -> Baseline:
    ensemble = extras.load("sklearn.ensemble", "baselines")
    learned, truth = _rows(rows.train, chosen), rows.train_truth[chosen]
    means = encoder.level_means(learned, truth)
    settings: dict[str, Any] = {"max_iter": _TREES_OF_BOOSTING[effort], "random_state": seed, "early_stopping": False}
    kind = ensemble.HistGradientBoostingRegressor if rows.outcome.is_number else ensemble.HistGradientBoostingClassifier
    settings |= {"loss": "absolute_error"} if rows.outcome.is_number else {}
    # Threads of OpenMP that wait for a busy core spin: on a shared machine one thread is faster than two.
    with extras.load("threadpoolctl", "baselines").threadpool_limits(limits=1, user_api="openmp"):
        model = kind(**settings).fit(encoder.compact(learned, means), truth)

        def answer(table: Any) -> FloatArray:
            asked = encoder.compact(table, means)
            return np.asarray(model.predict(asked)) if rows.outcome.is_number else _by_class(model, asked, rows)

        losses = rows.outcome.losses(rows.truth, answer(rows.holdout))
    return Baseline("boosting", "gradient boosting, for information", losses, 0.0, len(truth), answer=answer)


def _rows(table: Any, chosen: BoolArray) -> Any:
    import pyarrow as pa

    return table if chosen.all() else table.filter(pa.array(chosen))


def _leaf_medians(leaves: npt.NDArray[np.intp], truth: FloatArray) -> FloatArray:
    """The median of every leaf, by its number: the tree grew on means, the loss that is compared asks for medians."""
    medians = np.zeros(int(leaves.max()) + 1)
    for leaf in np.unique(leaves).tolist():
        medians[leaf] = float(np.median(truth[leaves == leaf]))
    return medians


def _by_class(model: Any, asked: Any, rows: JudgedRows) -> FloatArray:
    chances = np.zeros((len(asked), len(rows.outcome.classes)))
    chances[:, model.classes_.astype(np.intp)] = model.predict_proba(asked)
    return chances
