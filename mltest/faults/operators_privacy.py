"""Faults of privacy: columns that ride along, payloads in a log, files open to anybody, erasures not applied."""

from __future__ import annotations

import hmac
import json
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from mltest.faults import columns
from mltest.faults.champion import training_of
from mltest.faults.fault import NotApplicable
from mltest.faults.liveness import data_changed, difference, features_changed
from mltest.faults.parts import ExchangedData, ExchangedFeatures, ExchangedHandle, ExchangedServing, ExchangedTraining
from mltest.faults.registry import fault, twin
from mltest.faults.rows import as_arrow, is_text, with_column
from mltest.offers.privacy import PrivacyPolicy
from mltest.system import Artifact, Features, Serving, System, Window

Records = Any
PAYLOADS = "payloads.jsonl"
PUBLISHED = "published"
_KEY = b"a key that only the server knows"
_READABLE, _WRITABLE = 0o644, 0o666


def policy_of(system: System) -> PrivacyPolicy:
    """The policy that the system states. Raises NotApplicable without one."""
    found = getattr(columns.data_of(system), "privacy", None)
    if not isinstance(found, PrivacyPolicy):
        raise NotApplicable(f"{system.name} states no privacy policy")
    return found


@dataclass(frozen=True)
class _CarryingFeatures(ExchangedFeatures):
    """Features with whatever text the raw table of the policy's subject holds beside them, as SELECT * gives it."""

    table: str = ""

    def compute(self, raw: Mapping[str, Any], at: Window | None = None) -> pa.Table:
        found = as_arrow(self.inner.compute(raw, at))
        source = as_arrow(raw[self.table])
        for name in source.column_names:
            if name not in found.column_names and is_text(source.column(name)) and source.num_rows:
                values = source.column(name).to_pylist()
                laid = [values[row % len(values)] for row in range(found.num_rows)]
                found = with_column(found, name, pa.array(laid, pa.string()))
        return found


@fault(
    "O-D5-a",
    item="data.privacy",
    seam="feat",
    doses=(1,),
    parts=("data", "features"),
    alive=features_changed,
    why="wide extracts grow columns, and SELECT * carries a crew's e-mail to wherever features go",
)
def select_star(system: System, dose: float, workdir: Path) -> System:
    """Every text of the raw rows rides along into the feature table, whoever added it."""
    features = _features(system)
    if not dose:
        return system.with_parts(features=ExchangedFeatures(features))
    return system.with_parts(features=_CarryingFeatures(features, table=policy_of(system).subject.table))


@twin("O-D5-a")
def look_alikes(system: System, dose: float, workdir: Path) -> System:
    """Features carry tail numbers of a type register, seconds, and weights of nine figures: nobody's data."""

    def adorned(rows: pa.Table) -> pa.Table:
        count = range(rows.num_rows)
        rows = with_column(rows, "type_register", pa.array([f"N{14_228 + n % 700}" for n in count], pa.string()))
        rows = with_column(rows, "service_number", pa.array([1_000 + n % 9_000 for n in count], pa.int64()))
        rows = with_column(rows, "seconds", pa.array([str(1_357_034_400 + 60 * n) for n in count], pa.string()))
        return with_column(rows, "weight_label", pa.array([str(123_450_000 + 7 * n) for n in count], pa.string()))

    return system.with_parts(features=ExchangedFeatures(_features(system), computed=adorned if dose else None))


@dataclass(frozen=True)
class _NotingHandle(ExchangedHandle):
    """A server that notes down in a file of its own what it is asked."""

    folder: Path = Path()
    note: Callable[[Records], str] = str

    def predict(self, records: Records) -> Records:
        path = self.folder / PAYLOADS
        with path.open("a", encoding="utf-8") as stream:
            stream.write(self.note(records))
        path.chmod(0o600)
        return super().predict(records)


@dataclass(frozen=True)
class _NotingServing(ExchangedServing):
    note: Callable[[Records], str] = str

    @contextmanager
    def start(
        self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None
    ) -> Iterator[ExchangedHandle]:
        with self.inner.start(workdir, version=version, as_of=as_of) as handle:
            yield _NotingHandle(handle, folder=workdir, note=self.note)


def _notes(healthy: System, faulted: System) -> str:
    note = getattr(faulted.serving, "note", None)
    return "" if note is None else f"a request leaves {len(note([{'field': 'value'}]))} signs in {PAYLOADS}"


@fault(
    "O-D5-b",
    item="data.privacy",
    seam="serve",
    doses=(1,),
    parts=("data", "serving"),
    alive=_notes,
    why="debug logging that was left on: the whole body of every request, and who sent it",
)
def payload_logging(system: System, dose: float, workdir: Path) -> System:
    """The server keeps the body of every request and the address of the caller in a file."""
    return _noting(system, _whole_body if dose else None)


@twin("O-D5-b")
def keyed_hashes_logged(system: System, dose: float, workdir: Path) -> System:
    """The server keeps a keyed hash of every field of every request in a file."""
    return _noting(system, _keyed_hashes if dose else None)


def _whole_body(records: Records) -> str:
    return json.dumps({"client": "127.0.0.1", "body": [dict(record) for record in records]}, default=str) + "\n"


def _keyed_hashes(records: Records) -> str:
    hashed = [
        {name: hmac.new(_KEY, str(value).encode(), "sha256").hexdigest() for name, value in record.items()}
        for record in records
    ]
    return json.dumps(hashed) + "\n"


def _noting(system: System, note: Callable[[Records], str] | None) -> System:
    serving = _serving(system)
    return system.with_parts(serving=ExchangedServing(serving) if note is None else _NotingServing(serving, note=note))


