"""What the schema probe measures of all tables together, and how it says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import feature_encoding, schema_circularity, schema_power
from mltest.probes.fresh_rows import DATASET, Fresh
from mltest.probes.schema_power import Power

LEAST_KILLED = 0.9
LEAST_OF_ONE_INPUT = 0.5
"""Share of the damages of the values of any one input that must be refused: units change where nobody wrote a median,
but an input of which a sentinel, another sign or an unknown word pass as well is not protected at all."""
LEAST_OF_TYPES = 0.5
MOST_OF_ONE_VALUE = 0.5
MOST_REFUSED_CLEAN = 0.1
"""Share of the inputs whose clean batch may be refused before the kill ratio speaks of too few of them."""
_SHOWN = 5


@dataclass(frozen=True)
class Broken:
    """One check of one table that held in all rows or not."""

    table: str
    column: str
    check: str
    count: int
    n: int
    examples: tuple[str, ...]


def coverage(fresh: Fresh) -> tables.Coverage:
    """Inputs of which some table's schema says something that can fail, and those of which none does."""
    checked: set[str] = set()
    for schema in fresh.schemas.values():
        checked |= set(tables.coverage(schema, fresh.inputs).checked)
    return tables.Coverage(
        tuple(name for name in fresh.inputs if name in checked),
        tuple(name for name in fresh.inputs if name not in checked),
    )


def violations(fresh: Fresh) -> tuple[Broken, ...]:
    """Every check of every table that has expectations, with the values that break it."""
    found = []
    for name, table in fresh.tables.items():
        for each in tables.violations(table, fresh.schema_of(name)):
            found.append(Broken(name, each.column or "whole rows", each.check, each.count, each.n, each.examples))
    return tuple(found)


def require_content(fresh: Fresh) -> None:
    """Raises Withheld where the judged rows cannot speak: an empty column or table, or a schema read off them."""
    absent = [name for name in fresh.inputs if name in fresh.holdout.column_names and _is_empty(fresh, name)]
    if absent:
        raise Withheld(
            f"{', '.join(absent[:_SHOWN])} has no value in any held-back row: no expectation about it was tested",
            ReasonCode.TOO_LITTLE_DATA,
        )
    stuck = [name for name in fresh.inputs if _is_stuck(fresh, name)]
    if stuck:
        raise Withheld(
            f"{', '.join(stuck[:_SHOWN])} is the same in every held-back row and varied in training: no expectation "
            "about it was tested; mend the feed, or hold back rows in which it varies",
            ReasonCode.TOO_LITTLE_DATA,
        )
    hollow = [name for name, table in fresh.tables.items() if tables.row_count(table) == 0]
    if hollow:
        raise Withheld(f"the table {hollow[0]} has no rows in the held-back time", ReasonCode.TOO_LITTLE_DATA)
    schema = fresh.schemas.get(DATASET)
    if schema is not None:
        seen = schema_circularity.circularity(schema, fresh.inputs, fresh.holdout, fresh.train, fresh.validation)
        if seen.found:
            raise Withheld(
                f"{len(seen.copied)} of {len(seen.telling)} telling bounds ({', '.join(seen.copied[:_SHOWN])}) are "
                "those of the held-back rows themselves: a schema cannot be judged by the rows it was read off",
                ReasonCode.CIRCULAR,
            )


def power(fresh: Fresh) -> Power:
    """The kill ratio of the schema of the model's inputs. Raises Withheld where too little of it can be asked."""
    name = DATASET if DATASET in fresh.schemas else _richest(fresh)
    rows = fresh.holdout if name == DATASET else tables.to_arrow(fresh.raw[name])
    found = schema_power.power(fresh.schemas[name], rows, fresh.inputs, fresh.roles.keys)
    judged = [column for column in fresh.inputs if column in rows.column_names]
    if not judged or found.rate.trials == 0:
        raise Withheld(f"no input can be damaged in {name}: the inputs are not among its columns")
    if len(found.refused_clean) > MOST_REFUSED_CLEAN * len(judged):
        raise Withheld(
            f"the schema of {name} refuses even an undamaged batch of {found.batch_rows} rows, in "
            f"{', '.join(found.refused_clean[:_SHOWN])}: repair the expectation or the data first"
        )
    return found


