"""Do the batch path and the live path hand the model the same numbers? One stretch of time, row by row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest import tables
from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import (
    live_path,
    model_inputs,
    row_keys,
    served_rows,
    skew_choice,
    skew_moment,
    skew_strata,
    skew_values,
    skew_where,
    skew_windows,
)
from mltest.probes.skew_choice import Chosen
from mltest.probes.skew_strata import Stratum
from mltest.probes.skew_values import Compared
from mltest.probes.skew_windows import Stretch
from mltest.stats.arrays import is_missing
from mltest.system import Roles, System, SystemRef

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 1_000
"""Rows asked for in each stretch of time; three stretches without a difference bound the rate at 0.1 %."""

STRETCHES: Mapping[str, int] = {"quick": 3, "standard": 3, "thorough": 6}
QUICK_S = 3.0
"""At the quick effort no further stretch is begun once they took so long: a server may need seconds to start."""

CHOICE = 2
"""How many times as many rows a stretch has to choose from."""

ANSWER_SHARE = 1e-4
"""Share of the spread of all answers by which two answers of one model to equal inputs may differ."""

ALONE = "the request is for one record alone"
TOGETHER = "the request is for several records"
CROWDED = f"the request is for more than {live_path.BATCH} records"


@dataclass(frozen=True)
class Refused:
    """Records that the server refuses though the batch path and the model answer them: how many of how many, and how.

    `where` says in words which rows they are.
    """

    rows: int
    asked: int
    where: str
    example: str


@dataclass(frozen=True)
class Passage:
    """One stretch on both paths.

    `keys` name the rows that both have; `features` and `moment` compare them, `answers` compares what was served with
    what the model says to the batch rows (None when that cannot be asked), `replies` the logged predictions with the
    answers. `asked` counts the records that were sent, `unasked` the batch rows without a record, `unmet` names the
    kinds of rows that the batch path has and no record stands for. `strangers` counts the logged rows that the batch
    path does not have, `unlogged` names the inputs that the log lacks.
    """

    stretch: Stretch
    asked: int
    keys: tuple[str, ...] = field(repr=False)
    features: tuple[Compared, ...] = field(repr=False)
    moment: Compared | None = field(repr=False)
    answers: Compared | None = field(repr=False)
    replies: Compared | None = field(repr=False)
    refused: Refused | None
    unasked: int
    unmet: tuple[str, ...]
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
    """Every stretch that the effort and, at the quick one, the time allows.

    Raises Withheld when the two paths cannot be compared.
    """
    data: Any = system.data
    roles, inputs = data.roles, model_inputs.of_system(system)
    if roles.time is None or not roles.keys:
        raise Withheld("rows cannot be found again: name `time` and `keys` in the roles", ReasonCode.PART_MISSING)
    learned, moments, zone = _history(data, roles)
    found = skew_windows.stretches(moments, CHOICE * ROWS, STRETCHES[ref.effort], zone)
    if not found:
        raise Withheld("no row of the data set has a moment", ReasonCode.TOO_LITTLE_DATA)
    raw, begun = data.raw(), time.monotonic()
    seen: list[Passage] = []
    for stretch in found:
        if seen and ref.effort == "quick" and time.monotonic() - begun > QUICK_S:
            break
        seen.append(_passage(system, ref, raw, stretch, learned, inputs))
    return tuple(seen)


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
    keys = row_keys.of_table(batch, roles.keys)
    if len(set(keys)) < len(keys):
        raise Withheld(f"the keys {', '.join(roles.keys)} do not tell the batch rows apart: name more of them")
    records = list(parts.serving.records(raw, stretch.window))
    if not records or not keys:
        raise Withheld(
            f"{len(records)} records and {len(keys)} batch rows from {_span(stretch)}: there is nothing to compare",
            ReasonCode.TOO_LITTLE_DATA,
        )
    strata = skew_strata.hard(batch, inputs, learned, str(roles.time), stretch)
    chosen = skew_choice.choose(records, batch, keys, roles.keys, strata, ROWS)
    served = live_path.serve(parts.serving, ref.workdir, stretch.window, [records[place] for place in chosen.places])
    strata = (*strata, *skew_strata.values_taken(batch, inputs))
    unasked = len(keys) - (len(records) if chosen.offered is None else int(chosen.offered.sum()))
    return _compared(system, batch, keys, inputs, served, chosen, stretch, strata, max(0, unasked))


def _compared(
    system: System,
    batch: pa.Table,
    keys: Sequence[str],
    inputs: Sequence[str],
    served: live_path.Served,
    chosen: Chosen,
    stretch: Stretch,
    strata: Sequence[Stratum],
    unasked: int,
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
    kept = served_rows.of_requests(served, chosen, keys, roles.keys, batch)
    own = list(kept.own)
    if not own:
        raise Withheld(
            f"none of the {log.num_rows} logged rows has the keys of a batch row: log {', '.join(roles.keys)}"
        )
    left, right = batch.take(own), kept.rows
    met = [Stratum(each.name, each.rows[own], each.wanted) for each in strata]
    kinds = _kinds_of_request(kept.keys, served.sizes, [keys[place] for place in own])
    replies = None
    if kept.keys is not None and "prediction" in log.column_names:
        replies = served_rows.replies(kept.keys, served.answers, [keys[place] for place in own], right)
    doubt = served_rows.doubt(system, served, kept, replies, kinds[0].rows)
    offered = chosen.offered if chosen.offered is not None else np.isin(np.arange(len(keys)), own)
    return Passage(
        stretch=stretch,
        asked=len(served.answers),
        keys=tuple(keys[place] for place in own),
        features=skew_values.compare_tables(left, right, logged),
        moment=skew_moment.compare(left, right, str(roles.time)),
        answers=None if doubt else _answers(system, left, right),
        replies=replies,
        refused=_refused(system, batch, keys, served, kept.keys, strata),
        unasked=unasked,
        unmet=skew_strata.unmet(strata, offered),
        strangers=kept.strangers,
        unlogged=tuple(name for name in inputs if name not in log.column_names),
        strata=tuple(stratum for stratum in (*met, *kinds) if stratum.rows.any()),
        controls=(served_rows.noticed_controls(batch, keys, roles.keys, served, logged), len(served.altered)),
        doubt=doubt,
    )


def _kinds_of_request(
    asked: Sequence[str] | None, sizes: Sequence[int], rows: Sequence[str]
) -> tuple[Stratum, Stratum, Stratum]:
    """How the rows with these keys were asked for: alone, with others, with many others."""
    size = dict(zip(asked or (), sizes, strict=asked is not None))
    found = np.array([size.get(key, 0) for key in rows])
    return (
        Stratum(ALONE, found == 1, 1),
        Stratum(TOGETHER, found > 1, 1),
        Stratum(CROWDED, found > live_path.BATCH, 1),
    )


def _refused(
    system: System,
    batch: pa.Table,
    keys: Sequence[str],
    served: live_path.Served,
    asked: Sequence[str] | None,
    strata: Sequence[Stratum],
) -> Refused | None:
    """What the server refuses of the rows that the batch path has and the model answers."""
    if not served.refusals:
        return None
    if asked is None:
        raise PartFailure(f"the part `serving` refused a request: {next(iter(served.refusals.values()))}")
    rows, places = row_keys.matched(keys, asked)
    errors = [served.refusals.get(place) for place in places]
    refused = np.array([error is not None for error in errors])
    if system.model is not None and refused.any():
        said = np.asarray(system.model.predict(batch.take(np.asarray(rows)[refused])))
        refused[refused] = ~is_missing(said) if said.ndim == 1 else True
    if not refused.any():
        return None
    first = int(np.flatnonzero(refused)[0])
    where = skew_where.explain(refused, [Stratum(each.name, each.rows[rows], each.wanted) for each in strata])
    return Refused(int(refused.sum()), len(rows), where, f"{errors[first]} for {keys[rows[first]]}")


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


def _require(rows: pa.Table, names: Sequence[str | None], who: str) -> None:
    lacking = [str(name) for name in names if name not in rows.column_names]
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        raise Withheld(f"{who} has no column {', '.join(lacking[:3])}{more}", ReasonCode.PART_MISSING)


def _span(stretch: Stretch) -> str:
    return " to ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in stretch.window)
