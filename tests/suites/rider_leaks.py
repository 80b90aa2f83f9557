"""The riders with one privacy control missing, or something odd that harms nobody."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import logging
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mltest.offers.privacy import Permission
from mltest.system import Artifact, RawColumn, System, SystemRef
from tests.suites.riders import (
    COLUMNS,
    POLICY,
    RiderData,
    RiderFeatures,
    RiderHandle,
    RiderTraining,
    honest_entry,
    rides,
    served,
    system,
)

Record = Mapping[str, Any]
CARRYING = (*COLUMNS, "rider", "email", "income")


def _trained(ref: SystemRef, note: Any, **changes: Any) -> System:
    """Training rows carry persons, which the policy permits, and the training leaves something beside its model."""
    permitted = tuple(Permission(column, ("training rows",), "for the test") for column in POLICY.sensitive)
    data = RiderData(columns=CARRYING, policy=replace(POLICY, permitted=permitted))
    return system(ref).with_parts(data=data, training=RiderTraining(note, **changes))


def permitted_in_training_rows(ref: SystemRef) -> System:
    return _trained(ref, None)


def in_gzip(ref: SystemRef) -> System:
    return _trained(ref, lambda rows: gzip.compress("\n".join(rows["rider"].to_pylist()).encode()))


def _zipped(rows: pa.Table) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("riders.b64", base64.b64encode(" ".join(rows["email"].to_pylist()).encode()))
    return whole.getvalue()


def in_zip_and_base64(ref: SystemRef) -> System:
    return _trained(ref, _zipped)


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows.select(["income"]), sink, compression="zstd")
    return sink.getvalue()


def a_number_in_parquet(ref: SystemRef) -> System:
    return _trained(ref, _parquet)


def _database(rows: pa.Table) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE vocabulary (word TEXT)")
        database.executemany("INSERT INTO vocabulary VALUES (?)", [(r,) for r in set(rows["rider"].to_pylist())])
        database.commit()
        return database.serialize()


def in_sqlite(ref: SystemRef) -> System:
    return _trained(ref, _database)


def _utf16(rows: pa.Table) -> bytes:
    return ", ".join(rows["rider"].to_pylist()).encode("utf-16")


def in_utf16(ref: SystemRef) -> System:
    return _trained(ref, _utf16)


class Talking(RiderTraining):
    """Logs what it could not read."""

    def train(self, dataset: pa.Table, *, seed: int, config: Record, workdir: Path) -> Artifact:
        logging.getLogger("riders").warning("no age known of %s", sorted(set(dataset["rider"].to_pylist())))
        return super().train(dataset, seed=seed, config=config, workdir=workdir)


def in_a_message(ref: SystemRef) -> System:
    return _trained(ref, None).with_parts(training=Talking())


def selects_everything(ref: SystemRef) -> System:
    return system(ref).with_parts(features=RiderFeatures(named=False))


def refuses_new_columns(ref: SystemRef) -> System:
    healthy = served(ref, strict=True)
    return healthy.with_parts(features=RiderFeatures(strict=True))


def logs_unkeyed_hashes(ref: SystemRef) -> System:
    def plain(record: Record) -> dict[str, Any]:
        return {**honest_entry(record), "who": hashlib.sha256(record["rider"].encode()).hexdigest()}

    return served(ref, entry=plain)


def logs_the_caller(ref: SystemRef) -> System:
    return served(ref, entry=lambda record: {**honest_entry(record), "peer": "127.0.0.1:50312"})


def answers_with_the_rider(ref: SystemRef) -> System:
    return served(ref, said=lambda record: {"for": record["rider"]})


def rider_as_metric_label(ref: SystemRef) -> System:
    return served(ref, metric=lambda entry: f'rides_total{{rider="{entry["who"]}"}} 1', entry=_named)


def _named(record: Record) -> dict[str, Any]:
    return {**honest_entry(record), "who": base64.b64encode(record["rider"].encode()).decode()}


def forgets_nobody(ref: SystemRef) -> System:
    return served(ref, is_about=lambda entry, subject: False)


def forgets_everybody(ref: SystemRef) -> System:
    return served(ref, is_about=lambda entry, subject: True)


class WithBackup(RiderHandle):
    """Keeps a copy of the log that nobody thinks of."""

    def predict(self, records: Sequence[Record]) -> Sequence[Record]:
        answers = super().predict(records)
        backup = self.folder / "requests.jsonl.1"
        backup.write_text(self.log.read_text())
        backup.chmod(0o600)
        return answers


def keeps_a_backup(ref: SystemRef) -> System:
    return served(ref, handle=WithBackup)


class CannotErase(RiderHandle):
    erase = None  # type: ignore[assignment]


def cannot_erase(ref: SystemRef) -> System:
    return served(ref, handle=CannotErase)


class Fearful(RiderHandle):
    """Writes the request that it stumbles over to a file of errors."""

    def predict(self, records: Sequence[Record]) -> Sequence[Record]:
        try:
            return super().predict(records)
        except Exception as error:
            path = self.folder / "errors.log"
            path.write_text(f"{error!r} on {json.dumps([dict(r) for r in records], default=str)}")
            path.chmod(0o600)
            raise


def writes_down_what_it_refuses(ref: SystemRef) -> System:
    return served(ref, handle=Fearful)


def hides_its_log(ref: SystemRef) -> System:
    """The log is kept and not shown, and nobody is forgotten."""
    return served(ref, shown=False, is_about=lambda entry, subject: False)


def applies_the_first_erasure(ref: SystemRef) -> System:
    return system(ref).with_parts(data=RiderData(erased="the first"))


def erases_by_a_prefix(ref: SystemRef) -> System:
    return system(ref).with_parts(data=RiderData(erased="by a prefix"))


def split_made_elsewhere(ref: SystemRef) -> System:
    """training_rows(raw) is a show door: the split is made without the list."""
    return system(ref).with_parts(data=RiderData(split_is_erased=False))


def world_readable(ref: SystemRef) -> System:
    return system(ref).with_parts(training=RiderTraining(mode=0o644))


def published_model(ref: SystemRef) -> System:
    data = RiderData(policy=replace(POLICY, public_files=("model.json",)))
    return world_readable(ref).with_parts(data=data)


def public_bucket(ref: SystemRef) -> System:
    shipped = {"inputs": ["distance"], "upload": {"acl": "public-read"}}
    return system(ref).with_parts(training=RiderTraining(config=shipped))


def undeclared_addresses(ref: SystemRef) -> System:
    """The policy forgot the e-mail, and features carry it."""
    policy = replace(POLICY, sensitive=POLICY.sensitive[:1])
    return system(ref).with_parts(data=RiderData(policy=policy), features=RiderFeatures(extra=("email",)))


def published_addresses(ref: SystemRef) -> System:
    policy = replace(POLICY, sensitive=POLICY.sensitive[:1], public=(RawColumn("rides", "email"),))
    return system(ref).with_parts(data=RiderData(policy=policy), features=RiderFeatures(extra=("email",)))


def look_alikes_ride_along(ref: SystemRef) -> System:
    """Plates, weights of nine figures: nobody's personal data."""
    return system(ref).with_parts(features=RiderFeatures(extra=("plate", "parcel")))


