"""Feature tables kept by content: computed again when raw data, code, window or a library changes, and only then."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from reference_system import digest, features

logger = logging.getLogger(__name__)

FOLDER = "features"
LIBRARIES = ("duckdb", "numpy", "pyarrow")


def load(home: Path, raw: Mapping[str, pa.Table], window: tuple[datetime, datetime] | None = None) -> pa.Table:
    """The table of `features.compute(raw, window)`, from `home` when the very same one was computed before."""
    path = home / FOLDER / f"{key(raw, window)}.parquet"
    if path.exists():
        return pq.read_table(path)
    started = time.perf_counter()
    logger.info("computing features of %d flights", raw["flights"].num_rows)
    table = features.compute(raw, window)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(f".{os.getpid()}")
    pq.write_table(table, staged, compression="zstd")
    staged.chmod(0o600)
    staged.replace(path)
    logger.info("computed %d rows in %.1f s", table.num_rows, time.perf_counter() - started)
    return table


def key(raw: Mapping[str, pa.Table], window: tuple[datetime, datetime] | None) -> str:
    """Digest of everything that a feature table depends on."""
    parts = {
        "raw": {name: digest.of_table(table) for name, table in sorted(raw.items())},
        "window": None if window is None else [moment.isoformat() for moment in window],
        "code": {path.name: digest.of_file(path) for path in sorted(Path(__file__).parent.glob("*.py"))},
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }
    return digest.of_plain(parts)[:32]
