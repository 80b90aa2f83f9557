"""Whether the features follow the raw rows that are handed over, input by input, as far as the server shows how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltest.probes.pipeline_run import PipelineRun
from mltest.probes.row_pairs import RowPairs
from mltest.probes.stages import stage
from mltest.tables.rows import to_arrow

FEWEST = 5
"""Requests in which the server must have followed a change before the features are asked to."""


@dataclass(frozen=True)
class Following:
    """Inputs that moved at the server when requests changed, and those of them that never moved in the batch when
    the raw rows behind these requests were changed in the same way."""

    moved: tuple[str, ...]
    left_behind: tuple[str, ...]


def following(run: PipelineRun, inputs: Sequence[str]) -> Following:
    """Changes the raw rows as the requests were, and computes features once more.

    Features of neighbours and of the past may move too, so that nothing is said of rows that nobody changed. An input
    that the server has otherwise each time is left out.
    """
    changes, changed, before = run.changes, run.served.changed, run.served.ordinary_log
    names = [name for name in inputs if name in before.column_names and name in run.batch.column_names]
    if changes is None or changed is None or not set(changes.keys) <= set(run.batch.column_names):
        return Following((), ())
    keys = changes.keys
    steady, served = RowPairs.of(before, run.served.alone_log, keys), RowPairs.of(before, changed.log, keys)
    asked = {name: served.moved(name) for name in names if not steady.moved(name)}
    asked = {name: moved for name, moved in asked.items() if len(moved) >= FEWEST}
    if not asked:
        return Following((), ())
    roles, chosen = run.parts.data.roles, run.chosen
    with stage("features"):
        raw = changes.raw(run.raw, roles.entity.table, changed.fields)
        batch = to_arrow(run.parts.features.compute(raw, None if chosen.learn is None else chosen.serve))
    followed = RowPairs.of(run.batch, batch, keys)
    known = set(followed.keys)
    asked = {name: moved & known for name, moved in asked.items() if len(moved & known) >= FEWEST}
    left = [name for name, moved in asked.items() if not moved & followed.moved(name)]
    return Following(tuple(asked), tuple(left))