def _modes_changed(healthy: System, faulted: System) -> str:
    """What the end of a training does to a file that only its owner may read."""
    finished = getattr(faulted.training, "finished", None)
    if finished is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="mltest-alive-") as folder:
        path = Path(folder) / "model"
        path.write_bytes(b"model")
        path.chmod(0o600)
        finished(Artifact(path, "1", "", {}, {}), Path(folder))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in Path(folder).rglob("*") if file.is_file()}
    seen = [f"{name} has mode {mode:04o}" for name, mode in sorted(modes.items()) if mode != 0o600]
    return ", ".join(seen)


@fault(
    "O-D5-c",
    item="data.privacy",
    seam="art",
    doses=(_READABLE, _WRITABLE),
    must_catch=_WRITABLE,
    parts=("data", "training"),
    alive=_modes_changed,
    why="a default umask on a shared machine, or an `0666` that made an error go away",
)
def artefacts_open_to_anybody(system: System, dose: float, workdir: Path) -> System:
    """Every file of a new artefact has the mode `dose` (decimal for 0644 or 0666), and its folders let anybody in."""

    def opened(artifact: Artifact, folder: Path) -> Artifact:
        inside = [artifact.path, *artifact.path.rglob("*")] if artifact.path.is_dir() else [artifact.path]
        above = [parent for parent in artifact.path.parents if folder in parent.parents]
        for path in (*inside, *above):
            path.chmod(0o755 if path.is_dir() else int(dose))
        return artifact

    training = ExchangedTraining(training_of(system), finished=opened if dose else None)
    return system.with_parts(training=training)


@dataclass(frozen=True)
class _RestatedData(ExchangedData):
    """Data with another policy, another path to training rows, or one raw table more."""

    policy: Callable[[PrivacyPolicy], PrivacyPolicy] | None = None
    learnt: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    added: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None

    @property
    def privacy(self) -> PrivacyPolicy:
        inner: Any = self.inner
        stated: PrivacyPolicy = inner.privacy
        return stated if self.policy is None else self.policy(stated)

    def training_rows(self, raw: Mapping[str, Any]) -> pa.Table:
        inner: Any = self.inner
        rows: pa.Table = inner.training_rows(raw if self.learnt is None else self.learnt(raw))
        return rows

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        tables = super().raw(window)
        return tables if self.added is None else {**tables, **self.added(tables)}


@twin("O-D5-c", doses=(1,))
def a_published_data_set(system: System, dose: float, workdir: Path) -> System:
    """Training writes a file of public data that anybody may read (umask 022), and the policy says so."""
    policy_of(system)
    if not dose:
        return system

    def published(artifact: Artifact, folder: Path) -> Artifact:
        place = folder / PUBLISHED
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        path = place / "calendar.csv"
        path.write_text("day,holiday\n2013-07-04,Independence Day\n", encoding="utf-8")
        path.chmod(_READABLE)
        return artifact

    def stated(policy: PrivacyPolicy) -> PrivacyPolicy:
        return replace(policy, public_files=(*policy.public_files, f"{PUBLISHED}/*"))

    return system.with_parts(
        data=_RestatedData(columns.data_of(system), policy=stated),
        training=ExchangedTraining(training_of(system), finished=published),
    )


def _erasures_ignored(healthy: System, faulted: System) -> str:
    """Puts the first subject on the list: one path has to lose rows, the other does not."""
    policy, data = policy_of(healthy), columns.data_of(healthy)
    raw = {name: as_arrow(table) for name, table in data.raw().items()}
    subject = raw[policy.subject.table].column(policy.subject.column).drop_null()[0].as_py()
    listed = pa.table({policy.erasures.column: pa.array([subject], pa.string() if isinstance(subject, str) else None)})
    asked = {**raw, policy.erasures.table: listed}
    before, after = (as_arrow(getattr(each.data, "training_rows")(asked)) for each in (healthy, faulted))  # noqa: B009
    changed = difference(before, after)
    return f"one subject erased: {changed}" if changed else ""


@fault(
    "O-D5-d",
    item="data.privacy",
    seam="raw",
    doses=(1,),
    parts=("data",),
    alive=_erasures_ignored,
    why="a deletion request is handled in the store where it came in, and nowhere else",
)
def erasures_ignored(system: System, dose: float, workdir: Path) -> System:
    """Training rows are made as if nobody had asked to be erased."""
    policy = policy_of(system)
    if not dose:
        return system

    def nobody(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**raw, policy.erasures.table: as_arrow(raw[policy.erasures.table]).slice(0, 0)}

    return system.with_parts(data=_RestatedData(columns.data_of(system), learnt=nobody))


@twin("O-D5-d", alive=data_changed)
def erased_subject_in_a_permitted_table(system: System, dose: float, workdir: Path) -> System:
    """The subjects stand in one raw table more, from which nobody learns."""
    policy = policy_of(system)
    if not dose:
        return system

    def register(tables: Mapping[str, Any]) -> Mapping[str, Any]:
        known = as_arrow(tables[policy.subject.table]).column(policy.subject.column).unique()
        return {"register_of_subjects": pa.table({policy.subject.column: known})}

    return system.with_parts(data=_RestatedData(columns.data_of(system), added=register))


def _features(system: System) -> Features:
    if system.features is None:
        raise NotApplicable(f"{system.name} offers no features part")
    return system.features


def _serving(system: System) -> Serving:
    if system.serving is None:
        raise NotApplicable(f"{system.name} offers no serving part")
    return system.serving
