"""The stages of a pipeline, one after another, on raw tables with canaries in them, as far as a system has parts.

Raw rows of a few days at the beginning of the training time are enough: nothing is asked of the model but to be made
and to answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.privacy import PrivacyPolicy
from mltest.probes import canaries, direction, identifiers, kept_trainings, written_files
from mltest.probes.canaries import Planted
from mltest.probes.canary_search import CanarySearch
from mltest.probes.identifiers import Identified
from mltest.probes.pipeline_run import aliases, steps_kept
from mltest.probes.pipeline_slice import PipelineSlice
from mltest.probes.private_serving import Asked, ServedPrivately, ask
from mltest.probes.stages import stage
from mltest.probes.written_files import Exposed, Roots
from mltest.system import Artifact, Model, System, SystemRef
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

RECORDS = 24
"""Requests of the planted subject, and as many of others, at most."""
BROKEN = 2
"""Requests with a word in place of a number."""
FEWEST_ROWS = 50


@dataclass
class Traces:
    """What the run left behind and said, looked through."""

    search: CanarySearch
    identified: list[Identified] = field(default_factory=list)
    exposed: tuple[Exposed, ...] = ()
    grants: tuple[str, ...] = ()
    files: int = 0
    elsewhere: list[tuple[Path, Path]] = field(default_factory=list)
    """Files of the artefact, wherever it lies."""


@dataclass
class PrivatePipeline:
    """The stages, one after another."""

    system: System
    policy: PrivacyPolicy
    ref: SystemRef
    chosen: PipelineSlice
    planted: Planted
    traces: Traces
    stages: list[str] = field(default_factory=list)
    refused: str = ""
    doubt: str | None = None

    def __post_init__(self) -> None:
        self.ref.workdir.mkdir(parents=True, exist_ok=True)
        self.home = Path(tempfile.mkdtemp(prefix="privacy-", dir=self.ref.workdir)).resolve()
        raw = self.planted.raw
        self.declared = frozenset(
            str(value)
            for place in (*self.policy.public, *self.policy.sensitive)
            if place.table in raw and place.column in raw[place.table].column_names
            for value in raw[place.table].column(place.column).unique().to_pylist()
        )
        self.known = frozenset(str(canary.value) for canary in self.planted.canaries)

    def roots(self) -> Roots:
        folders = [self.home / name for name in ("training", "serving")]
        for folder in folders:
            folder.mkdir()
        shared = [self.ref.workdir.resolve(), *([self.ref.cache.resolve()] if self.ref.cache else [])]
        own = [each / kept_trainings.FOLDER for each in shared]
        return Roots((*folders, *shared), (self.home, *own))

    def run(self, learn: Any) -> ServedPrivately | None:
        raw, rows = self._features(learn)
        artifact = None
        if self.system.training is not None:
            artifact, model = self._training(rows)
            answers = np.asarray(model.predict(rows.slice(0, FEWEST_ROWS)))
            self.doubt = direction.contradiction(None, answers, artifact.metrics)
        if self.system.serving is None or not may_experiment(self.system):
            return None
        return self._serving(raw, artifact)

    def _features(self, learn: Any) -> tuple[Mapping[str, Any], pa.Table]:
        """Batch features and training rows of the planted tables; without new columns where these are refused."""
        raw: Mapping[str, Any] = self.planted.extended
        try:
            tables = self._computed(raw, learn)
        except PartFailure as error:
            self.refused = str(error)
            raw = self.planted.raw
            tables = self._computed(raw, learn)
        for name, table in tables.items():
            self._look(name, table)
        self.stages += tables
        if "features" in tables:
            self._require_hearing(raw, tables["features"])
        rows = tables["training rows"]
        if rows.num_rows < FEWEST_ROWS:
            raise Withheld(
                f"{rows.num_rows} training rows came of the planted raw tables, {FEWEST_ROWS} are needed",
                ReasonCode.TOO_LITTLE_DATA,
            )
        return raw, rows

    def _require_hearing(self, raw: Mapping[str, Any], planted: pa.Table) -> None:
        """Raises Withheld where features come out the same without every other raw row: no canary passed through."""
        assert self.system.features is not None
        name = self.policy.subject.table
        half = {**raw, name: raw[name].take(np.arange(0, raw[name].num_rows, 2))}
        with stage("features"):
            fewer = to_arrow(self.system.features.compute(half, self.chosen.learn))
        if fewer.num_rows == planted.num_rows and fewer.equals(planted):
            raise Withheld(
                f"features are the same without every other raw row of {name!r}, so that no planted value went through "
                "them: compute them from the raw tables that are handed over"
            )

    def _computed(self, raw: Mapping[str, Any], learn: Any) -> dict[str, pa.Table]:
        tables = {}
        if self.system.features is not None:
            with stage("features"):
                tables["features"] = to_arrow(self.system.features.compute(raw, self.chosen.learn))
        with stage("training rows"):
            tables["training rows"] = to_arrow(learn(raw))
        return tables

    def _training(self, rows: pa.Table) -> tuple[Artifact, Model]:
        training: Any = self.system.training
        with stage("training"):
            config = steps_kept(training.config, self.chosen.share)
            artifact = training.train(rows, seed=self.ref.seed, config=config, workdir=self.home / "training")
            model = training.load(artifact)
        for path in _files_of(artifact.path):
            self.traces.search.data("model", path.read_bytes())
            self.traces.elsewhere.append((artifact.path.parent, path))
        self.traces.search.text("model", f"{artifact.version} {artifact.config!r} {artifact.metrics!r}")
        self.traces.search.text("model", repr(getattr(model, "metadata", "")))
        self.traces.grants = (*written_files.grants(training.config), *written_files.grants(artifact.config))
        self.stages.append("training")
        return artifact, model

    def _serving(self, raw: Mapping[str, Any], artifact: Artifact | None) -> ServedPrivately:
        registry, serving = self.system.registry, self.system.serving
        assert serving is not None
        pointed = None if registry is None or artifact is None else aliases(registry)
        folder = self.home / "serving"
        try:
            version = None
            if registry is not None and artifact is not None:
                with stage("registry"):
                    version = registry.register(artifact)
            asked = self._asked(raw)
            with stage("serving"), serving.start(folder, version=version, as_of=self.chosen.served_from) as handle:
                keys = () if self.system.data is None else self.system.data.roles.keys
                served = ask(handle, asked, keys, lambda: _contents(folder))
        finally:
            if registry is not None and pointed is not None:
                pointed.restore(registry)
        self._require_version(version, served)
        for answer in served.answers:
            self.traces.search.text("answers", repr(answer))
        self._look("request log", served.log)
        self.traces.search.text("metrics", served.metrics)
        self.traces.identified += identifiers.of_texts("metrics", served.metrics.splitlines(), self.known)
        self.stages.append("serving")
        return served

    def _require_version(self, version: str | None, served: ServedPrivately) -> None:
        """Raises Withheld where another model answered than the one that saw the canaries."""
        logged = served.log.column("version").unique().to_pylist() if "version" in served.log.column_names else []
        strange = (served.versions | {str(each) for each in logged}) - {str(version)}
        if version is not None and strange:
            raise Withheld(
                f"version {version} was to be served, and {', '.join(sorted(strange)[:2])} answered: what the planted "
                "values did to the new model was not seen",
                ReasonCode.STALE,
            )

    def _asked(self, raw: Mapping[str, Any]) -> Asked:
        serving: Any = self.system.serving
        subject = self.policy.subject
        with stage("serving"):
            records = list(serving.records(raw, self.chosen.serve))
        if not records or subject.column not in records[0]:
            raise Withheld(
                f"{len(records)} requests could be made, and they have no field {subject.column!r}: name as the "
                "policy's subject a raw column that a request carries too",
                ReasonCode.PART_MISSING if records else ReasonCode.TOO_LITTLE_DATA,
            )
        theirs = [record for record in records if record[subject.column] == self.planted.subject][:RECORDS]
        others = [record for record in records if record[subject.column] != self.planted.subject]
        if not theirs:
            # Where every row has a subject of its own, none of the requests may be the planted one's.
            half = min(RECORDS, len(others) // 2)
            theirs, others = others[-half:] if half else [], others[: len(others) - half]
        theirs = [{**self._telling(record), subject.column: self.planted.subject} for record in theirs]
        others = others[:: max(1, len(others) // RECORDS)][:RECORDS]
        if not theirs or not others:
            raise Withheld(
                f"{len(theirs)} requests name the planted subject and {len(others)} others, both are needed",
                ReasonCode.TOO_LITTLE_DATA,
            )
        added = canaries.new_fields(self.planted, subject.table)
        plain = {key: value for key, value in theirs[-1].items() if key not in added}
        return Asked(
            [{k: v for k, v in record.items() if k not in added} for record in theirs],
            [{k: v for k, v in record.items() if k not in added} for record in others],
            [{**plain, **added}, *self._broken(plain)],
            self.planted.subject,
        )

    def _telling(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """The record with every canary of its table in its field, where that has the kind of the canary."""
        told = {
            canary.column.column: canary.value
            for canary in self.planted.canaries
            if canary.column.table == self.policy.subject.table
            and isinstance(canary.value, str | float)
            and isinstance(record.get(canary.column.column), type(canary.value))
        }
        return {**record, **told}

    def _broken(self, record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The record with a word in place of a number: what goes wrong is written down somewhere."""
        inputs = () if self.system.data is None else self.system.data.roles.inputs
        numbers = [n for n, value in record.items() if isinstance(value, int | float) and not isinstance(value, bool)]
        return [{**record, name: "three"} for name in sorted(numbers, key=lambda name: name not in inputs)[:BROKEN]]

    def _look(self, place: str, table: pa.Table) -> None:
        self.traces.search.table(place, table)
        self.traces.identified += identifiers.of_table(place, table, self.known, self.declared)


def may_experiment(system: System) -> bool:
    """Whether servers may be started for an experiment."""
    return system.experiments and system.environment != "production"


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (each for each in sorted(path.rglob("*")) if each.is_file())


def _contents(folder: Path) -> Mapping[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files_of(folder)}
