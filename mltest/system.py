"""The system under test: what an auditor connects, part by part.

A `System` is a frozen record of parts. Every part is optional, and each one opens more of the rubric; a part that
is not offered makes its items *not demonstrated*, never failed. A part is anything with the right methods: the
classes below are protocols to satisfy, not bases to inherit.

Tables may be Ibis tables or pyarrow tables, batches are pyarrow tables, predictions are numpy arrays, instants are
aware datetimes. A part that raises makes what needs it an *error*; it never stops the rest of the run.

Much of the rubric runs in other processes (a second training, a server, a faulted copy), so a system is never sent
across: it is rebuilt from a `SystemRef` wherever it is needed. In Python:

    def system(ref: mltest.SystemRef) -> mltest.System:
        return mltest.System(name="eta", task="regression", data=MyData(ref.workdir), model=MyModel())
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Split = Literal["train", "validation", "holdout"]
Environment = Literal["development", "staging", "production"]
Effort = Literal["quick", "standard", "thorough"]
Window = tuple[datetime, datetime]
"""From (inclusive) and until (exclusive), both aware."""


@dataclass(frozen=True)
class RawColumn:
    """A column of a raw table, by name."""

    table: str
    column: str


@dataclass(frozen=True)
class Roles:
    """What the columns of the data set mean.

    `inputs` are the columns that the model reads; `groups` and `slices` are the ones that quality is judged by;
    `time` orders the rows and `block` (default: the calendar day of `time`) names the unit that depends on itself.
    `entity` and `outcome` point into the raw tables: who a row is about, and what its target is derived from.
    """

    target: str
    inputs: tuple[str, ...] = ()
    time: str | None = None
    block: str | None = None
    keys: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    positive: str | int | float | bool | None = None
    entity: RawColumn | None = None
    outcome: RawColumn | None = None


@runtime_checkable
class Data(Protocol):
    """Rows to learn from and rows to judge by."""

    @property
    def roles(self) -> Roles: ...

    def dataset(self, split: Split) -> Any:
        """The rows of one split with inputs, target and the columns that `roles` names (Ibis or pyarrow table).

        Raises KeyError for a split that does not exist, with a text that names the split.
        """
        ...

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        """The raw tables by name, as they arrived; with a window, what a run of that window would have seen."""
        ...

    @property
    def schema(self) -> Mapping[str, Any]:
        """pandera schemas by table: names of raw tables, and `dataset` for the model's inputs."""
        ...


@dataclass(frozen=True)
class FeatureInfo:
    """One entry of the feature catalogue."""

    name: str
    dtype: str
    source: str
    owner: str
    available_at: str
    group: str = ""
    nullable: bool = False
    sensitivity: str = "none"
    deprecated_after: str | None = None
    cost_budget_us: float | None = None


@runtime_checkable
class Features(Protocol):
    """The batch path from raw tables to features."""

    @property
    def catalogue(self) -> Sequence[FeatureInfo]: ...

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        """Keys, time, target and inputs of every row whose moment of prediction lies in the window."""
        ...


@dataclass(frozen=True)
class Artifact:
    """A trained model on disk: `digest` is the sha256 of what is shipped, `config` what it was trained with."""

    path: Path
    version: str
    digest: str
    config: Mapping[str, Any]
    metrics: Mapping[str, float]


@runtime_checkable
class Training(Protocol):
    """Makes a model from rows."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration that is shipped; its key `inputs` lists the columns that the model reads."""
        ...

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        """Trains on all rows given. `config` overrides single keys of the shipped configuration."""
        ...

    def load(self, artifact: Artifact) -> Model:
        """The model in an artifact, ready to predict."""
        ...


@dataclass(frozen=True)
class ModelInfo:
    """What a model says about itself. `inputs` come from the artifact, not from a catalogue."""

    version: str
    digest: str | None = None
    trained_until: datetime | None = None
    inputs: tuple[str, ...] = ()


@runtime_checkable
class Model(Protocol):
    """The champion, in the runtime that serves it."""

    @property
    def metadata(self) -> ModelInfo: ...

    def predict(self, batch: pa.Table) -> np.ndarray:
        """One number a row for a regression, one score a row (n) or one a class (n, k) for a classification.

        An input outside the domain is refused (raise ValueError) or flagged (a non-finite answer), never silent.
        """
        ...


@runtime_checkable
class TracedModel(Model, Protocol):
    """A model whose computation can be watched."""

    def trace(self, batch: pa.Table) -> Mapping[str, np.ndarray]:
        """Stage by stage in float64, in order of computation; the last stage is called `answer`.

        Names of hidden activations begin with `layer`.
        """
        ...


@runtime_checkable
class Registry(Protocol):
    """Versions of models and the aliases that point at them."""

    def versions(self) -> Sequence[str]: ...

    def register(self, artifact: Artifact) -> str: ...

    def load(self, version: str) -> Model: ...

    def alias(self, name: str) -> str | None: ...

    def set_alias(self, name: str, version: str) -> None: ...


@dataclass(frozen=True)
class Judgement:
    """The answer of a quality gate."""

    accepted: bool
    reasons: tuple[str, ...] = ()


