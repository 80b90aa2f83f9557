"""Content digests: of a file, of plain data, of a table, of a training environment."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TRAINING_PACKAGES = ("numpy", "onnx", "onnxruntime", "pyarrow", "torch")


def of_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_plain(value: Any) -> str:
    """sha256 of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def of_table(table: pa.Table, columns: Iterable[str] | None = None) -> str:
    """sha256 of the values of a table, row by row in the order given; how it is chunked does not matter."""
    running = hashlib.sha256()
    for name in table.column_names if columns is None else columns:
        column = table.column(name)
        running.update(f"{name}:{column.type}:{len(column)}\n".encode())
        for part in _byte_views(column):
            running.update(part)
    return running.hexdigest()


def environment() -> dict[str, str]:
    """What a training ran on: Python, machine and the packages whose versions may change the result."""
    versions = {name: metadata.version(name) for name in TRAINING_PACKAGES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def _byte_views(column: pa.ChunkedArray) -> Iterable[bytes]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    yield np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        lengths = pc.fill_null(pc.binary_length(column), -1)
        yield lengths.to_numpy().astype(np.int64).tobytes()
        yield "".join(pc.fill_null(column, "").to_pylist()).encode()
    elif pa.types.is_date32(column.type):
        yield pc.fill_null(column.cast(pa.int32()), 0).to_numpy().tobytes()
    elif pa.types.is_temporal(column.type) or pa.types.is_integer(column.type):
        yield pc.fill_null(column.cast(pa.int64()), 0).to_numpy().tobytes()
    else:
        yield np.ascontiguousarray(column.to_numpy(zero_copy_only=False)).astype(np.float64).tobytes()
