"""What the travels in time and the changed columns showed: measurements, sentences and a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mltest.evidence import Evidence, ReasonCode, Withheld
from mltest.offers import governance
from mltest.offers.governance import Governance
from mltest.probes import (
    declared_influence,
    feature_moves,
    forbidden_fields,
    model_influence,
    time_travel,
    travel_moments,
)
from mltest.probes.declared_influence import Followed
from mltest.probes.forbidden_fields import Barred
from mltest.probes.governed_rows import GovernedRows
from mltest.probes.model_influence import Influence
from mltest.probes.row_sample import evenly
from mltest.probes.scrambling import flat
from mltest.probes.time_travel import Compute, Present, Travel
from mltest.system import RawColumn, System, SystemRef
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST_COMPARED = 50
"""Rows over all moments whose features must be comparable."""

FEWEST_OPEN = 29
"""Rows whose outcome must have been open: a leak in one row of ten then shows with a probability of 95 %."""

MOST_UNLIKE = 0.01
"""Share of the judged rows in which an input of the data set may differ from the computed one."""

ALIKE = 3_000
"""Rows beside the judged ones that are compared between data set and computed features."""

_BARRED_MOMENTS = 2


@dataclass(frozen=True, eq=False)
class Travels:
    """All travels, what followed forbidden columns, and inputs of the data set that are not the computed ones.

    `barred` is why forbidden columns could not be tried, where they could not; `repeatable` whether the same raw rows
    gave the same features a second time, which is looked at where something moved; `declared` is the positive control.
    """

    each: tuple[Travel, ...]
    barred: Barred | Withheld
    declared: Followed
    unlike: tuple[str, ...]
    repeatable: bool

    @property
    def followed(self) -> Mapping[str, tuple[RawColumn, ...]]:
        """The forbidden columns that each input followed."""
        return {} if isinstance(self.barred, Withheld) else self.barred.followed

    @property
    def compared(self) -> int:
        return sum(travel.rows for travel in self.each)

    @property
    def open(self) -> int:
        """Judged rows whose target followed the future: their outcome was not known yet."""
        return _open(self.each)

    @property
    def moved(self) -> dict[str, tuple[Travel, ...]]:
        """The travels in which each input followed the future."""
        found: dict[str, list[Travel]] = {}
        for travel in self.each:
            for name in travel.moved:
                found.setdefault(name, []).append(travel)
        return {name: tuple(travels) for name, travels in found.items()}


def travels(system: System, ref: SystemRef, rows: GovernedRows) -> Travels:
    """Visits the moments of an effort level. Raises Withheld where keys, time or outcome are not named."""
    data, features, roles, found = system.data, system.features, rows.roles, governance.of(system)
    if data is None or features is None:
        raise Withheld("data and features are needed", ReasonCode.PART_MISSING)
    for role, named in {"keys": roles.keys, "time": roles.time, "outcome": roles.outcome}.items():
        if not named:
            raise Withheld(
                f"the roles name no {role}: without it no row can be followed through time", ReasonCode.PART_MISSING
            )
    tables = {name: to_arrow(table) for name, table in data.raw().items()}
    instants = travel_moments.microseconds(rows.table.column(str(roles.time)))
    learned = travel_moments.microseconds(rows.train.column(str(roles.time)))
    moments = travel_moments.choose(instants, int(learned.max()) if len(learned) else None, ref.effort, ref.seed)
    random = np.random.default_rng(ref.seed)
    each: list[Travel] = []
    for moment in moments:
        if len(each) >= travel_moments.MOMENTS[ref.effort] and _open(each) >= FEWEST_OPEN:
            break
        present = time_travel.visit(moment, rows, data, features.compute, tables)
        each.append(time_travel.travel(present, rows, features.compute, random))
    presents = [travel.present for travel in each]
    barred: Barred | Withheld
    try:
        barred = forbidden_fields.barred(presents[:_BARRED_MOMENTS], rows, found, features.compute, random)
    except Withheld as withheld:
        barred = withheld
    unlike = _unlike(rows, each, to_arrow(features.compute(tables)))
    declared = _declared(presents[:_BARRED_MOMENTS], rows, found, features.compute, random)
    seen = Travels(tuple(each), barred, declared, unlike, repeatable=True)
    return (
        replace(seen, repeatable=_is_repeatable(seen, rows, features.compute)) if seen.moved or seen.followed else seen
    )


def _declared(
    presents: Sequence[Present], rows: GovernedRows, found: Governance, compute: Compute, random: np.random.Generator
) -> Followed:
    """The positive control at the first moment, and where an input stayed, at the second as well."""
    seen = declared_influence.followed(presents[0], rows, found, compute, random)
    for present in presents[1:] if seen.inert else ():
        again = declared_influence.followed(present, rows, found, compute, random)
        seen = Followed(seen.tried, tuple(name for name in seen.inert if name in again.inert))
    return seen


def _open(each: Sequence[Travel]) -> int:
    return sum(travel.open for travel in each)


def _is_repeatable(seen: Travels, rows: GovernedRows, compute: Compute) -> bool:
    present = next((travel.present for travel in seen.each if travel.moved), seen.each[0].present)
    again = time_travel.computed(compute, present.tables, present.moment, rows)
    return not rows.moves(present.features, again).moved


def record(evidence: Evidence, seen: Travels, inputs: int) -> None:
    """Measures everything; nothing may move at all."""
    measure = evidence.measure
    measure("inputs_that_follow_the_future", len(seen.moved), limit=0, n=inputs, unit="inputs")
    if not isinstance(seen.barred, Withheld):
        measure("inputs_that_follow_a_forbidden_column", len(seen.followed), limit=0, n=inputs, unit="inputs")
        measure("forbidden_cells_replaced", seen.barred.cells, n=seen.barred.columns, unit="cells")
    measure("moments_travelled_to", len(seen.each), unit="moments")
    measure("rows_compared", seen.compared, n=len(seen.each), unit="rows")
    measure("rows_with_an_open_outcome", seen.open, n=seen.compared, unit="rows")
    measure("inputs_that_follow_their_source", len(seen.declared.tried), n=inputs, unit="inputs")
    measure("future_cells_replaced", sum(travel.cells for travel in seen.each), unit="cells")
    evidence.attach("travels in time", table(seen))


def sentence(seen: Travels) -> str:
    """What was seen, what was allowed and what to do, of everything that moved."""
    said = []
    for name, travelled in list(seen.moved.items())[:4]:
        rows = sum(len(travel.moved[name]) for travel in travelled)
        said.append(
            f"{name} follows the future in {rows} rows before {travelled[0].present.moment.name} and "
            f"{len(travelled) - 1} other moments"
        )
    if seen.moved:
        more = f" and {len(seen.moved) - 4} more inputs" if len(seen.moved) > 4 else ""
        said[-1] += f"{more}, none may: join only what was known at the moment of prediction, backward in time"
    for name, columns in list(seen.followed.items())[:4]:
        which = ", ".join(f"{column.table}.{column.column}" for column in columns)
        said.append(f"{name} follows {which}, which the policy forbids: compute it without, whatever it is called")
    return "; ".join(said)


def sentence_of_model(influence: Influence) -> str:
    """The same of the model."""
    said = []
    if influence.read:
        said.append(
            f"answers of the model follow {', '.join(influence.read[:5])}, which it does not name as inputs: let the "
            "artefact name all that it reads, and give each an entry"
        )
    said += [
        f"the input {name} says what the barred column {column} says in every row: train without it"
        for name, column in influence.repeated[:5]
    ]
    return "; ".join(said)


def doubt_about_model(influence: Influence) -> str | None:
    """Why influence on the model was not tried, or None."""
    if not influence.steady:
        return "the model answers the same rows otherwise a second time, so that nothing shows what it reads: seed it"
    if not influence.answers_move:
        return "no answer moves when every input is replaced: the model reads something else; name its inputs"
    return None


def doubt(seen: Travels, rows: GovernedRows) -> str | None:
    """Why the travels show nothing, or None. Raises what stood in the way of trying forbidden columns."""
    if not seen.repeatable:
        return "the same raw rows give other features a second time, so that nothing shows what moves them: seed them"
    if seen.compared < FEWEST_COMPARED:
        return (
            f"{seen.compared} rows could be compared over all moments, {FEWEST_COMPARED} are needed: compute features "
            "of rows whose outcome is not known yet, under the keys of the data set"
        )
    idle = [travel.present.moment.name for travel in seen.each if not travel.cells]
    if idle:
        return f"no cell of the future could be replaced at {idle[0]}: raw tables need values that vary"
    if seen.declared.inert or not seen.declared.tried:
        return (
            f"{', '.join(seen.declared.inert[:4]) or 'no input that varies'} follows none of the columns that the "
            "catalogue declares as its source, so that staying still shows nothing: declare what it is made from, and "
            "compute it from the tables that are handed over"
        )
    outcome = rows.roles.outcome
    if outcome is not None and (seen.open < FEWEST_OPEN or not any(t.outcomes for t in seen.each)):
        return (
            f"the outcome {outcome.table}.{outcome.column} of {seen.open} judged rows was open at its moment, "
            f"{FEWEST_OPEN} are needed: let data.raw(window) leave out outcomes that were not known when it "
            "ended, so that a feature made from them would show"
        )
    told = _told_too_early(seen, outcome) if outcome is not None else ()
    if told:
        return (
            f"data.raw(window) keeps {', '.join(told[:4])}, which say what the outcome says, too early: let it "
            "leave out whatever becomes known with the outcome"
        )
    unknown = time_travel.unseen(seen.each, rows.inputs)
    if unknown:
        return f"{', '.join(unknown[:4])} had no value in any judged row: compute every input from the raw tables"
    if isinstance(seen.barred, Withheld):
        raise seen.barred
    if not seen.barred.cells or not seen.barred.rows:
        return "no row was left to compare, or no cell to replace, in forbidden columns: they need values that vary"
    if seen.unlike:
        return (
            f"{', '.join(seen.unlike[:4])} differ between the data set and what features.compute gives for the same "
            "rows: learn from the features that are computed, or what was tried is not what the model reads"
        )
    return None


def _told_too_early(seen: Travels, outcome: RawColumn) -> tuple[str, ...]:
    """Columns beside the outcome that repeat it and were there when it was not."""
    import pyarrow as pa

    found: list[str] = []
    for travel in seen.each:
        future = travel.present.futures[outcome.table]
        cells = future.cells.get(outcome.column)
        if cells is None:
            continue
        rows = travel.present.tables[outcome.table]
        known = [n for n in rows.column_names if n != outcome.column and not (future.of(n) & cells).any()]
        found += model_influence.copies(rows.filter(pa.array(cells)), outcome.column, known)
    return tuple(dict.fromkeys(found))


def table(seen: Travels) -> str:
    """One row a moment, as JSON."""
    return json.dumps(
        [
            {
                "moment": travel.present.moment.name,
                "rows compared": travel.rows,
                "open outcomes": travel.open,
                "future cells replaced": travel.cells,
                "raw tables": "whole" if travel.present.whole else "days around and some elsewhere",
                "inputs that moved": ", ".join(travel.moved) or "none",
            }
            for travel in seen.each
        ]
    )


def _unlike(rows: GovernedRows, each: Sequence[Travel], computed: pa.Table) -> tuple[str, ...]:
    """Inputs that differ between data set and computed features in more of the judged rows than chance explains."""
    import pyarrow as pa
    import pyarrow.compute as pc

    key, windows = rows.roles.keys[0], [travel.present.moment.window for travel in each]
    chosen = [rows.between(*windows).column(key), evenly(rows.table, ALIKE).column(key)]
    wanted = pa.concat_arrays([flat(column) for column in chosen])
    learned = rows.table.filter(pc.is_in(rows.table.column(key), wanted))
    computed = computed.filter(pc.is_in(computed.column(key), wanted.cast(computed.schema.field(key).type)))
    found = feature_moves.between(learned, computed, rows.roles.keys, rows.inputs, rows.roles.target)
    if not found.rows:
        return ("the keys of all rows",)
    return tuple(name for name, keys in found.inputs.items() if len(keys) > MOST_UNLIKE * found.rows)
