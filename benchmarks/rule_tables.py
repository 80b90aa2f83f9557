"""A table of 25 columns on disk, the rules that hold on it, and the same rules in everybody's own words.

Written by DuckDB from hashes of the row number, so that every run on every machine has the same rows. In the dirty
table five columns break their rule in every row: two measurements, a count, a category and a code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS = ("amber", "blue", "coral", "denim", "ebony")
CODE = "^[A-Z]{2}[0-9]{4}$"
LONGEST_NOTE = 24
MEASUREMENTS, COUNTS, CATEGORIES, CODES = 12, 4, 3, 2
DIRTY = ("measurement_0", "measurement_1", "count_0", "category_0", "code_0")


@dataclass(frozen=True)
class Rule:
    """What must hold in a column: a range, a set, a pattern, a greatest length, or that no value occurs twice."""

    column: str
    kind: str
    allowed: tuple[Any, ...] = ()


def rules() -> Iterator[Rule]:
    """One for each of the 25 columns; nulls are allowed in none of them."""
    yield Rule("key", "unique")
    yield from (Rule(f"measurement_{n}", "range", (0.0, 100.0)) for n in range(MEASUREMENTS))
    yield from (Rule(f"count_{n}", "range", (0, 1_000)) for n in range(COUNTS))
    yield from (Rule(f"category_{n}", "set", WORDS) for n in range(CATEGORIES))
    yield from (Rule(f"code_{n}", "pattern", (CODE,)) for n in range(CODES))
    yield Rule("note", "length", (LONGEST_NOTE,))
    yield Rule("second", "range", (1_357_000_000, 1_400_000_000))
    yield Rule("flag", "range", (0, 1))


def write(path: Path, rows: int, *, dirty: bool) -> None:
    """Writes the table as parquet."""
    import duckdb

    columns = ",\n".join(f"{_value(rule, dirty)} AS {rule.column}" for rule in rules())
    with duckdb.connect() as database:
        database.execute("SET preserve_insertion_order = false; SET memory_limit = '2GB'")
        database.execute(f"COPY (SELECT {columns} FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)")


def _value(rule: Rule, dirty: bool) -> str:
    broken = dirty and rule.column in DIRTY
    drawn = f"(hash(i, '{rule.column}') % 1000000)::BIGINT"
    if rule.kind == "unique":
        return "i"
    if rule.kind == "set":
        word = f"CASE {drawn} % 5 " + " ".join(f"WHEN {n} THEN '{word}'" for n, word in enumerate(WORDS)) + " END"
        return f"upper({word})" if broken else word
    if rule.kind == "pattern":
        letters = f"chr((65 + {drawn} % 26)::INT) || chr((65 + {drawn} // 26 % 26)::INT)"
        code = f"{letters} || lpad(({drawn} // 676)::VARCHAR, 4, '0')"
        return f"lower({code})" if broken else code
    if rule.kind == "length":
        return f"'note ' || {drawn}"
    low, high = rule.allowed
    if isinstance(low, float):
        return f"{drawn} / 10000.0::DOUBLE + {200 if broken else 0}"
    return f"{low} + {drawn} % {high - low + 1} + {high + 1 if broken else 0}"


def query(path: Path) -> str:
    """One hand-written query that counts the violations of every rule, a missing value being one of its own."""
    counted = []
    for rule in rules():
        name = rule.column
        missing = f"{name} IS NULL"
        if rule.kind == "unique":
            counted.append(f"count({name}) - count(DISTINCT {name})")
        elif rule.kind == "set":
            counted.append(f"count_if({name} NOT IN ({', '.join(map(repr, rule.allowed))}))")
        elif rule.kind == "pattern":
            counted.append(f"count_if(NOT regexp_matches({name}, '{rule.allowed[0]}'))")
        elif rule.kind == "length":
            counted.append(f"count_if(length({name}) > {rule.allowed[0]})")
        else:
            counted.append(f"count_if(NOT {name} BETWEEN {rule.allowed[0]} AND {rule.allowed[1]})")
            missing += f" OR isnan({name})" if isinstance(rule.allowed[0], float) else ""
        counted.append(f"count_if({missing})")
    return f"SELECT {', '.join(counted)} FROM '{path}'"


def schema(pandera: Any) -> Any:
    """The rules as a schema of `pandera.pandas` or `pandera.polars`, whichever module is given."""
    check = pandera.Check

    def checks(rule: Rule) -> list[Any]:
        if rule.kind == "set":
            return [check.isin(list(rule.allowed))]
        if rule.kind == "pattern":
            return [check.str_matches(rule.allowed[0])]
        if rule.kind == "length":
            return [check.str_length(max_value=rule.allowed[0])]
        return [] if rule.kind == "unique" else [check.in_range(*rule.allowed)]

    return pandera.DataFrameSchema(
        {rule.column: pandera.Column(None, checks(rule), unique=rule.kind == "unique") for rule in rules()}
    )
