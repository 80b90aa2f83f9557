"""Faults between the stages of a pipeline: yesterday's file, a failure nobody hears of, a contract that drifted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import difference, log_changed, training_changed
from mltest.faults.parts import ExchangedFeatures, ExchangedServing, ExchangedTraining, exchanged_model
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, with_column
from mltest.system import Artifact, Features, Serving, System, Window

LAST_GOOD_ROWS = 5_000
"""Rows that the previous artifact is trained on when a failure is swallowed."""

_log = logging.getLogger("mltest.faults")


def _half(tables: Mapping[str, Any]) -> dict[str, pa.Table]:
    return {name: as_arrow(t).slice(0, as_arrow(t).num_rows // 2) for name, t in tables.items()}


def _given_rows_are_ignored(healthy: System, faulted: System) -> str:
    """Hands half of every raw table over; a stage that looks at what it is given answers with less."""
    raw = columns.data_of(healthy).raw()
    half = _half(raw)
    changed = difference(as_arrow(_features(healthy).compute(half)), as_arrow(_features(faulted).compute(half)))
    return f"given half of the raw rows: {changed}" if changed else ""


@fault(
    "O-I3-a",
    item="infra.integration",
    seam="feat",
    doses=(1,),
    parts=("data", "features"),
    alive=_given_rows_are_ignored,
    why="a stage finds yesterday's file and skips its work",
)
def stale_features(system: System, dose: float, workdir: Path) -> System:
    """Features come from the raw tables that were there before, whatever raw tables are handed over."""
    data = columns.data_of(system)

    def yesterday(_: Mapping[str, Any], at: Window | None) -> Mapping[str, Any]:
        return data.raw(at)

    return system.with_parts(features=ExchangedFeatures(_features(system), given=yesterday if dose else None))


def _answers_come_from_a_cache(healthy: System, faulted: System) -> str:
    if faulted.features is healthy.features:
        return ""
    raw = columns.data_of(healthy).raw()
    first, second = _features(faulted).compute(raw), _features(faulted).compute(raw)
    return "the same table is handed out twice" if first is second else ""


@twin("O-I3-a", alive=_answers_come_from_a_cache)
def cached_by_content(system: System, dose: float, workdir: Path) -> System:
    """Features of raw tables with the very same content, for the same window, are computed once."""
    return system.with_parts(features=_CachedFeatures(_features(system)) if dose else system.features)


class _CachedFeatures:
    """Features remembered by the digest of everything that they follow from."""

    def __init__(self, inner: Features) -> None:
        self.inner = inner
        self._known: dict[str, pa.Table] = {}

    @property
    def catalogue(self) -> Any:
        return self.inner.catalogue

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        key = sha256(repr(at).encode())
        for name in sorted(raw):
            key.update(name.encode() + digest_of(as_arrow(raw[name])).encode())
        if key.hexdigest() not in self._known:
            self._known[key.hexdigest()] = self.inner.compute(raw, at)
        return self._known[key.hexdigest()]

    def __getattr__(self, name: str) -> Any:
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)


def digest_of(table: pa.Table) -> str:
    """The sha256 of a table's schema and values."""
    digest = sha256(str(table.schema).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()


def _training_ignores_its_rows(healthy: System, faulted: System) -> str:
    rows = columns.learned_from(columns.data_of(healthy))
    half = rows.slice(0, rows.num_rows // 2)
    training: Any = faulted.training
    given = training.handed_over(half) if isinstance(training, ExchangedTraining) else half
    changed = difference(half, given)
    return f"handed half of the rows: {changed}" if changed else ""


@fault(
    "O-I3-a.training",
    item="infra.integration",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=_training_ignores_its_rows,
    why="the training reads a table by its path, and the path still holds the one of yesterday",
)
def stale_training_rows(system: System, dose: float, workdir: Path) -> System:
    """The training learns from the rows that were there before, whatever rows are handed over."""
    data = columns.data_of(system)
    before = (lambda _: columns.learned_from(data)) if dose else None
    return system.with_parts(training=ExchangedTraining(training_of(system), before=before))


def _rows_come_from_a_file(healthy: System, faulted: System) -> str:
    rows = columns.learned_from(columns.data_of(healthy))
    training: Any = faulted.training
    given = training.handed_over(rows) if isinstance(training, ExchangedTraining) else rows
    return "the training reads a copy of its rows" if given is not rows and given.equals(rows) else ""


@twin("O-I3-a.training", alive=_rows_come_from_a_file)
def rows_filed_by_content(system: System, dose: float, workdir: Path) -> System:
    """The training rows go through a file that is named after their digest and found again when they are the same."""

    def filed(rows: pa.Table) -> pa.Table:
        path = workdir / f"{digest_of(rows)}.arrow"
        if not path.exists():
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
                writer.write_table(rows)
        with pa.OSFile(str(path), "rb") as source:
            return pa.ipc.open_file(source).read_all()

    return system.with_parts(training=ExchangedTraining(training_of(system), before=filed if dose else None))


def _failure_is_swallowed(healthy: System, faulted: System) -> str:
    """Trains both without the target: one has to say so, and the other hands out an artifact."""
    import tempfile

    roles = columns.data_of(healthy).roles
    rows = columns.learned_from(columns.data_of(healthy)).drop_columns([roles.target])
    ends = []
    for system in (healthy, faulted):
        with tempfile.TemporaryDirectory(prefix="mltest-alive-") as folder:
            try:
                training_of(system).train(rows, seed=0, config={}, workdir=Path(folder))
                ends.append("hands out an artifact")
            except Exception as error:
                ends.append(f"raises {type(error).__name__}")
    return f"without a target the training {ends[1]}, a healthy one {ends[0]}" if ends[0] != ends[1] else ""


@fault(
    "O-I3-b",
    item="infra.integration",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=_failure_is_swallowed,
    why="an exception caught on the way, `|| true` in a script: the run is green and the old model is published",
)
def swallowed_failure(system: System, dose: float, workdir: Path) -> System:
    """A training that fails hands out the artifact of an earlier run and says nothing."""
    training, data = training_of(system), columns.data_of(system)

    def earlier(_: Exception, folder: Path) -> Artifact:
        rows = columns.learned_from(data).slice(0, LAST_GOOD_ROWS)
        return training.train(rows, seed=0, config={}, workdir=folder)

    return system.with_parts(training=ExchangedTraining(training, rescued=earlier if dose else None))


def _retry_is_logged(healthy: System, faulted: System) -> str:
    """Listens to the log of faults while rows are handed over."""
    heard: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    _log.addHandler(listener)
    try:
        training: Any = faulted.training
        if isinstance(training, ExchangedTraining):
            training.handed_over(columns.learned_from(columns.data_of(healthy)))
    finally:
        _log.removeHandler(listener)
    return heard[0] if heard else ""


@twin("O-I3-b", alive=_retry_is_logged)
def declared_retry(system: System, dose: float, workdir: Path) -> System:
    """Reading the training rows fails once, is tried again as declared, and succeeds."""

    def read_twice(rows: pa.Table) -> pa.Table:
        attempts = iter((ConnectionError("the store did not answer"), rows))
        for attempt in attempts:
            if isinstance(attempt, pa.Table):
                return attempt
            _log.warning("reading the training rows failed (%s), trying again: attempt 2 of 2", attempt)
        raise ConnectionError("the store did not answer twice")

    return system.with_parts(training=ExchangedTraining(training_of(system), before=read_twice if dose else None))


@fault(
    "O-I3-d",
    item="infra.integration",
    seam="train",
    doses=(1,),
    parts=("data", "training"),
    alive=training_changed,
    why="training and its own evaluation moved to the next version of the feature list, the server did not",
)
def contract_drift(system: System, dose: float, workdir: Path) -> System:
    """Training reads two numeric inputs the other way round, and so does its loader; a server does not know."""
    names = columns.number_inputs(system)
    if len(names) < 2:
        raise NotApplicable(f"{system.name} has fewer than two numeric inputs")
    first, second = _most_different(system, names)

    def crossed(rows: pa.Table) -> pa.Table:
        if first not in rows.column_names or second not in rows.column_names:
            return rows
        a, b = rows.column(first), rows.column(second)
        return with_column(with_column(rows, first, b), second, a)

    if dose == 0:
        return system.with_parts(training=ExchangedTraining(training_of(system)))
    drifted = ExchangedTraining(
        training_of(system), before=crossed, loaded=lambda model: exchanged_model(model, before=crossed)
    )
    return system.with_parts(training=drifted)


@twin("O-I3-d", seam="serve", parts=("data", "serving"), alive=log_changed)
def additional_optional_field(system: System, dose: float, workdir: Path) -> System:
    """Answers and request log carry one field more than before."""
    serving = _serving(system)
    if dose == 0:
        return system.with_parts(serving=ExchangedServing(serving))

    def annotated(rows: pa.Table) -> pa.Table:
        return with_column(rows, "served_by", pa.array(["server"] * rows.num_rows, type=pa.string()))

    return system.with_parts(
        serving=ExchangedServing(
            serving,
            answered=lambda _, answers: [{**answer, "served_by": "server"} for answer in answers],
            logged=annotated,
        )
    )


def _most_different(system: System, names: tuple[str, ...]) -> tuple[str, str]:
    """The two numeric inputs whose typical values lie furthest apart."""
    from mltest.faults.rows import floats

    rows = columns.learned_from(columns.data_of(system))
    typical = {name: float(np.nan_to_num(np.nanmedian(floats(rows.column(name))))) for name in names}
    ranked = sorted(names, key=lambda name: (typical[name], name))
    return ranked[0], ranked[-1]


def _features(system: System) -> Features:
    if system.features is None:
        raise NotApplicable(f"{system.name} offers no features part")
    return system.features


def _serving(system: System) -> Serving:
    if system.serving is None:
        raise NotApplicable(f"{system.name} offers no serving part")
    return system.serving
