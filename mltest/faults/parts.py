"""Parts with one aspect exchanged, by kind of part: everything else is passed on to the part they wrap.

Each wrapper satisfies the protocol of the part it stands for. An aspect that is not given passes the original
object through untouched, so that a fault at dose 0 changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.faults.rows import as_arrow
from mltest.system import (
    Artifact,
    Data,
    FeatureInfo,
    Features,
    Model,
    ModelInfo,
    Registry,
    Roles,
    ServingHandle,
    Split,
    Training,
    Window,
)

Rows = Callable[[pa.Table], pa.Table]
NamedRows = Callable[[str, pa.Table], pa.Table]
Records = Sequence[Mapping[str, Any]]


class _Delegate:
    """Passes on whatever the wrapped part offers beyond its protocol."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)


@dataclass(frozen=True)
class ExchangedData(_Delegate):
    """Data with other rows (by split), other raw rows (by table), another meaning or other expectations."""

    inner: Data
    rows: NamedRows | None = None
    raw_rows: NamedRows | None = None
    meaning: Callable[[Roles], Roles] | None = None
    expectations: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None

    @property
    def roles(self) -> Roles:
        return self.inner.roles if self.meaning is None else self.meaning(self.inner.roles)

    def dataset(self, split: Split) -> Any:
        table = self.inner.dataset(split)
        return table if self.rows is None else self.rows(split, as_arrow(table))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        tables = self.inner.raw(window)
        change = self.raw_rows
        return tables if change is None else {name: change(name, as_arrow(t)) for name, t in tables.items()}

    @property
    def schema(self) -> Mapping[str, Any]:
        return self.inner.schema if self.expectations is None else self.expectations(self.inner.schema)


@dataclass(frozen=True)
class ExchangedFeatures(_Delegate):
    """Features computed from other raw tables, with other results, or listed otherwise."""

    inner: Features
    given: Callable[[Mapping[str, Any], Window | None], Mapping[str, Any]] | None = None
    computed: Rows | None = None
    listed: Callable[[Sequence[FeatureInfo]], Sequence[FeatureInfo]] | None = None

    @property
    def catalogue(self) -> Sequence[FeatureInfo]:
        return self.inner.catalogue if self.listed is None else self.listed(self.inner.catalogue)

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        table = self.inner.compute(raw if self.given is None else self.given(raw, at), at)
        return table if self.computed is None else self.computed(as_arrow(table))


@dataclass(frozen=True)
class ExchangedTraining(_Delegate):
    """Training that is handed other rows, another seed or another configuration, or ends otherwise.

    `finished(artifact, workdir)` sees what was trained, `rescued(error, workdir)` answers in place of an exception.
    """

    inner: Training
    before: Rows | None = None
    seeded: Callable[[int], int] | None = None
    configured: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    loaded: Callable[[Model], Any] | None = None
    finished: Callable[[Artifact, Path], Artifact] | None = None
    rescued: Callable[[Exception, Path], Artifact] | None = None

    @property
    def config(self) -> Mapping[str, Any]:
        return self.inner.config if self.configured is None else self.configured(self.inner.config)

    def handed_over(self, dataset: pa.Table) -> pa.Table:
        """The rows that the innermost training is really given."""
        table = dataset if self.before is None else self.before(as_arrow(dataset))
        return self.inner.handed_over(table) if isinstance(self.inner, ExchangedTraining) else table

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        try:
            artifact = self.inner.train(
                dataset if self.before is None else self.before(as_arrow(dataset)),
                seed=seed if self.seeded is None else self.seeded(seed),
                config=config if self.configured is None else {**self._overrides(), **config},
                workdir=workdir,
            )
        except Exception as error:
            if self.rescued is None:
                raise
            return self.rescued(error, workdir)
        return artifact if self.finished is None else self.finished(artifact, workdir)

    def load(self, artifact: Artifact) -> Model:
        model = self.inner.load(artifact)
        return model if self.loaded is None else self.loaded(model)

    def _overrides(self) -> Mapping[str, Any]:
        shipped = self.inner.config
        return {key: value for key, value in self.config.items() if key not in shipped or shipped[key] != value}


