"""The rows that a model learns from and is judged on, in order of time, and the inputs that its artefact reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import feature_moves, model_inputs, travel_moments
from mltest.probes.direction import OPPOSITE, correlation
from mltest.probes.feature_moves import Moves
from mltest.probes.judged_targets import JudgedTargets
from mltest.probes.row_digests import row_digests, share_repeated, share_seen
from mltest.system import Roles, System, Window
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SEEN = 0.5
"""Share of the held-back rows that may be training rows before the two are the same rows."""


@dataclass(frozen=True, eq=False)
class GovernedRows:
    """Training and held-back rows. `table` has both, with keys, inputs and (where there is one) the time."""

    roles: Roles
    inputs: tuple[str, ...]
    train: pa.Table
    holdout: pa.Table
    table: pa.Table

    def moves(self, before: pa.Table, after: pa.Table) -> Moves:
        """How inputs and target of the same rows differ between two tables of features."""
        return feature_moves.between(before, after, self.roles.keys, self.inputs, self.roles.target)

    def between(self, *windows: Window) -> pa.Table:
        """The rows whose moment lies in one of the windows."""
        return self.of_table(self.table, *windows)

    def of_table(self, table: pa.Table, *windows: Window) -> pa.Table:
        """The same of another table with these columns; all of it where it has no moments."""
        import pyarrow as pa

        name = str(self.roles.time)
        if name not in table.column_names:
            return table
        table = table.filter(table.column(name).is_valid())
        instants = travel_moments.microseconds(table.column(name))
        chosen = np.zeros(len(instants), dtype=bool)
        for window in windows:
            begin, end = (round(moment.timestamp() * 1e6) for moment in window)
            chosen |= (instants >= begin) & (instants < end)
        return table.filter(pa.array(chosen))


def read(system: System) -> GovernedRows:
    """Reads both splits. Raises Withheld where they are the same rows, or older or newer than the artefact."""
    data, model = system.data, system.model
    if data is None or model is None:
        raise Withheld("data and a model are needed", ReasonCode.PART_MISSING)
    roles = data.roles
    inputs = tuple(str(name) for name in model.metadata.inputs) or model_inputs.of_system(system)
    train, holdout = to_arrow(data.dataset("train")), to_arrow(data.dataset("holdout"))
    _require_columns(train, holdout, roles, inputs)
    _require_rows(holdout)
    _require_apart(train, holdout, (*(roles.keys or inputs), roles.target))
    _require_current(holdout, roles, model.metadata.trained_until)
    names = list(dict.fromkeys((*roles.keys, *((roles.time,) if roles.time else ()), *inputs)))
    table = _together([train, *_validation(data), holdout], names)
    if roles.time is not None:
        table = table.filter(table.column(roles.time).is_valid())
    return GovernedRows(roles, inputs, train, holdout, table)


def contradiction(answers: Any, judged: JudgedTargets) -> str | None:
    """The sentence that says that a model's answers run against the outcomes, or None."""
    given = np.asarray(answers)
    agreement = correlation(given, judged.truth) if given.shape == judged.truth.shape else None
    if given.dtype.kind != "f" or not np.isfinite(given.astype(np.float64)).any():
        return (
            "the model gives no numbers for the held-back rows, so that nothing shows what it reads: mend its answers"
        )
    if agreement is not None and agreement < OPPOSITE:
        return (
            f"the model's answers run against the outcomes (correlation {agreement:.2f}), so that it is not the model "
            "of this catalogue: check the sign of its answers"
        )
    return None


def _require_columns(train: pa.Table, holdout: pa.Table, roles: Roles, inputs: Sequence[str]) -> None:
    wanted = (roles.target, *roles.keys, *((roles.time,) if roles.time else ()), *inputs)
    for split, rows in (("training", train), ("held-back", holdout)):
        absent = [name for name in wanted if name not in rows.column_names]
        if absent:
            raise Withheld(
                f"the {split} rows have no column {', '.join(absent[:4])}, which the artefact reads or the roles name: "
                "offer the rows that the model was made from",
                ReasonCode.PART_MISSING,
            )


def _require_rows(holdout: pa.Table) -> None:
    if holdout.num_rows < travel_moments.FEWEST_ROWS:
        raise Withheld(
            f"{holdout.num_rows} held-back rows, {travel_moments.FEWEST_ROWS} are needed: hold more rows back",
            ReasonCode.TOO_LITTLE_DATA,
        )


def _require_apart(train: pa.Table, holdout: pa.Table, names: Sequence[str]) -> None:
    ours, theirs = row_digests(train, names), row_digests(holdout, names)
    seen = share_seen(theirs, ours)
    if seen > MOST_SEEN and share_repeated(ours, len(theirs)) < MOST_SEEN:
        raise Withheld(
            f"{seen:.0%} of the held-back rows are training rows: nothing is later than what was learnt; hold other "
            "rows back",
            ReasonCode.CIRCULAR,
        )


def _require_current(holdout: pa.Table, roles: Roles, trained_until: datetime | None) -> None:
    """A model from after the newest row, or from after today, is not the one that these rows are about."""
    if trained_until is None:
        return
    until = trained_until if trained_until.tzinfo else trained_until.replace(tzinfo=UTC)
    newest = datetime.now(UTC)
    if roles.time is not None:
        instants = travel_moments.microseconds(holdout.column(roles.time))
        newest = datetime.fromtimestamp(instants.max() / 1e6, UTC) if len(instants) else newest
    if until > newest:
        raise Withheld(
            f"the model was trained until {until:%Y-%m-%d %H:%M}, the newest row is of {newest:%Y-%m-%d %H:%M}: offer "
            "the rows that it was made from",
            ReasonCode.STALE,
        )


def _validation(data: Any) -> list[pa.Table]:
    try:
        return [to_arrow(data.dataset("validation"))]
    except (KeyError, Withheld):
        return []


def _together(tables: Sequence[pa.Table], names: list[str]) -> pa.Table:
    import pyarrow as pa

    kept = [table.select(names) for table in tables if set(names) <= set(table.column_names)]
    return pa.concat_tables(kept, promote_options="permissive")
