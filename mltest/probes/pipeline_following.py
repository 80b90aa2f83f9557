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


@dataclass(frozen=True)
class Pairs:
    """Rows with equal keys in two tables, in one order."""

    keys: tuple[str, ...]
    before: pa.Table
    after: pa.Table

    @classmethod
    def of(cls, before: pa.Table, after: pa.Table, names: Sequence[str]) -> Pairs:
        """The pairs by the key columns `names`."""
        own, theirs = paired(before, after, names)
        rows = before.take(np.array(own, dtype=np.int64))
        return cls(tuple(key_texts(rows, names)), rows, after.take(np.array(theirs, dtype=np.int64)))

    def moved(self, name: str) -> set[str]:
        """Keys of the pairs whose values in one column differ."""
        if name not in self.after.column_names:
            return set()
        apart = row_digests(self.before, [name]) != row_digests(self.after, [name])
        return {self.keys[at] for at in np.flatnonzero(apart).tolist()}


def following(run: PipelineRun, inputs: Sequence[str]) -> Following:
    """Changes the raw rows as the requests were, and computes features once more.

    Features of neighbours and of the past may move too, so that nothing is said of rows that nobody changed. A field
    that changes the key of a request, or that the server refuses, is left as it is; so is an input that the server
    has otherwise each time.
    """
    changes, keys = run.changes, run.parts.data.roles.keys
    before = run.served.ordinary_log
    names = [name for name in inputs if name in before.column_names and name in run.batch.column_names]
    if changes is None or not keys or not set(keys) <= set(before.column_names) & set(run.batch.column_names):
        return Following((), ())
    steady = Pairs.of(before, run.served.alone_log, keys)
    pairs = {field: Pairs.of(before, log, keys) for field, log in run.served.changed}
    # Part of the key is whatever loses most of the requests; one may be found again by chance.
    pairs = {field: found for field, found in pairs.items() if 2 * len(found.keys) > len(changes.records)}
    served = {name: set[str]().union(*(found.moved(name) for found in pairs.values())) for name in names}
    asked = {name: moved for name, moved in served.items() if len(moved) >= FEWEST and not steady.moved(name)}
    if not asked:
        return Following((), ())
    roles, chosen = run.parts.data.roles, run.chosen
    with stage("features"):
        raw = changes.raw(run.raw, roles.entity.table, tuple(pairs))
        batch = to_arrow(run.parts.features.compute(raw, None if chosen.learn is None else chosen.serve))
    followed = Pairs.of(run.batch, batch, keys)
    known = set(followed.keys)
    asked = {name: moved & known for name, moved in asked.items() if len(moved & known) >= FEWEST}
    left = [name for name, moved in asked.items() if not moved & followed.moved(name)]
    return Following(tuple(asked), tuple(left))
