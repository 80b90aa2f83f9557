"""Faults that hide in an average: one group is learned wrongly, dropped, or answered wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import model_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import answers_changed, data_changed, training_changed
from mltest.faults.operators_training import relabelled
from mltest.faults.parts import ExchangedData, ExchangedFeatures, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import floats, is_numeric, share_of, with_column
from mltest.faults.slice_choice import Slice, crossing, rarest, sorted_by_size, typical
from mltest.system import System


def slice_mislabelled(system: System, workdir: Path, chosen: Slice, deviations: float) -> System:
    """Trained on labels that are off by that many deviations of the target in one slice (classes: that half share)."""
    roles = columns.data_of(system).roles
    learned = columns.learned_from(columns.data_of(system)).column(roles.target)
    shift = deviations * float(np.nanstd(floats(learned))) if _continuous(system, learned) else None

    def change(rows: pa.Table) -> pa.Table:
        inside = chosen.mask(rows)
        target = rows.column(roles.target)
        if shift is not None:
            return with_column(rows, roles.target, pa.array(_shifted(floats(target), inside, shift)))
        inside &= share_of(rows, roles.keys, min(1.0, deviations / 2.0))
        return with_column(rows, roles.target, _rotated(target, inside))

    return relabelled(system, workdir, change if deviations else None)


def slice_misanswered(system: System, chosen: Slice, deviations: float) -> System:
    """A model whose answers are off by that many deviations of the target in one slice (classes: turned around)."""
    model, data = model_of(system), columns.data_of(system)
    learned = columns.learned_from(data).column(data.roles.target)
    continuous = _continuous(system, learned)
    shift = deviations * float(np.nanstd(floats(learned))) if continuous else min(1.0, deviations / 2.0)

    def wrong(rows: pa.Table, answers: np.ndarray) -> np.ndarray:
        inside = chosen.mask(rows)
        if continuous:
            return _shifted(answers, inside, shift)
        other = np.roll(answers, 1, axis=1) if answers.ndim == 2 else 1.0 - answers
        weight = shift * (inside[:, None] if answers.ndim == 2 else inside)
        return np.asarray((1.0 - weight) * answers + weight * other)

    def traced(rows: pa.Table, stages: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return {name: wrong(rows, np.asarray(v)) if name == "answer" else v for name, v in stages.items()}

    return system.with_parts(model=exchanged_model(model, after=wrong, traced=traced) if deviations else model)


def slice_dropped(system: System, column: str, values: frozenset[Any], *, only: str | None = None) -> System:
    """Rows with these values are missing in the data set (in one split if named) and from features; raw keeps them."""

    def kept(split: str | None, rows: pa.Table) -> pa.Table:
        if not values or column not in rows.column_names or only not in (None, split):
            return rows
        inside = np.array([value in values for value in rows.column(column).to_pylist()], dtype=bool)
        return rows.filter(pa.array(~inside))

    changed: dict[str, Any] = {"data": ExchangedData(columns.data_of(system), rows=kept)}
    if system.features is not None and only is None:
        changed["features"] = ExchangedFeatures(system.features, computed=lambda rows: kept(None, rows))
    return system.with_parts(**changed)


@fault(
    "O-M6-a",
    item="model.slices",
    seam="train",
    doses=(0.5, 1, 2),
    must_catch=2,
    parts=("data", "training", "model"),
    alive=training_changed,
    why="one upstream source degraded; the mean over all rows moves by less than a percent",
)
def one_slice_learned_wrongly(system: System, dose: float, workdir: Path) -> System:
    """The training labels of one group are off by `dose` standard deviations of the target."""
    return slice_mislabelled(system, workdir, typical(system), dose)


@twin("O-M6-a", doses=(2,))
def a_tiny_slice_learned_wrongly(system: System, dose: float, workdir: Path) -> System:
    """The same happens to a group so small that its newest rows cannot tell bad luck from a bad model."""
    return slice_mislabelled(system, workdir, rarest(system), dose)


@fault(
    "O-M6-b",
    item="model.slices",
    seam="feat",
    doses=(0.01, 0.05, 0.2),
    must_catch=0.05,
    parts=("data",),
    alive=data_changed,
    why="an inner join with a reference table that lacks some keys",
)
def slice_lost_in_a_join(system: System, dose: float, workdir: Path) -> System:
    """Groups that make up at least a share of the rows vanish from data set and features; raw tables keep them."""
    column, sizes = sorted_by_size(system)
    lost: set[Any] = set()
    for value, share in sizes[:-1]:
        if sum(s for v, s in sizes if v in lost) >= dose:
            break
        lost |= {value} if share > 0 else set()
    return slice_dropped(system, column, frozenset(lost))


@twin("O-M6-b", doses=(0.01,))
def a_seasonal_group_is_absent(system: System, dose: float, workdir: Path) -> System:
    """The smallest group, below one row in a hundred, does not occur in the newest split."""
    column, sizes = sorted_by_size(system)
    value, share = sizes[0]
    if share > dose > 0:
        raise NotApplicable(f"{system.name} has no group below {dose:.0%} of the rows")
    newest = list(columns.splits_of(columns.data_of(system)))[-1]
    return slice_dropped(system, column, frozenset({value} if dose else ()), only=newest)


@fault(
    "O-M6-d",
    item="model.slices",
    seam="art",
    doses=(0.5, 1, 2),
    must_catch=2,
    parts=("data", "model"),
    alive=answers_changed,
    why="two groups are fine on their own and wrong where they meet",
)
def wrong_where_two_groups_meet(system: System, dose: float, workdir: Path) -> System:
    """The answers are off by `dose` standard deviations of the target where two groups meet."""
    return slice_misanswered(system, crossing(system), dose)


@twin("O-M6-d", doses=(0.01,))
def hardly_different_where_two_groups_meet(system: System, dose: float, workdir: Path) -> System:
    """The answers are off by a hundredth of a standard deviation of the target where two groups meet."""
    return slice_misanswered(system, crossing(system), dose)


def _continuous(system: System, target: Any) -> bool:
    return system.task in ("regression", "forecast") and is_numeric(target)


def _shifted(values: np.ndarray, inside: np.ndarray, shift: float) -> np.ndarray:
    return np.asarray(values + shift * (inside[:, None] if values.ndim == 2 else inside))


def _rotated(target: Any, inside: np.ndarray) -> Any:
    """Every class under the mask becomes the next one."""
    classes = sorted(set(target.drop_null().to_pylist()))
    following = dict(zip(classes, [*classes[1:], classes[0]], strict=True))
    values = zip(target.to_pylist(), inside, strict=True)
    return pa.array([following.get(value) if hit else value for value, hit in values], type=target.type)
