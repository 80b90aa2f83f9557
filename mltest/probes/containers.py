"""What is inside a file, as far as well-kept readers open it: members of archives, rows of tables, pages of databases.

Everything is bounded: who unpacks more than `MOST_BYTES` from one file stops, and says so.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 256 << 20
"""Bytes that are unpacked from one file at most."""
DEEPEST = 4
_ZLIB_HEADERS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


@dataclass(frozen=True)
class Content:
    """Bytes or rows under a name such as `log.zip!requests.json`."""

    name: str
    data: bytes | pa.Table


@dataclass
class Opened:
    """What came out of one file. `unread` says what looked like a container and could not be opened, and why."""

    contents: list[Content] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    bytes: int = 0


def opened(name: str, data: bytes) -> Opened:
    """The bytes themselves, and all that is found inside them."""
    found = Opened()
    _open(name, data, found, 0)
    return found


def _open(name: str, data: bytes, found: Opened, depth: int) -> None:
    if depth and found.bytes + len(data) > MOST_BYTES:
        found.unread.append(f"{name}: more than {MOST_BYTES >> 20} MB unpacked")
        return
    found.contents.append(Content(name, data))
    found.bytes += len(data) if depth else 0
    reader = _reader_of(data)
    if reader is None or depth >= DEEPEST:
        return
    try:
        for inner, content in reader(data):
            if isinstance(content, bytes):
                _open(f"{name}!{inner}", content, found, depth + 1)
            else:
                found.contents.append(Content(f"{name}!{inner}", content))
    except Exception as error:
        # A file that is still being written, damaged or encrypted: its bytes were searched as they are.
        found.unread.append(f"{name}: {type(error).__name__}")


_Reader = Callable[[bytes], Iterator[tuple[str, Any]]]


def _reader_of(data: bytes) -> _Reader | None:
    for magic, reader in _BY_MAGIC:
        if data.startswith(magic):
            return reader
    if data[257:262] == b"ustar":
        return _tar
    if data[8:12] == b"DUCK":
        return _duckdb
    return _zlib if data[:2] in _ZLIB_HEADERS else None


def _bounded(stream: Any) -> bytes:
    read: bytes = stream.read(MOST_BYTES + 1)
    return read


def _gzip(data: bytes) -> Iterator[tuple[str, Any]]:
    yield "gz", _bounded(gzip.GzipFile(fileobj=io.BytesIO(data)))


def _bz2(data: bytes) -> Iterator[tuple[str, Any]]:
    yield "bz2", _bounded(bz2.BZ2File(io.BytesIO(data)))


def _xz(data: bytes) -> Iterator[tuple[str, Any]]:
    with lzma.open(io.BytesIO(data)) as stream:
        yield "xz", _bounded(stream)


def _zlib(data: bytes) -> Iterator[tuple[str, Any]]:
    try:
        yield "zlib", zlib.decompressobj().decompress(data, MOST_BYTES + 1)
    except zlib.error:
        return


def _by_arrow(codec: str) -> _Reader:
    def read(data: bytes) -> Iterator[tuple[str, Any]]:
        import pyarrow as pa

        yield codec, _bounded(pa.CompressedInputStream(pa.BufferReader(data), codec))

    return read


def _zip(data: bytes) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                yield member.filename, _bounded(stream)


def _tar(data: bytes) -> Iterator[tuple[str, Any]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            yield member.name, b"" if stream is None else _bounded(stream)


def _parquet(data: bytes) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    yield "rows", pq.read_table(pa.BufferReader(data))


def _arrow_file(data: bytes) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa

    yield "rows", pa.ipc.open_file(pa.BufferReader(data)).read_all()


def _arrow_stream(data: bytes) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa

    yield "rows", pa.ipc.open_stream(pa.BufferReader(data)).read_all()


def _sqlite(data: bytes) -> Iterator[tuple[str, Any]]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(data)
        for number, statement in enumerate(database.iterdump()):
            yield f"row {number}", statement.encode()


def _duckdb(data: bytes) -> Iterator[tuple[str, Any]]:
    import duckdb

    with tempfile.TemporaryDirectory(prefix="mltest-opened-") as folder:
        path = Path(folder) / "copy.duckdb"
        path.write_bytes(data)
        with closing(duckdb.connect(str(path), read_only=True)) as database:
            for (table,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                quoted = table.replace('"', '""')
                yield table, database.sql(f'SELECT * FROM "{quoted}"').to_arrow_table()  # noqa: S608


_BY_MAGIC: tuple[tuple[bytes, _Reader], ...] = (
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bz2),
    (b"\xfd7zXZ\x00", _xz),
    (b"\x28\xb5\x2f\xfd", _by_arrow("zstd")),
    (b"\x04\x22\x4d\x18", _by_arrow("lz4")),
    (b"PK\x03\x04", _zip),
    (b"PAR1", _parquet),
    (b"ARROW1", _arrow_file),
    (b"\xff\xff\xff\xff", _arrow_stream),
    (b"SQLite format 3\x00", _sqlite),
)