def pseudonymous_key(ref: SystemRef) -> System:
    """The rider's number is no secret here and stands wherever it is useful; the rest is."""
    policy = replace(POLICY, sensitive=POLICY.sensitive[1:])
    data = RiderData(columns=(*COLUMNS, "rider"), policy=policy)
    return served(ref, entry=lambda r: {**honest_entry(r), "name": r["rider"]}).with_parts(data=data)


def without_policy(ref: SystemRef) -> System:
    return system(ref).with_parts(data=Unstated())


@dataclass(frozen=True)
class Unstated(RiderData):
    privacy = None  # type: ignore[assignment]


def nothing_sensitive(ref: SystemRef) -> System:
    return system(ref).with_parts(data=RiderData(policy=replace(POLICY, sensitive=())))


class Deaf(RiderData):
    """Gives the same training rows whatever raw tables it is handed."""

    def training_rows(self, raw: Mapping[str, Any]) -> pa.Table:
        return super().training_rows({"rides": rides(), "erasures": pa.table({"rider": ["rider-00007"]})})


def deaf_path(ref: SystemRef) -> System:
    return system(ref).with_parts(data=Deaf())


class DeafFeatures(RiderFeatures):
    """Features of yesterday, whatever raw tables are handed over."""

    def compute(self, raw: Mapping[str, Any], at: Any = None) -> pa.Table:
        return super().compute(RiderData().raw(at), at)