@runtime_checkable
class Gate(Protocol):
    """Blesses or vetoes a model before it is served."""

    def judge(self, artifact: Artifact) -> Judgement: ...


@runtime_checkable
class ServingHandle(Protocol):
    """A running server."""

    url: str

    def predict(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Answers to raw records, one each, at least with `prediction` and `version`."""
        ...

    def request_log(self, since: datetime | None = None) -> pa.Table:
        """Requests as served: keys, the moment they were answered for, every feature, prediction, version."""
        ...


@runtime_checkable
class Serving(Protocol):
    """The live path: a real process that answers requests."""

    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> AbstractContextManager[ServingHandle]:
        """Starts a server of its own with everything known before `as_of`; leaving the context stops it."""
        ...

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        """The requests that a client would have sent in the window, in order of time, made from raw tables."""
        ...


@runtime_checkable
class Deployment(Protocol):
    """Brings versions into service, step by step."""

    def canary(self, version: str, weight: float) -> None: ...

    def status(self) -> Mapping[str, Any]: ...

    def promote(self) -> None: ...

    def rollback(self) -> None: ...

    def restart(self) -> None: ...


@dataclass(frozen=True)
class Alert:
    """What a monitor says: about what, of which kind, and when."""

    subject: str
    kind: str
    at: datetime


@runtime_checkable
class Monitor(Protocol):
    """Watches a system that is in service."""

    def check(self, window: Window, at: datetime) -> Sequence[Alert]: ...

    def heartbeat(self) -> datetime: ...


@runtime_checkable
class Labels(Protocol):
    """Outcomes, which arrive later than predictions."""

    def arrived(self, at: datetime) -> pa.Table: ...


@runtime_checkable
class Notifier(Protocol):
    """Delivers alerts. `sink` receives each one."""

    def connect(self, sink: Callable[[Alert], None]) -> None: ...


@dataclass(frozen=True)
class Review:
    """A review of one digest of a specification by somebody."""

    digest: str
    reviewer: str
    author: str
    at: datetime


@runtime_checkable
class Repository(Protocol):
    """Where the code lives."""

    root: Path
    commit: str
    test_command: Sequence[str]
    lock_files: Sequence[Path]

    def reviews(self) -> Sequence[Review]: ...


@runtime_checkable
class Clock(Protocol):
    """Where every part takes its time from; the harness can set it."""

    def now(self) -> datetime: ...

    def set(self, time: datetime) -> None: ...


@dataclass(frozen=True)
class FaultRef:
    """A fault to apply when a system is rebuilt: its id, its dose and the module that registers it."""

    fault: str
    dose: float
    module: str


@dataclass(frozen=True)
class SystemRef:
    """Everything needed to rebuild a system in another process; plain data, picklable, and no live object.

    `source` is `module:name` (a System, or a function of a SystemRef that returns one) or the path of a manifest.
    `root` is the folder that imports and relative paths start from; `workdir` belongs to this system alone; `cache`
    is shared by all that are rebuilt, for what is named by the digest of all that it depends on.
    """

    source: str
    root: Path
    workdir: Path
    seed: int = 0
    effort: Effort = "quick"
    trust: bool = False
    faults: tuple[FaultRef, ...] = ()
    cache: Path | None = None


HOW_TO_OFFER: Mapping[str, str] = {
    "data": "name a training table under [data] in the manifest, or give the System a `data` part",
    "features": "give the System a `features` part: its catalogue and compute(raw, at)",
    "training": "give the System a `training` part: train(dataset, seed, config, workdir)",
    "model": "name a model file under [model] in the manifest, or give the System a `model` part",
    "registry": "give the System a `registry` part: versions, register, load and aliases",
    "gate": "give the System a `gate` part: judge(artifact)",
    "serving": "give the System a `serving` part that starts a real server process",
    "deployment": "give the System a `deployment` part: canary, promote, rollback",
    "monitor": "give the System a `monitor` part: check(window, at)",
    "labels": "name labels under [data] in the manifest, or give the System a `labels` part",
    "notifier": "give the System a `notifier` part: connect(sink)",
    "repository": "give the System a `repository` part: root, commit, reviews, tests, lock files",
    "clock": "give the System a `clock` part: now() and set(time)",
}


@dataclass(frozen=True)
class System:
    """A system under test. `experiments` is the consent to deploy, load, kill and break; never in production."""

    name: str
    task: str
    version: str | None = None
    environment: Environment = "development"
    experiments: bool = False
    data: Data | None = None
    features: Features | None = None
    training: Training | None = None
    model: Model | None = None
    registry: Registry | None = None
    gate: Gate | None = None
    serving: Serving | None = None
    deployment: Deployment | None = None
    monitor: Monitor | None = None
    labels: Labels | None = None
    notifier: Notifier | None = None
    repository: Repository | None = None
    clock: Clock | None = None
    digests: Mapping[str, str] = field(default_factory=dict)

    def parts(self) -> tuple[str, ...]:
        """Names of the parts that are offered."""
        return tuple(name for name in PARTS if getattr(self, name) is not None)

    def with_parts(self, **parts: Any) -> System:
        """A copy with some parts exchanged."""
        return replace(self, **parts)


PARTS: tuple[str, ...] = tuple(f.name for f in fields(System) if f.name in HOW_TO_OFFER)
