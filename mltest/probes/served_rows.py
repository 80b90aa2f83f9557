"""The rows of a request log: trusted only if they can be nothing but those requests, and paired with their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest.evidence import ReasonCode
from mltest.probes import row_keys, skew_values
from mltest.probes.live_path import Served
from mltest.probes.skew_choice import Chosen
from mltest.probes.skew_values import Compared
from mltest.system import System

if TYPE_CHECKING:
    import pyarrow as pa

BoolArray = npt.NDArray[np.bool_]
Doubt = tuple[str, ReasonCode]

COARSE = 0.05
"""Share of the spread of all predictions above which a rounded one may be that of another record."""

AGREES = 0.5
"""Share of the requests for one record from which on a log that agrees with their answers is a log of them."""


@dataclass(frozen=True)
class Logged:
    """What a log has of the records that were answered; rows that nobody asked for are left out.

    `rows` are those that the batch path has too, as many as `own`, which says which batch row each of them is.
    `keys` are those of the records in the order of the answers, None where nobody knows them. `missing` counts answered
    records that are not logged, `strangers` logged ones that the batch path does not have.
    """

    rows: pa.Table = field(repr=False)
    own: tuple[int, ...] = field(repr=False)
    keys: tuple[str, ...] | None = field(repr=False)
    missing: int
    strangers: int


def of_requests(served: Served, chosen: Chosen, keys: Sequence[str], names: Sequence[str], batch: pa.Table) -> Logged:
    """Finds the answered records in the log, `keys` being those of the batch rows."""
    found, answered = row_keys.of_table(served.log, names, batch), served.answered
    asked = chosen.keys
    if asked is None and len(answered) == len(found) == len(served.answers) and _in_order(served):
        asked = tuple(found)
    wanted = {key for key, answer in zip(asked or (), served.answers, strict=asked is not None) if answer is not None}
    ours = list(range(len(found))) if asked is None else [n for n, key in enumerate(found) if key in wanted]
    own, theirs = row_keys.matched(keys, [found[number] for number in ours])
    missing = max(0, len(answered) - len(found)) if asked is None else len(wanted - set(found))
    strangers = len(ours) - len(theirs)
    if asked is not None and not chosen.sent:
        # Only the server names the rows: one that it names otherwise is both missing and unknown.
        strangers += min(missing, len(set(found) - set(keys)))
        missing -= min(missing, strangers)
    return Logged(served.log.take([ours[number] for number in theirs]), tuple(own), asked, missing, strangers)


def doubt(system: System, served: Served, logged: Logged, said: Compared | None, alone: BoolArray) -> Doubt | None:
    """Why the log may be another one than that of these requests to this model; None when nothing speaks for it.

    `said` are logged and answered predictions of the same records, None where nobody can say which belong together,
    and `alone` tells which of these were requests of their own.
    """
    asked = len(served.answered)
    lacking = [name for name in ("prediction", "version") if name not in served.log.column_names]
    if lacking:
        return f"the log has no {' and no '.join(lacking)}: log them with every request", ReasonCode.PART_MISSING
    if logged.missing:
        there = asked - logged.missing
        return f"the log has {there} of {asked} requests: log every one of them", ReasonCode.TOO_LITTLE_DATA
    if said is None:
        told = "nobody can say which logged row belongs to which answer: send the keys with every record"
        return told, ReasonCode.PART_MISSING
    single = said.differs[alone]
    if (single.mean() if single.size else said.differs.mean()) > 1.0 - AGREES:
        return "the predictions in the log are not the ones that were answered: it is another log", ReasonCode.CIRCULAR
    return _of_another_version(system, served.answered, logged.rows)


def replies(
    keys: Sequence[str], answers: Sequence[Mapping[str, Any] | None], logged: Sequence[str], log: pa.Table
) -> Compared:
    """The logged predictions beside the answers to the records with the same keys, for each of the `logged` keys.

    A record that was asked several times has several answers: one of them must have been logged. A decimal place that
    one of the two sides rounds to is no difference, unless it is coarse beside the spread of all predictions.
    """
    given: dict[str, list[Any]] = {}
    for key, answer in zip(keys, answers, strict=True):
        if answer is not None:
            given.setdefault(key, []).append(answer.get("prediction"))
    kept = log.column("prediction").to_pylist()
    said = [given[key][0] for key in logged]
    atol = min(max(_place(kept), _place(said)), COARSE * _spread(kept)) * 0.5
    said = [
        next((answer for answer in given[key] if _same(own, answer, atol)), given[key][0])
        for key, own in zip(logged, kept, strict=True)
    ]
    differs = np.array([not _same(own, answer, atol) for own, answer in zip(kept, said, strict=True)], dtype=np.bool_)
    return Compared("answer", _column(kept), _column(said), differs, float("nan"), sides=("logged", "answered"))


def noticed_controls(
    batch: pa.Table, keys: Sequence[str], names: Sequence[str], served: Served, logged: Sequence[str]
) -> int:
    """Rows that differ from the batch rows, or are no batch rows, only since altered records were sent."""
    sent = row_keys.of_records(served.altered, names, batch) if served.altered else None
    known = set(keys)
    differing: list[int] = []
    others: list[set[str]] = []
    for log in (served.log, served.controls):
        found = row_keys.of_table(log, names, batch)
        own, theirs = row_keys.matched(keys, found)
        columns = skew_values.compare_tables(batch.take(own), log.take(theirs), logged)
        differing.append(int(np.any([column.differs for column in columns], axis=0).sum()))
        others.append({key for key in found if key not in known and (sent is None or key in sent)})
    return max(0, differing[1] - differing[0]) + len(others[1] - others[0])


def _of_another_version(system: System, answered: Sequence[Mapping[str, Any]], log: pa.Table) -> Doubt | None:
    logged = {str(value) for value in log.column("version").to_pylist()}
    said = {str(answer["version"]) for answer in answered if "version" in answer}
    expected = logged if system.model is None else {str(system.model.metadata.version)}
    if len(logged) == 1 and logged == expected and said == logged:
        return None
    told = f"the answers are of version {_list(said)}, the log of {_list(logged)}, the model is {_list(expected)}"
    return f"{told}: compare one version with itself", ReasonCode.STALE


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _in_order(served: Served) -> bool:
    """Whether the predictions in the log are the answers, one by one."""
    if "prediction" not in served.log.column_names:
        return False
    kept = served.log.column("prediction").to_pylist()
    return all(_same(own, said.get("prediction")) for own, said in zip(kept, served.answered, strict=True))


def _same(logged: Any, answered: Any, atol: float = 0.0) -> bool:
    if isinstance(logged, Number | None) and isinstance(answered, Number | None):
        return bool(np.isclose(_float(logged), _float(answered), rtol=1e-6, atol=1e-9 + atol, equal_nan=True))
    if isinstance(logged, list | tuple) and isinstance(answered, list | tuple):
        return len(logged) == len(answered) and all(map(_same, logged, answered))
    return str(logged) == str(answered)


def _place(values: Sequence[Any]) -> float:
    """The unit of the last decimal place that the numbers have, 0 where they are not rounded."""
    numbers = _numbers(values)
    rounded = (10.0**-places for places in range(7) if np.allclose(numbers, numbers.round(places), rtol=0, atol=1e-12))
    return next(rounded, 0.0)


def _spread(values: Sequence[Any]) -> float:
    numbers = _numbers(values)
    return float(numbers.std()) if numbers.size else 0.0


def _numbers(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    numbers = np.array([_float(value) for value in values if isinstance(value, Number)], dtype=np.float64)
    return numbers[np.isfinite(numbers)]


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _column(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
