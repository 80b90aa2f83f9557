"""How often a table breaks its pandera schema.

pandera is the language here, and not the engine: with failing rows it collects every failing cell. The checks that it
has built in are compiled into one query that counts, so memory does not grow with the rows; a second query fetches
two examples of what was counted. Only checks that somebody wrote are run by pandera, on the rows themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from mltest.tables import builtin_checks, column_types, custom_checks
from mltest.tables.coverage import as_schema, columns_for
from mltest.tables.outcome import ColumnViolations
from mltest.tables.profiles import present
from mltest.tables.rows import as_ibis

_EXAMPLE_LENGTH = 80


@dataclass(frozen=True)
class _Rule:
    """A check in the engine's words: what to count, among how many, and of which values to show the extremes.

    `least` is 1 for what concerns a column as such: it is broken even where there are no rows.
    """

    column: str | None
    check: str
    count: Any
    n: Any
    broken: Any = None
    values: Any = None
    least: int = 0


@dataclass
class _Plan:
    """Rules to count, and checks that pandera has to run itself, each with its column (None: the whole table)."""

    rules: list[_Rule] = field(default_factory=list)
    custom: list[tuple[str | None, Any]] = field(default_factory=list)


def violations(table: Any, schema: Any, columns: Collection[str] | None = None) -> tuple[ColumnViolations, ...]:
    """Every check of the schema with the number of rows that break it, zero included.

    With `columns` only the checks of these columns and those of the table as a whole, which is quicker.

    `n` counts what a check looked at: where it is 0 (no rows, nothing but nulls), the check has not looked and says
    nothing. A column that is missing or of another type counts as broken in every row, and at least once. Raises
    TypeError for something that is no schema.
    """
    plain = as_schema(schema)
    if not hasattr(plain, "columns") or not hasattr(plain, "checks"):
        raise TypeError(f"{type(schema).__name__} is no pandera schema of a table")
    source = as_ibis(table)
    plan = _planned(source, plain, columns)
    counted = _counted(source, plan.rules)
    return (*counted, *custom_checks.run(source, plain, plan.custom))


def _planned(source: Any, schema: Any, wanted: Collection[str] | None) -> _Plan:
    plan = _Plan()
    rows = source.count()
    for key, column in schema.columns.items():
        found = _named(source, key, column)
        names = [name for name in found if wanted is None or name in wanted]
        if not found and column.required and (wanted is None or key in wanted):
            plan.rules.append(_Rule(str(key), "present", rows, rows, least=1))
        for name in names:
            _plan_column(plan, source[name], rows, column, bool(schema.coerce))
    plan.rules += _table_rules(source, schema, rows)
    plan.custom += [(None, check) for check in schema.checks or ()]
    return plan


def _named(source: Any, key: Any, column: Any) -> list[str]:
    if not getattr(column, "regex", False):
        return [key] if key in source.columns else []
    return [name for name in source.columns if re.match(key, name)]


@dataclass(frozen=True)
class _Values:
    """A column of which NaN is no value: its name, what it holds, and where that is NaN (None: it cannot be).

    Rows with NaN are counted and left out. To turn them into nulls first, as is simpler, takes an engine as long as
    all checks of the column together.
    """

    name: str
    held: Any
    nan: Any | None = None

    @property
    def count(self) -> Any:
        return self.held.count() if self.nan is None else self.held.count() - self.nan.sum().coalesce(0)

    @property
    def known(self) -> Any:
        return self.held.notnull() if self.nan is None else self.held.notnull() & ~self.nan


def _plan_column(plan: _Plan, found: Any, rows: Any, column: Any, coerce: bool) -> None:
    name, asked = found.get_name(), column_types.wanted(column)
    values = _Values(name, found, found.isnan() if found.type().is_floating() else None)
    if asked is not None and not column_types.fits(found.type(), asked):
        if coerce or column.coerce:
            converted = present(present(found).try_cast(asked))
            plan.rules.append(_rule(f"coerces to {asked}", values.known & converted.isnull(), values))
            values = _Values(name, converted)
        else:
            plan.rules.append(_Rule(name, f"type {asked}", rows, rows, least=1))
    elif asked is not None:
        plan.rules.append(_Rule(name, f"type {asked}", 0, rows))
    elif column.dtype is not None:
        plan.custom.append((name, column))
    if not column.nullable:
        plan.rules.append(_Rule(name, "not null", rows - values.count, rows))
    if column.unique:
        told_apart = present(values.held)
        repeated = told_apart.count() - told_apart.nunique()
        plan.rules.append(_Rule(name, "unique", repeated, told_apart.count(), "repeated", told_apart))
    for check in column.checks or ():
        rule = _compiled(check, values)
        plan.rules += [rule] if rule else []
        plan.custom += [] if rule else [(name, check)]


def _compiled(check: Any, values: _Values) -> _Rule | None:
    from ibis.common.exceptions import IbisError

    try:
        holds = builtin_checks.compiled(check, values.held)
    except (TypeError, ValueError, IbisError):
        holds = False
    if holds is None:
        return None
    if holds is False:
        return _Rule(values.name, builtin_checks.label(check), values.count, values.count, least=1)
    broken = _broken_where_known(check, values, holds) if check.ignore_na else ~(values.known & holds)
    return _rule(builtin_checks.label(check), broken, values)


def _broken_where_known(check: Any, values: _Values, holds: Any) -> Any:
    """Null for null, which no sum counts; but whether null is in a set an engine may well answer."""
    if check.name in ("isin", "notin"):
        return values.known & ~holds
    return ~holds if values.nan is None else ~holds & ~values.nan


def _rule(label: str, broken: Any, values: _Values) -> _Rule:
    return _Rule(values.name, label, broken.sum(), values.count, broken, values.held)


def _table_rules(source: Any, schema: Any, rows: Any) -> Iterator[_Rule]:
    names = list(source.columns)
    if schema.strict is True:
        for name in names:
            if not columns_for(schema, name):
                yield _Rule(name, "expected", rows, rows, least=1)
    if schema.ordered:
        declared = [name for name in schema.columns if name in names]
        seen = [name for name in names if name in declared]
        yield _Rule(None, "in order", 0, rows) if seen == declared else _Rule(None, "in order", rows, rows, least=1)
    unique = schema.unique or []
    unique = [unique] if isinstance(unique, str) else list(unique)
    if unique and set(unique) <= set(names):
        import ibis

        together = ibis.struct({f"k{number}": source[name] for number, name in enumerate(unique)})
        yield _Rule(None, f"unique({', '.join(unique)})", rows - together.nunique(), rows)
    if getattr(schema, "index", None) is not None:
        yield _Rule(None, "index", 0, 0)


def _counted(source: Any, rules: list[_Rule]) -> tuple[ColumnViolations, ...]:
    """Counts everything in one query; what several rules need, such as the rows, is asked for once."""
    asked: dict[Any, str] = {}
    for part in (part for rule in rules for part in (rule.count, rule.n) if not isinstance(part, int)):
        asked.setdefault(part.op(), f"m{len(asked)}")
    measures = {name: operation.to_expr() for operation, name in asked.items()}
    row = source.aggregate(**measures).to_pyarrow().to_pylist()[0] if measures else {}

    def answer(part: Any) -> int:
        return part if isinstance(part, int) else int(row[asked[part.op()]] or 0)

    counts = [max(answer(rule.count), rule.least) for rule in rules]
    examples = _examples(source, [rule for rule, count in zip(rules, counts, strict=True) if count])
    return tuple(
        ColumnViolations(rule.column, rule.check, count, answer(rule.n), examples.get(id(rule), ()))
        for rule, count in zip(rules, counts, strict=True)
    )


def _examples(source: Any, broken: list[_Rule]) -> dict[int, tuple[str, ...]]:
    """The least and the greatest of the values that break a rule: bounded, and the same in every run."""
    shown = {id(rule): _repeated(rule) for rule in broken if isinstance(rule.broken, str)}
    ranged = [rule for rule in broken if rule.values is not None and not isinstance(rule.broken, str)]
    if not ranged:
        return shown
    wrong = source.select(**{f"w{i}": rule.broken.ifelse(rule.values, None) for i, rule in enumerate(ranged)})
    expressions = {f"l{i}": wrong[f"w{i}"].min().cast("string") for i in range(len(ranged))}
    expressions |= {f"g{i}": wrong[f"w{i}"].max().cast("string") for i in range(len(ranged))}
    row = wrong.aggregate(**expressions).to_pyarrow().to_pylist()[0]
    for i, rule in enumerate(ranged):
        shown[id(rule)] = _texts([row[f"l{i}"], row[f"g{i}"]])
    return shown


def _repeated(rule: _Rule) -> tuple[str, ...]:
    values = rule.values.name("value").as_table()
    counted = values.group_by("value").aggregate(rows=values.count())
    repeated = counted.filter((counted.rows > 1) & counted.value.notnull()).order_by("value").limit(2)
    return _texts(repeated.select("value").to_pyarrow()["value"].to_pylist())


def _texts(values: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value)[:_EXAMPLE_LENGTH] for value in values if value is not None))