def deaf_features(ref: SystemRef) -> System:
    return system(ref).with_parts(features=DeafFeatures())


class Late(RiderHandle):
    """Shows its log only when it is asked for the third time."""

    asked = 0

    def request_log(self, since: Any = None) -> pa.Table:
        self.asked += 1
        return super().request_log(since) if self.asked > 3 else pa.table({"ride_id": pa.array([], pa.string())})


def shows_its_log_late(ref: SystemRef) -> System:
    return served(ref, handle=Late, is_about=lambda entry, subject: False)


def artefact_elsewhere(ref: SystemRef) -> System:
    """The model lies outside the folder that training was given, open to anybody."""
    return system(ref).with_parts(training=Elsewhere(folder=ref.workdir.parent / "shared-models"))


@dataclass(frozen=True)
class Elsewhere(RiderTraining):
    folder: Path = Path()

    def train(self, dataset: pa.Table, *, seed: int, config: Record, workdir: Path) -> Artifact:
        made = super().train(dataset, seed=seed, config=config, workdir=self.folder)
        made.path.chmod(0o666)
        return made


def without_serving(ref: SystemRef) -> System:
    return system(ref).with_parts(serving=None)


def only_data_and_features(ref: SystemRef) -> System:
    return system(ref).with_parts(serving=None, training=None, registry=None)


def without_consent(ref: SystemRef) -> System:
    return system(ref).with_parts(experiments=False)


def leaking_without_consent(ref: SystemRef) -> System:
    return selects_everything(ref).with_parts(experiments=False)


@dataclass(frozen=True)
class Once(RiderData):
    """Everybody rides once."""

    def raw(self, window: Any = None) -> Mapping[str, Any]:
        tables = super().raw(window)
        rows = tables["rides"]
        alone = pa.array([f"{rider}-{ride}" for rider, ride in zip(*rows.select(["rider", "ride_id"]), strict=True)])
        return {**tables, "rides": rows.set_column(rows.column_names.index("rider"), "rider", alone)}


def everybody_rides_once(ref: SystemRef) -> System:
    return system(ref).with_parts(data=Once())


@dataclass(frozen=True)
class Contacted(RiderData):
    """The raw rides have had names of passengers for long, and the policy forgot it."""

    def raw(self, window: Any = None) -> Mapping[str, Any]:
        tables = super().raw(window)
        rows = tables["rides"]
        return {**tables, "rides": rows.append_column("passenger_name", pa.array(["Jo Doe"] * rows.num_rows))}


def forgotten_names_ride_along(ref: SystemRef) -> System:
    return system(ref).with_parts(data=Contacted(), features=RiderFeatures(extra=("passenger_name",)))


def keeps_no_log(ref: SystemRef) -> System:
    return served(ref, handle=Silent)


class Silent(CannotErase):
    """Keeps nothing of what it is asked, and so has nothing to forget."""

    def predict(self, records: Sequence[Record]) -> Sequence[Record]:
        answers = super().predict(records)
        self.log.write_text("")
        return answers
