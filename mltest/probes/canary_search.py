"""Looks for canaries in bytes, texts and tables, and shows first that it would find them."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.probes import containers, needles
from mltest.probes.canaries import Canary

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Hit:
    """A canary that turned up: where, and in which form."""

    canary: Canary
    place: str
    form: str


class CanarySearch:
    """One search for many canaries. Content that was looked through under one name is not looked through again."""

    def __init__(self, canaries: Sequence[Canary]) -> None:
        self._canaries = tuple(canaries)
        self._needles = [(needle, form, c) for c in canaries for needle, form in needles.forms(c.value).items()]
        self._decoys = [(needle, c) for c in canaries for needle in needles.plain_forms(c.decoy)]
        self._seen: dict[bytes, tuple[tuple[Canary, str, str], ...]] = {}
        self.hits: dict[tuple[str, str], Hit] = {}
        self.by_chance: set[str] = set()
        self.unread: list[str] = []
        self.bytes = 0
        self.places = 0

    def data(self, place: str, data: bytes) -> None:
        """Bytes of a file or an answer, and everything that is inside them."""
        self.places += 1
        digest = hashlib.sha256(data).digest()
        if digest not in self._seen:
            opened = containers.opened("", data)
            self.unread += [f"{place}{reason}" for reason in opened.unread]
            self._seen[digest] = tuple(self._found(opened))
        for canary, inner, form in self._seen[digest]:
            self._note(canary, place + inner, form)

    def text(self, place: str, text: str) -> None:
        """A text as it was said."""
        self.data(place, text.encode("utf-8", "surrogatepass"))

    def table(self, place: str, table: pa.Table) -> None:
        """Rows, names of columns and metadata."""
        self.places += 1
        for canary, form in self._in_table(table):
            self._note(canary, place, form)

    def _found(self, opened: containers.Opened) -> Iterator[tuple[Canary, str, str]]:
        for content in opened.contents:
            inside = self._in_bytes(content.data) if isinstance(content.data, bytes) else self._in_table(content.data)
            for canary, form in inside:
                yield canary, content.name, form

    def _note(self, canary: Canary, place: str, form: str) -> None:
        self.hits.setdefault((canary.name, place), Hit(canary, place, form))

    def _in_bytes(self, data: bytes) -> Iterator[tuple[Canary, str]]:
        self.bytes += len(data)
        self.by_chance |= {canary.name for needle, canary in self._decoys if needle in data}
        for needle, form, canary in self._needles:
            if needle in data:
                yield canary, form

    def _in_table(self, table: pa.Table) -> Iterator[tuple[Canary, str]]:
        import pyarrow.types as pt

        yield from self._in_bytes(str(table.schema).encode() + repr(table.schema.metadata).encode())
        for name, column in zip(table.column_names, table.columns, strict=True):
            kind = column.type.value_type if pt.is_dictionary(column.type) else column.type
            if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind):
                yield from ((canary, f"as a number in {name!r}") for canary in self._equal(column))
            else:
                found = self._in_bytes(_written(column))
                yield from ((canary, f"{form} in {name!r}") for canary, form in found)

    def _equal(self, column: Any) -> Iterator[Canary]:
        import pyarrow as pa

        self.bytes += column.nbytes
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        values = plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        rounded = np.float32 if pa.types.is_float32(plain.type) else np.float64
        for canary in self._canaries:
            if isinstance(canary.value, int | float) and np.any(values == float(rounded(canary.value))):
                yield canary


def _written(column: Any) -> bytes:
    """The distinct values of a column, one a line; nested ones as JSON, bytes as they are."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_nested(kind):
        return "\n".join(json.dumps(value, default=str) for value in column.to_pylist()).encode()
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        column = column.cast(pa.string())
    values = column.drop_null().unique().to_pylist()
    return b"\n".join(value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass") for value in values)


def blind_spots(canary: Canary) -> tuple[str, ...]:
    """Kinds of containers and forms in which this search misses a canary that is certainly there; best empty."""
    missed = []
    for kind, data in (*_specimens(str(canary.value)),):
        search = CanarySearch([canary])
        search.data(kind, data)
        if not search.hits:
            missed.append(kind)
    return tuple(missed)


def _specimens(text: str) -> Iterator[tuple[str, bytes]]:
    """The text in every kind of container, in a sentence of its own."""
    sentence = f'{{"told": "it was {text}, they say"}}'
    plain = sentence.encode()
    yield "plain text", plain
    yield "UTF-16", sentence.encode("utf-16")
    yield from ((name, pattern.join((b"<", b">"))) for pattern, name in needles.forms(text).items())
    yield "gzip", gzip.compress(plain)
    yield "bzip2", bz2.compress(plain)
    yield "xz", lzma.compress(plain)
    yield "zlib", zlib.compress(plain)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("inner.json.gz", gzip.compress(plain))
    yield "zip", archive.getvalue()
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w") as tar:
        member = tarfile.TarInfo("inner")
        member.size = len(plain)
        tar.addfile(member, io.BytesIO(plain))
    yield "tar", bundle.getvalue()
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE log (entry TEXT)")
        database.execute("INSERT INTO log VALUES (?)", (sentence,))
        database.commit()
        yield "sqlite", database.serialize()
    yield from _tables(sentence)


def _tables(sentence: str) -> Iterator[tuple[str, bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.table({"entry": pa.array([sentence, "nothing"] * 20).dictionary_encode()})
    parquet = io.BytesIO()
    pq.write_table(rows, parquet, compression="zstd")
    yield "parquet", parquet.getvalue()
    for name, options in (("arrow", None), ("arrow, compressed", pa.ipc.IpcWriteOptions(compression="zstd"))):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, rows.schema, options=options) as writer:
            writer.write_table(rows)
        yield name, sink.getvalue().to_pybytes()
    yield "zstd", pa.compress(sentence.encode(), codec="zstd", asbytes=True)
