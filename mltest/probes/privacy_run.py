"""What one run of the pipeline on raw tables with canaries in them left behind, searched.

Everything below the folders that the system writes to is looked through, with every table, answer, metric and message
that it gave out; and a few subjects ask to be erased.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltest import offers
from mltest.evidence import ReasonCode, Withheld
from mltest.offers.privacy import HOW_TO_LEARN, HOW_TO_STATE, PrivacyPolicy
from mltest.probes import canaries, canary_search, erasure, identifiers, written_files
from mltest.probes.canaries import Canary, Planted
from mltest.probes.canary_search import CanarySearch
from mltest.probes.erasure import ErasedRows, UsedRows
from mltest.probes.pipeline_slice import earliest
from mltest.probes.private_pipeline import PrivatePipeline, Traces
from mltest.probes.private_serving import ServedPrivately
from mltest.system import Effort, System, SystemRef
from mltest.tables.rows import to_arrow

ROWS: Mapping[Effort, int] = {"quick": 3_000, "standard": 10_000, "thorough": 30_000}
"""Training rows that the pipeline runs on."""


@dataclass(frozen=True)
class PrivacyRun:
    """Everything that was seen. `stages` are the parts of the pipeline that ran; `blind` is best empty.

    `refused` says which new columns made the pipeline refuse the raw tables, which is a control of its own.
    """

    policy: PrivacyPolicy
    planted: Planted
    traces: Traces
    erased: ErasedRows
    used: UsedRows
    served: ServedPrivately | None
    stages: tuple[str, ...]
    blind: tuple[str, ...]
    refused: str
    doubt: str | None


def policy_of(data: Any) -> PrivacyPolicy:
    """The policy that the data part states. Raises Withheld without one."""
    found = offers.require(data, "privacy", HOW_TO_STATE)
    if not isinstance(found, PrivacyPolicy):
        raise Withheld(HOW_TO_STATE, ReasonCode.PART_MISSING)
    return found


def run(system: System, policy: PrivacyPolicy, ref: SystemRef) -> PrivacyRun:
    """Plants, computes, trains, serves where that is allowed, and searches. Raises Withheld and PartFailure."""
    data: Any = system.data
    identifiers.require_validators()
    learn = offers.require(data, "training_rows", HOW_TO_LEARN)
    chosen = earliest(data, ROWS[ref.effort])
    raw = data.raw(chosen.whole)
    canaries.require_columns(raw, policy)
    erased = erasure.erased(learn, raw, policy, data.roles, ref.seed)
    used = erasure.used(learn, data, policy, to_arrow(data.dataset("train")))
    planted = canaries.plant(raw, policy, np.random.default_rng())
    search = CanarySearch(planted.canaries)
    texts = [canary for canary in planted.canaries if isinstance(canary.value, str)]
    blind = canary_search.blind_spots(texts[0]) if texts else ("every form: no text could be planted",)
    pipeline = PrivatePipeline(system, policy, ref, chosen, planted, Traces(search))
    roots = pipeline.roots()
    before = written_files.snapshot(roots)
    with _heard() as heard:
        served = pipeline.run(learn)
    files = written_files.written(roots, before)
    traces, stages = pipeline.traces, tuple(pipeline.stages)
    for root, path in files:
        search.data(f"file:{path.relative_to(root).as_posix()}", path.read_bytes())
    search.text("messages", heard.getvalue())
    seen = {path for _, path in files}
    files = (*files, *(pair for pair in traces.elsewhere if pair[1] not in seen))
    traces.files = len(files)
    traces.exposed = written_files.exposed(files, policy.public_files)
    refused, doubt = pipeline.refused, pipeline.doubt
    return PrivacyRun(policy, planted, traces, erased, used, served, stages, blind, refused, doubt)


@contextlib.contextmanager
def _heard() -> Iterator[io.StringIO]:
    """Everything that is logged or printed in this process meanwhile."""
    said = io.StringIO()
    listener = logging.StreamHandler(said)
    root = logging.getLogger()
    root.addHandler(listener)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            yield said
    finally:
        root.removeHandler(listener)


def told(texts: Sequence[str | bytes], planted: Sequence[Canary]) -> CanarySearch:
    """A search of what this very probe is about to report."""
    search = CanarySearch(planted)
    for text in texts:
        search.data("report", text.encode() if isinstance(text, str) else text)
    return search
