"""The end of a pipeline against its beginning: served answers, and the model's to features of the same raw rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes import pipeline_answers
from mltest.probes.judged_rows import column
from mltest.probes.pipeline_run import PipelineRun
from mltest.probes.row_pairs import paired

if TYPE_CHECKING:
    import pyarrow as pa

ALIKE = 1e-6
"""Relative difference of two numbers that single precision may make."""


@dataclass(frozen=True)
class Golden:
    """`share` of the `rows` requests, found among the batch features by key, that got another answer than those give.

    `inputs` are the ones that the server had otherwise than the batch, most often first; `problem` says why nothing
    could be compared.
    """

    share: float
    rows: int
    inputs: tuple[str, ...]
    problem: str | None = None


def golden(run: PipelineRun, inputs: Sequence[str], spread: float) -> Golden:
    """Joins the log of the ordinary requests with the batch features of the same raw rows.

    Nothing was planted on either side, so that a server that keeps its own history knows the same. Logged rows that
    the batch does not have are left out, unless they are more than half of the requests.
    """
    keys, asked = run.parts.data.roles.keys, len(run.served.ordinary)
    log, batch = pipeline_answers.of_version(run.served.ordinary_log, run.version), run.batch
    lacking = [name for name in keys if name not in log.column_names or name not in batch.column_names]
    if not keys or lacking:
        return _nothing(f"features and request log share no key {', '.join(lacking)}".rstrip())
    own, theirs = paired(batch, log, keys)
    if 2 * len(own) < asked:
        return _nothing(f"{len(own)} of {asked} served requests are found by their key among the features of their day")
    batch, log = batch.take(np.array(own, dtype=np.int64)), log.take(np.array(theirs, dtype=np.int64))
    target = run.parts.data.roles.target
    features = batch.drop_columns([target]) if target in batch.column_names else batch
    expected = pipeline_answers.predicted(run.trained, features, run)
    logged = np.array([pipeline_answers.number(value, run) for value in log["prediction"].to_pylist()])
    with np.errstate(invalid="ignore"):
        apart = ~(np.abs(logged - expected) <= pipeline_answers.CONTRACT * spread)
    return Golden(float(apart.mean()), len(own), _otherwise(batch, log, inputs))


def _nothing(why: str) -> Golden:
    return Golden(
        0.0,
        0,
        (),
        f"{why}: name roles.keys and log them with each request, so that served and batch rows can be joined",
    )


def _otherwise(batch: pa.Table, log: pa.Table, inputs: Sequence[str]) -> tuple[str, ...]:
    present = [name for name in inputs if name in batch.column_names and name in log.column_names]
    shares = {name: float(differs(column(batch, name), column(log, name)).mean()) for name in present}
    ranked = sorted(shares, key=lambda name: -shares[name])
    return tuple(name for name in ranked if shares[name] > 0)


def differs(left: Any, right: Any) -> Any:
    """Row by row, whether two columns hold another value; missing equals missing."""
    if left.dtype == object or right.dtype == object:
        return np.array([str(a) != str(b) for a, b in zip(left.tolist(), right.tolist(), strict=True)], dtype=bool)
    return ~np.isclose(left, right, rtol=ALIKE, atol=ALIKE * _scale(left), equal_nan=True)


def _scale(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else 0.0
