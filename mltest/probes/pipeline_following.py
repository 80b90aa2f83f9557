"""Whether the features follow the raw rows that are handed over, input by input, as far as the server shows how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mltest.probes.pipeline_golden import key_texts, paired
from mltest.probes.pipeline_run import PipelineRun
from mltest.probes.row_digests import row_digests
from mltest.probes.stages import stage
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST = 3
"""Requests in which the server must have followed a change before the features are asked to."""


@dataclass(frozen=True)
class Following:
    """Inputs that moved at the server when requests changed, and those of them that never moved in the batch when
    the raw rows behind these requests were changed in the same way."""

    moved: tuple[str, ...]
    left_behind: tuple[str, ...]


def following(run: PipelineRun, inputs: Sequence[str]) -> Following:
    """Changes the raw rows as the requests were, and computes features once more.

    Features of neighbours and of the past may move too, so that nothing is said of rows that nobody changed. A field
    that changes the key of a request, or that the server refuses, is left as it is; so is an input that the server
    has otherwise each time.
    """
    changes, keys = run.changes, run.parts.data.roles.keys
    before = run.served.ordinary_log
    names = [name for name in inputs if name in before.column_names and name in run.batch.column_names]
    if changes is None or not keys or any(key not in before.column_names for key in keys):
        return Following((), ())
    unsteady = {name for name in names for _ in _moved(before, run.served.alone_log, keys, name)}
    logs = {field: log for field, log in run.served.changed if _pairs(before, log, keys)}
    served = {name: {k for log in logs.values() for k in _moved(before, log, keys, name)} for name in names}
    asked = {name: moved for name, moved in served.items() if len(moved) >= FEWEST and name not in unsteady}
    if not asked:
        return Following((), ())
    roles, chosen = run.parts.data.roles, run.chosen
    with stage("features"):
        raw = changes.raw(run.raw, roles.entity.table, tuple(logs))
        batch = to_arrow(run.parts.features.compute(raw, None if chosen.learn is None else chosen.serve))
    known = {key for key, _, _ in _pairs(run.batch, batch, keys)}
    asked = {name: moved & known for name, moved in asked.items() if len(moved & known) >= FEWEST}
    left = [name for name, moved in asked.items() if not moved & _moved(run.batch, batch, keys, name)]
    return Following(tuple(asked), tuple(left))


def _pairs(left: pa.Table, right: pa.Table, keys: Sequence[str]) -> list[tuple[str, int, int]]:
    own, theirs = paired(left, right, keys)
    texts = key_texts(left, keys)
    return [(texts[a], a, b) for a, b in zip(own, theirs, strict=True)]


def _moved(left: pa.Table, right: pa.Table, keys: Sequence[str], name: str) -> set[str]:
    """Keys of the rows whose value in one column is another in the second table."""
    pairs = _pairs(left, right, keys)
    if not pairs or name not in right.column_names:
        return set()
    here = row_digests(left, [name])[[a for _, a, _ in pairs]]
    there = row_digests(right, [name])[[b for _, _, b in pairs]]
    return {pairs[at][0] for at in np.flatnonzero(here != there).tolist()}
