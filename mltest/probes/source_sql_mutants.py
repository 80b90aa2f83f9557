"""Mutations of SQL in texts: comparisons, signs, aggregates, joins and what is told apart from null."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mltest.probes.syntax_nodes import Position, Replacement, is_docstring

_SQL = re.compile(r"\b(SELECT|WHERE|GROUP BY|ORDER BY|PARTITION BY)\b")
_SQL_CHANGES: tuple[tuple[str, str], ...] = (
    (r"(?<= )>(?= )", ">="),
    (r"(?<= )>=(?= )", ">"),
    (r"(?<= )<(?= )", "<="),
    (r"(?<= )<=(?= )", "<"),
    (r"(?<=[\w)}] )\+(?= )", "-"),
    (r"(?<=[\w)}] )-(?= )", "+"),
    (r" DESC\b", ""),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bmedian\(", "avg("),
    (r"\bavg\(", "median("),
    (r"\bmax\(", "min("),
    (r"\bmin\(", "max("),
    (r"\bleast\(", "greatest("),
    (r"\bgreatest\(", "least("),
)


def holds_sql(node: Any) -> bool:
    """Whether the node is a text with a query in it, or a part of one."""
    return node.type in ("string", "fstring_string") and _SQL.search(node.value) is not None


def replacements(node: Any) -> Iterator[Replacement]:
    """Every replacement in a text of a file in which there is SQL."""
    if node.type not in ("string", "fstring_string") or is_docstring(node):
        return
    line, column = node.start_pos
    for pattern, text in _SQL_CHANGES:
        for found in re.finditer(pattern, node.value):
            yield Replacement(
                "SQL",
                _moved(node.value, line, column, found.start()),
                _moved(node.value, line, column, found.end()),
                text,
            )


def _moved(text: str, line: int, column: int, offset: int) -> Position:
    before = text[:offset]
    newlines = before.count("\n")
    return line + newlines, len(before) - before.rfind("\n") - 1 if newlines else column + offset