@dataclass(frozen=True)
class ExchangedModel(_Delegate):
    """A model that reads another batch, answers otherwise or describes itself otherwise.

    `before(batch)` changes what is read, `after(batch, answers)` what is answered; `answer(model, batch)` takes the
    place of both.
    """

    inner: Model
    before: Rows | None = None
    after: Callable[[pa.Table, np.ndarray], np.ndarray] | None = None
    answer: Callable[[Model, pa.Table], np.ndarray] | None = None
    described: Callable[[ModelInfo], ModelInfo] | None = None
    traced: Callable[[pa.Table, Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] | None = None

    @property
    def metadata(self) -> ModelInfo:
        return self.inner.metadata if self.described is None else self.described(self.inner.metadata)

    def predict(self, batch: pa.Table) -> np.ndarray:
        if self.answer is not None:
            return self.answer(self.inner, as_arrow(batch))
        read = batch if self.before is None else self.before(as_arrow(batch))
        answers = self.inner.predict(read)
        return answers if self.after is None else self.after(as_arrow(batch), np.asarray(answers))


@dataclass(frozen=True)
class ExchangedTracedModel(ExchangedModel):
    """The same for a model whose computation can be watched; the trace shows what `traced` makes of it."""

    def trace(self, batch: pa.Table) -> Mapping[str, np.ndarray]:
        inner: Any = self.inner
        stages: Mapping[str, np.ndarray] = inner.trace(batch)
        return stages if self.traced is None else self.traced(as_arrow(batch), stages)


def exchanged_model(
    inner: Model,
    *,
    before: Rows | None = None,
    after: Callable[[pa.Table, np.ndarray], np.ndarray] | None = None,
    answer: Callable[[Model, pa.Table], np.ndarray] | None = None,
    described: Callable[[ModelInfo], ModelInfo] | None = None,
    traced: Callable[[pa.Table, Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] | None = None,
) -> ExchangedModel:
    """The wrapper that fits: one with a trace exactly if the model has one."""
    kind = ExchangedTracedModel if hasattr(inner, "trace") else ExchangedModel
    return kind(inner, before=before, after=after, answer=answer, described=described, traced=traced)


@dataclass(frozen=True)
class ExchangedRegistry(_Delegate):
    """A registry that hands out other models, or knows other versions."""

    inner: Registry
    loaded: Callable[[str, Model], Any] | None = None
    known: Callable[[Sequence[str]], Sequence[str]] | None = None

    def versions(self) -> Sequence[str]:
        return self.inner.versions() if self.known is None else self.known(self.inner.versions())

    def register(self, artifact: Artifact) -> str:
        return self.inner.register(artifact)

    def load(self, version: str) -> Model:
        model = self.inner.load(version)
        return model if self.loaded is None else self.loaded(version, model)

    def alias(self, name: str) -> str | None:
        return self.inner.alias(name)

    def set_alias(self, name: str, version: str) -> None:
        self.inner.set_alias(name, version)


@dataclass(frozen=True)
class ExchangedHandle(_Delegate):
    """A running server that is sent other records, answers otherwise or logs otherwise."""

    inner: ServingHandle
    sent: Callable[[Records], Records] | None = None
    answered: Callable[[Records, Records], Records] | None = None
    logged: Rows | None = None

    @property
    def url(self) -> str:
        return self.inner.url

    def predict(self, records: Records) -> Records:
        answers = self.inner.predict(records if self.sent is None else self.sent(records))
        return answers if self.answered is None else self.answered(records, answers)

    def request_log(self, since: datetime | None = None) -> pa.Table:
        table = self.inner.request_log(since)
        return table if self.logged is None else self.logged(as_arrow(table))


@dataclass(frozen=True)
class ExchangedServing(_Delegate):
    """Serving whose servers behave otherwise, or start with another version; `inner` is a Serving."""

    inner: Any
    sent: Callable[[Records], Records] | None = None
    answered: Callable[[Records, Records], Records] | None = None
    logged: Rows | None = None
    recorded: Callable[[Records], Records] | None = None
    versioned: Callable[[str | None], str | None] | None = None

    def logged_as(self, table: pa.Table) -> pa.Table:
        """What a log of these rows would look like."""
        inner = self.inner.logged_as(table) if isinstance(self.inner, ExchangedServing) else table
        return inner if self.logged is None else self.logged(inner)

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[ExchangedHandle]:
        chosen = version if self.versioned is None else self.versioned(version)
        with self.inner.start(workdir, version=chosen, as_of=as_of) as handle:
            yield ExchangedHandle(handle, sent=self.sent, answered=self.answered, logged=self.logged)

    def records(self, raw: Mapping[str, Any], window: Window) -> Records:
        records: Records = self.inner.records(raw, window)
        return records if self.recorded is None else self.recorded(records)
