"""The rows of a request log: found again by key, and trusted only if they can be nothing but those requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode
from mltest.probes import skew_values
from mltest.probes.live_path import Served
from mltest.system import System

if TYPE_CHECKING:
    import pyarrow as pa

Doubt = tuple[str, ReasonCode]


def keys_of(rows: pa.Table, names: Sequence[str]) -> list[str]:
    """One text a row from its key columns."""
    columns = [rows.column(name).to_pylist() for name in names]
    return [key_of(parts) for parts in zip(*columns, strict=True)]


def key_of(parts: Sequence[Any]) -> str:
    """One text from the values of the key columns."""
    return "|".join(str(part) for part in parts)


def matched(keys: Sequence[str], logged: Sequence[str]) -> tuple[list[int], list[int]]:
    """Positions of the pairs of rows with equal keys: among `keys`, which are unique, and among `logged`."""
    places = {key: place for place, key in enumerate(keys)}
    pairs = [(places[key], number) for number, key in enumerate(logged) if key in places]
    return [own for own, _ in pairs], [number for _, number in pairs]


def doubt(system: System, served: Served) -> Doubt | None:
    """Why the log may be another one than that of these requests to this model; None when nothing speaks for it."""
    log, asked = served.log, len(served.answers)
    lacking = [name for name in ("prediction", "version") if name not in log.column_names]
    if lacking:
        return f"the log has no {' and no '.join(lacking)}: log them with every request", ReasonCode.PART_MISSING
    if log.num_rows < asked:
        return f"the log has {log.num_rows} of {asked} requests: log every one of them", ReasonCode.TOO_LITTLE_DATA
    if log.num_rows > asked:
        more = log.num_rows - asked
        return f"the log has {more} rows that nobody asked for: it is no log of these requests", ReasonCode.CIRCULAR
    said = sorted(_number(answer.get("prediction")) for answer in served.answers)
    kept = sorted(_number(value) for value in log.column("prediction").to_pylist())
    if not np.allclose(said, kept, rtol=1e-6, atol=1e-9, equal_nan=True):
        return "the predictions in the log are not the ones that were answered: it is another log", ReasonCode.CIRCULAR
    return _of_another_version(system, served)


def noticed_controls(
    batch: pa.Table, keys: Sequence[str], names: Sequence[str], served: Served, logged: Sequence[str]
) -> int:
    """Rows that differ from the batch rows, or are no batch rows, only since altered records were sent."""
    counts: list[int] = []
    for log in (served.log, served.controls):
        own, theirs = matched(keys, keys_of(log, names))
        columns = skew_values.compare_tables(batch.take(own), log.take(theirs), logged)
        differs = np.any([column.differs for column in columns], axis=0)
        counts.append(int(differs.sum()) + log.num_rows - len(theirs))
    return max(0, counts[1] - counts[0])


def _of_another_version(system: System, served: Served) -> Doubt | None:
    logged = {str(value) for value in served.log.column("version").to_pylist()}
    answered = {str(answer["version"]) for answer in served.answers if "version" in answer}
    expected = logged if system.model is None else {str(system.model.metadata.version)}
    if len(logged) == 1 and logged == expected and answered == logged:
        return None
    told = f"the answers are of version {_list(answered)}, the log of {_list(logged)}, the model is {_list(expected)}"
    return f"{told}: compare one version with itself", ReasonCode.STALE


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