def violations_table(broken: Sequence[Broken]) -> str:
    """JSON text of one flat object a broken check; a first line says how many hold."""
    held = sum(each.count == 0 for each in broken)
    rows: list[dict[str, object]] = [
        {"table": "all", "column": "", "check": f"{held} checks hold", "broken": 0, "examples": ""}
    ]
    rows += [
        {
            "table": each.table,
            "column": each.column,
            "check": each.check,
            "broken": each.count,
            "examples": ", ".join(each.examples),
        }
        for each in broken
        if each.count
    ]
    return json.dumps(rows)


def survivors_table(found: Power) -> str:
    """JSON text of one flat object a damage that the schema accepted."""
    return json.dumps(
        [{"column": each.column or "whole rows", "damage": each.damage} for each in found.survivors]
        or [{"column": "", "damage": f"none of {found.rate.trials} slipped through"}]
    )


def sentence(covered: tables.Coverage, broken: Sequence[Broken]) -> str:
    """What was seen, what is allowed, and what to do about it."""
    parts = []
    if covered.unchecked:
        names = ", ".join(covered.unchecked[:_SHOWN])
        parts.append(
            f"{len(covered.unchecked)} of {len(covered.unchecked) + len(covered.checked)} inputs ({names}) have no "
            "expectation that could fail, none may lack one: declare a range or a set of values"
        )
    worst = sorted((each for each in broken if each.count), key=lambda each: -each.count)
    parts += [
        f"{each.table}.{each.column} breaks '{each.check}' in {each.count} of {max(each.n, each.count)} values"
        + (f" (such as {', '.join(each.examples[:3])})" if each.examples else "")
        for each in worst[:_SHOWN]
    ]
    if worst:
        parts.append("none may: correct the data at their source, or the expectation if it is wrong")
    return "; ".join(parts)


def survivors_sentence(found: Power, limit: float) -> str:
    """What slipped through, what is allowed, and what to do about it."""
    types = found.of_types()
    bare = [each for each in found.of_columns() if each.share < LEAST_OF_ONE_INPUT]
    parts = []
    if found.rate.value is None or found.rate.value < limit:
        parts.append(f"the schema refuses {found.rate.events} of {found.rate.trials} damages, {limit:.0%} are needed")
    parts += [
        f"of {each.of} it refuses {each.refused} of {each.tried} damages of values, half are needed"
        for each in bare[:_SHOWN]
    ]
    if types is not None and types.share < LEAST_OF_TYPES:
        parts.append(
            f"it refuses {types.refused} of {types.tried} changes of type, half are needed: validate without coercing"
        )
    return f"{'; '.join(parts)}; tighten the expectations of {found.worst()}"


def _is_empty(fresh: Fresh, name: str) -> bool:
    column = fresh.holdout.column(name)
    if feature_encoding.is_category(column):
        return bool(column.null_count == len(column))
    return not np.isfinite(feature_encoding.numbers(column)).any()


def _is_stuck(fresh: Fresh, name: str) -> bool:
    """Whether a measurement that varies in the training rows has one value in all fresh ones.

    Whole numbers may be counters of the calendar, and what has mostly one value may have it for a season.
    """
    if any(name not in table.column_names for table in (fresh.holdout, fresh.train)):
        return False
    column = fresh.holdout.column(name)
    if feature_encoding.is_category(column) or feature_encoding.is_category(fresh.train.column(name)):
        return False
    now, before = (feature_encoding.numbers(table.column(name)) for table in (fresh.holdout, fresh.train))
    now, before = now[np.isfinite(now)], before[np.isfinite(before)]
    if not now.size or np.ptp(now) > 0 or not before.size or (before == np.rint(before)).all():
        return False
    counts = np.unique(before, return_counts=True)[1]
    return bool(counts.max() <= MOST_OF_ONE_VALUE * before.size)


def _richest(fresh: Fresh) -> str:
    """The raw table with expectations that has most of the inputs."""
    present = {
        name: set(fresh.schemas[name].columns) & set(fresh.inputs) for name in fresh.schemas if name in fresh.raw
    }
    if not present or not any(present.values()):
        raise Withheld(
            "no schema speaks of a table that has the model's inputs: declare one for `dataset`",
            ReasonCode.PART_MISSING,
        )
    return max(present, key=lambda name: len(present[name]))
