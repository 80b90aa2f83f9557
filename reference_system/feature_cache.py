"""Feature tables kept by content: computed again when raw data, code, window or a library changes, and only then.

Window features are also kept one by one, so that declaring one more does not compute the others anew.
"""

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
from reference_system.declarations import BASELINES, EVENTS, WINDOW_FEATURES, WindowFeature

logger = logging.getLogger(__name__)

FOLDER = "features"
CODE = Path(__file__).parent
DECLARING = frozenset({"declarations.py", "catalogue.py"})
"""Code that says what each feature is; all other code says how features are computed."""

LIBRARIES = ("duckdb", "numpy", "pyarrow")


def load(home: Path, raw: Mapping[str, pa.Table], window: tuple[datetime, datetime] | None = None) -> pa.Table:
    """The table of `features.compute(raw, window)`, from `home` when the very same one was computed before.

    Where only declarations changed, window features whose own declaration did not are taken from `home` as well.
    """
    path = home / FOLDER / f"{key(raw, window)}.parquet"
    if path.exists():
        return pq.read_table(path)
    started = time.perf_counter()
    logger.info("computing features of %d flights", raw["flights"].num_rows)
    ground = _ground(raw, window)
    places = {feature.name: path.parent / f"{_column_key(feature, ground)}.column" for feature in _computed()}
    kept = {name: pq.read_table(place)[name].to_numpy() for name, place in places.items() if place.exists()}
    there = set(kept)
    table = features.compute(raw, window, kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, place in places.items():
        if name not in there:
            _write(pa.table({name: kept[name]}), place)
    _write(table, path)
    logger.info("computed %d rows in %.1f s", table.num_rows, time.perf_counter() - started)
    return table


def key(raw: Mapping[str, pa.Table], window: tuple[datetime, datetime] | None) -> str:
    """Digest of everything that a feature table depends on."""
    declared = {path.name: digest.of_file(path) for path in sorted(CODE.glob("*.py")) if path.name in DECLARING}
    return digest.of_plain({"ground": _ground(raw, window), "declared": declared})[:32]


def _ground(raw: Mapping[str, pa.Table], window: tuple[datetime, datetime] | None) -> str:
    """Digest of what every feature depends on: rows, window, libraries, and all code but the declarations."""
    parts = {
        "raw": {name: digest.of_table(table) for name, table in sorted(raw.items())},
        "window": None if window is None else [moment.isoformat() for moment in window],
        "code": {path.name: digest.of_file(path) for path in sorted(CODE.glob("*.py")) if path.name not in DECLARING},
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }
    return digest.of_plain(parts)


def _computed() -> tuple[WindowFeature, ...]:
    return tuple(feature for feature in WINDOW_FEATURES if feature not in BASELINES)


def _column_key(feature: WindowFeature, ground: str) -> str:
    """Digest of what the values of one window feature depend on, the baseline that it is measured against included."""
    baseline = [repr(other) for other in BASELINES if other.name == feature.value_minus]
    kind = repr(EVENTS[feature.events])
    return digest.of_plain({"ground": ground, "feature": repr(feature), "baseline": baseline, "events": kind})[:32]


def _write(table: pa.Table, path: Path) -> None:
    staged = path.with_suffix(f".{os.getpid()}")
    pq.write_table(table, staged, compression="zstd")
    staged.chmod(0o600)
    staged.replace(path)
