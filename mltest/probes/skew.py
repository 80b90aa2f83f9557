"""Do the batch path and the live path hand the model the same numbers? One stretch of time, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import live_path, model_inputs, served_rows, skew_strata, skew_values, skew_windows
from mltest.probes.skew_strata import Stratum
from mltest.probes.skew_values import Compared
from mltest.probes.skew_windows import Stretch
from mltest.system import Roles, System, SystemRef

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 1_000
"""Rows asked for in each stretch of time; three stretches without a difference bound the rate at 0.1 %."""

STRETCHES: Mapping[str, int] = {"quick": 1, "standard": 3, "thorough": 6}
CHOICE = 2
"""How many times as many rows a stretch has to choose from."""

ANSWER_SHARE = 1e-4
"""Share of the spread of all answers by which two answers of one model to equal inputs may differ."""

ALONE = "the request is for one record alone"
TOGETHER = "the request is for several records"
NO_ROW = -1
MOMENTS = ("as_of", "at", "moment")


@dataclass(frozen=True)
class Passage:
    """One stretch on both paths.

    `keys` name the rows that both have; `features` and `moment` compare them, `answers` compares what was served with
    what the model says to the batch rows (None when that cannot be asked). `asked` counts the records that were sent,
    `strangers` the logged rows that the batch path does not have, `unlogged` the inputs that the log lacks.
    """

    stretch: Stretch
    asked: int
    keys: tuple[str, ...] = field(repr=False)
    features: tuple[Compared, ...] = field(repr=False)
    moment: Compared | None = field(repr=False)
    answers: Compared | None = field(repr=False)
    strangers: int
    unlogged: tuple[str, ...]
    strata: tuple[Stratum, ...] = field(repr=False)
    controls: tuple[int, int]
    """Altered records whose log differs from the batch rows, and altered records that the server took."""
    doubt: tuple[str, ReasonCode] | None = None
    """Why the log may not be a log of these requests to this model."""

    @property
    def different_rows(self) -> npt.NDArray[np.bool_]:
        """Which rows differ in any feature."""
        columns = [column.differs for column in self.features]
        return np.any(columns, axis=0) if columns else np.zeros(len(self.keys), dtype=np.bool_)


def passages(system: System, ref: SystemRef) -> tuple[Passage, ...]:
    """Every stretch that the effort allows. Raises Withheld when the two paths cannot be compared."""
    data: Any = system.data
    roles, inputs = data.roles, model_inputs.of_system(system)
    if roles.time is None or not roles.keys:
        raise Withheld("rows cannot be found again: name `time` and `keys` in the roles", ReasonCode.PART_MISSING)
    learned, moments, zone = _history(data, roles)
    found = skew_windows.stretches(moments, CHOICE * ROWS, STRETCHES[ref.effort], zone)
    if not found:
        raise Withheld("no row of the data set has a moment", ReasonCode.TOO_LITTLE_DATA)
    raw = data.raw()
    return tuple(_passage(system, ref, raw, stretch, learned, inputs) for stretch in found)


def _history(data: Any, roles: Roles) -> tuple[pa.Table, list[skew_windows.Moments], str | None]:
    learned, holdout = (tables.to_arrow(data.dataset(split)) for split in ("train", "holdout"))
    for rows in (learned, holdout):
        _require(rows, [roles.time], "the data set")
    column = holdout.column(roles.time)
    moments = [skew_windows.moments_of(rows.column(roles.time)) for rows in (holdout, learned)]
    return learned, moments, getattr(column.type, "tz", None)


def _passage(
    system: System,
    ref: SystemRef,
    raw: Mapping[str, Any],
    stretch: Stretch,
    learned: pa.Table,
    inputs: Sequence[str],
) -> Passage:
    parts: Any = system
    roles: Roles = parts.data.roles
    batch = tables.to_arrow(parts.features.compute(raw, stretch.window))
    _require(batch, [roles.time, *roles.keys, *inputs], "the batch path")
    keys = served_rows.keys_of(batch, roles.keys)
    if len(set(keys)) < len(keys):
        raise Withheld(f"the keys {', '.join(roles.keys)} do not tell the batch rows apart: name more of them")
    records = list(parts.serving.records(raw, stretch.window))
    if not records or not keys:
        raise Withheld(
            f"{len(records)} records and {len(keys)} batch rows from {_span(stretch)}: there is nothing to compare",
            ReasonCode.TOO_LITTLE_DATA,
        )
    strata = skew_strata.hard(batch, inputs, learned, str(roles.time), stretch)
    chosen, rows = _chosen(records, keys, roles.keys, strata)
    served = live_path.serve(parts.serving, ref.workdir, stretch.window, [records[place] for place in chosen])
    if rows is not None:
        strata = (*strata, *_kinds_of_request(rows, served.alone, len(keys)))
    return _compared(system, batch, keys, inputs, served, stretch, strata)


def _chosen(
    records: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    names: Sequence[str],
    strata: Sequence[Stratum],
) -> tuple[list[int], list[int] | None]:
    """Which records to send, and the batch row of each of them (or NO_ROW) where rows are known.

    Some records that the batch path has no row for are among them: a path that drops rows is no equal one.
    Records without keys are taken to be in the order of the batch rows where there are as many of them. If they are
    not, fewer hard rows are served; which rows were served is read from the log.
    """
    picked = skew_strata.choose(strata, len(keys), ROWS).tolist()
    if all(name in record for record in records for name in names):
        own, theirs = served_rows.matched(keys, [served_rows.key_of([r[name] for name in names]) for r in records])
        if own:
            wished = set(picked)
            chosen = {number: place for place, number in zip(own, theirs, strict=True) if place in wished}
            unknown = sorted(set(range(len(records))) - set(theirs))
            numbers = sorted([*chosen, *skew_strata.spread(unknown, skew_strata.OF_A_HARD_STRATUM)])
            return numbers, [chosen.get(number, NO_ROW) for number in numbers]
    if len(records) == len(keys):
        return picked, picked
    return skew_strata.choose((), len(records), ROWS).tolist(), None


def _kinds_of_request(rows: Sequence[int], alone: Sequence[bool], count: int) -> tuple[Stratum, Stratum]:
    single, several = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    for row, is_alone in zip(rows, alone, strict=True):
        if row != NO_ROW:
            (single if is_alone else several)[row] = True
    return Stratum(ALONE, single, 1), Stratum(TOGETHER, several, 1)


def _compared(
    system: System,
    batch: pa.Table,
    keys: Sequence[str],
    inputs: Sequence[str],
    served: live_path.Served,
    stretch: Stretch,
    strata: Sequence[Stratum],
) -> Passage:
    parts: Any = system
    roles: Roles = parts.data.roles
    log = served.log
    if log.num_rows == 0:
        raise Withheld("the request log is empty: log every request with its features", ReasonCode.TOO_LITTLE_DATA)
    _require(log, roles.keys, "the request log")
    logged = [name for name in inputs if name in log.column_names]
    if not logged:
        raise Withheld("the request log names no input of the model: log every feature as served")
    own, theirs = served_rows.matched(keys, served_rows.keys_of(log, roles.keys))
    if len(own) == 0:
        raise Withheld(
            f"none of the {log.num_rows} logged rows has the keys of a batch row: log {', '.join(roles.keys)}"
        )
    left, right = batch.take(own), log.take(theirs)
    features = skew_values.compare_tables(left, right, logged)
    moment = next((n for n in dict.fromkeys((roles.time, *MOMENTS)) if n in log.column_names), None)
    instants = _moments(left, right, str(roles.time), moment) if moment else None
    doubt = served_rows.doubt(system, served)
    met = [Stratum(each.name, each.rows[own]) for each in strata]
    met += skew_strata.values_taken(left, logged)
    return Passage(
        stretch=stretch,
        asked=len(served.answers),
        keys=tuple(keys[place] for place in own),
        features=features,
        moment=instants,
        answers=None if doubt else _answers(system, left, right),
        strangers=log.num_rows - len(theirs),
        unlogged=tuple(name for name in inputs if name not in log.column_names),
        strata=tuple(stratum for stratum in met if stratum.rows.any()),
        controls=(served_rows.noticed_controls(batch, keys, roles.keys, served, logged), served.accepted),
        doubt=doubt,
    )


def _answers(system: System, batch: pa.Table, log: pa.Table) -> Compared | None:
    """Served predictions beside those of the model to the batch rows, where both are single numbers.

    Rows that the model refuses to answer are left out, for a server answers them by another rule.
    """
    import pyarrow.types as pt

    if system.model is None or not (pt.is_floating(log["prediction"].type) or pt.is_integer(log["prediction"].type)):
        return None
    expected = np.asarray(system.model.predict(batch), dtype=np.float64)
    given = skew_values.values_of(log["prediction"]).astype(np.float64)
    if expected.ndim != 1 or (system.task != "regression" and np.array_equal(given, given.round())):
        return None
    known = np.isfinite(expected)
    spread = float(np.std(expected[known])) if known.any() else 0.0
    return skew_values.compared(
        "prediction", np.where(known, expected, np.nan), np.where(known, given, np.nan), atol=ANSWER_SHARE * spread
    )


def _moments(batch: pa.Table, log: pa.Table, time: str, moment: str) -> Compared:
    return skew_values.compared(
        moment, skew_values.values_of(batch.column(time)), skew_values.values_of(log.column(moment))
    )


def _require(rows: pa.Table, names: Sequence[str | None], who: str) -> None:
    lacking = [str(name) for name in names if name not in rows.column_names]
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        raise Withheld(f"{who} has no column {', '.join(lacking[:3])}{more}", ReasonCode.PART_MISSING)


def _span(stretch: Stretch) -> str:
    return " to ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in stretch.window)


@dataclass(frozen=True)
class Counts:
    """What all stretches together say; an `_apart` counts what differs among that which the name before it counts."""

    rows: int
    rows_apart: int
    values: int
    values_apart: int
    moments: int
    moments_apart: int
    answers: int
    answers_apart: int
    asked: int
    strangers: int
    inputs: int
    unlogged: int
    controls: int
    controls_noticed: int


def count(passages: Sequence[Passage]) -> Counts:
    """Adds up all stretches."""
    features = [column for passage in passages for column in passage.features]
    moments = [passage.moment for passage in passages if passage.moment is not None]
    answers = [passage.answers for passage in passages if passage.answers is not None]
    return Counts(
        rows=sum(len(passage.keys) for passage in passages),
        rows_apart=sum(int(passage.different_rows.sum()) for passage in passages),
        values=_size(features),
        values_apart=_apart(features),
        moments=_size(moments),
        moments_apart=_apart(moments),
        answers=_size(answers),
        answers_apart=_apart(answers),
        asked=sum(passage.asked for passage in passages),
        strangers=sum(passage.strangers for passage in passages if passage.doubt is None),
        inputs=len({name for p in passages for name in (*p.unlogged, *(column.name for column in p.features))}),
        unlogged=len({name for passage in passages for name in passage.unlogged}),
        controls=sum(passage.controls[1] for passage in passages),
        controls_noticed=sum(passage.controls[0] for passage in passages),
    )


def _size(columns: Sequence[Compared]) -> int:
    return sum(len(column.differs) for column in columns)


def _apart(columns: Sequence[Compared]) -> int:
    return sum(column.mismatches for column in columns)
