"""Mutations of feature code that libraries of operators lack: what cleans, joins, names and windows values.

Each function takes a node of parso's tree and yields replacements of text. Calls that clean are left out (a `fillna`, a
time zone, a rounding), names are exchanged for their neighbour (`sin` for `cos`, `bisect_left` for `bisect_right`),
keys of columns and arguments of declarations for others that occur at the same place, comparisons and aggregates in
SQL as well. Values keep their type as far as possible: what any execution would notice says nothing about tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltest.probes import source_sql_mutants
from mltest.probes.syntax_nodes import (
    Replacement,
    arguments_of,
    is_attribute,
    is_key,
    is_module,
    is_prose,
    is_tuple,
    listed,
    owner_of,
)

CLEANING_METHODS = frozenset(
    (
        "fillna",
        "fill_null",
        "fill_nan",
        "dropna",
        "drop_nulls",
        "drop_duplicates",
        "clip",
        "abs",
        "round",
        "strip",
        "lower",
        "upper",
        "tz_localize",
        "tz_convert",
        "astimezone",
        "sort_values",
        "sort_by",
        "shift",
        "ffill",
        "bfill",
    )
)
CLEANING_FUNCTIONS = frozenset(
    (
        "floor",
        "ceil",
        "round",
        "abs",
        "fabs",
        "nan_to_num",
        "fill_null",
        "drop_null",
        "clip",
        "log1p",
        "expm1",
        "sqrt",
        "log",
        "exp",
        "deg2rad",
        "radians",
        "utf8_trim_whitespace",
        "utf8_lower",
        "utf8_upper",
        "strip_accents",
        "to_datetime",
    )
)
_PAIRS = (
    ("sin", "cos"),
    ("min", "max"),
    ("minimum", "maximum"),
    ("mean", "median"),
    ("nanmean", "nanmedian"),
    ("bisect_left", "bisect_right"),
    ("any", "all"),
    ("floor", "ceil"),
    ("head", "tail"),
    ("less", "less_equal"),
    ("greater", "greater_equal"),
    ("isnan", "isfinite"),
    ("is_null", "is_not_null"),
    ("isna", "notna"),
)
NEIGHBOURS: Mapping[str, str] = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
TECHNICAL_KEYWORDS = frozenset(
    ("dtype", "strict", "maxsize", "copy", "kind", "description", "doc", "name", "axis", "return_inverse")
)
"""Keyword arguments that may go without a change of any value."""


@dataclass
class Neighbourhood:
    """What else occurs in the file: keys in square brackets, and arguments by function and position."""

    keys: list[str] = field(default_factory=list)
    arguments: dict[tuple[str, object], list[str]] = field(default_factory=dict)
    attributes: dict[str, list[str]] = field(default_factory=dict)
    sql: bool = False


def neighbourhood(nodes: list[Any]) -> Neighbourhood:
    """Of all nodes of a file."""
    found = Neighbourhood()
    for node in nodes:
        found.sql = found.sql or source_sql_mutants.holds_sql(node)
        if is_key(node):
            found.keys.append(node.value)
        owner = owner_of(node)
        if owner is not None and node.value not in found.attributes.setdefault(owner, []):
            found.attributes[owner].append(node.value)
        for callee, position, argument in arguments_of(node):
            found.arguments.setdefault((callee, position), []).append(argument.get_code(include_prefix=False))
    found.keys = list(dict.fromkeys(found.keys))
    return found


def replacements(node: Any, around: Neighbourhood) -> Iterator[Replacement]:
    """Every replacement at this very node."""
    yield from _left_out(node)
    yield from _neighbours(node)
    yield from _other_keys(node, around)
    yield from _other_attributes(node, around)
    yield from _other_arguments(node, around)
    yield from _other_cells(node)
    yield from _other_members(node)
    if around.sql:
        yield from source_sql_mutants.replacements(node)


def _left_out(node: Any) -> Iterator[Replacement]:
    if node.type != "atom_expr" and node.type != "power":
        return
    children = node.children
    for place in range(1, len(children)):
        call = children[place]
        if call.type != "trailer" or call.children[0].value != "(":
            continue
        before = children[place - 1]
        name = before.children[1].value if is_attribute(before) else getattr(before, "value", "")
        arguments = listed(call.children[1]) if len(call.children) == 3 else []
        tz = name == "replace" and any(each.get_code().strip().startswith("tzinfo") for each in arguments)
        if is_attribute(before) and (name in CLEANING_METHODS or tz) and place >= 2 and not is_module(children[0]):
            yield Replacement(f"{name} left out", before.start_pos, call.end_pos, "")
        elif (
            name in CLEANING_FUNCTIONS and arguments and arguments[0].type != "argument" and place == len(children) - 1
        ):
            text = arguments[0].get_code(include_prefix=False)
            yield Replacement(f"{name} left out", node.start_pos, call.end_pos, f"({text})")


def _neighbours(node: Any) -> Iterator[Replacement]:
    if node.type != "name" or node.value not in NEIGHBOURS or node.is_definition():
        return
    parent = node.parent
    called = parent.type in ("atom_expr", "power") or is_attribute(parent)
    if called:
        yield Replacement("neighbouring function", node.start_pos, node.end_pos, NEIGHBOURS[node.value])


def _other_keys(node: Any, around: Neighbourhood) -> Iterator[Replacement]:
    if is_key(node):
        others = [key for key in around.keys if key != node.value]
        place = around.keys.index(node.value)
        for other in (others[place:] + others[:place])[:2]:
            yield Replacement("another column", node.start_pos, node.end_pos, other)


def _other_attributes(node: Any, around: Neighbourhood) -> Iterator[Replacement]:
    owner = owner_of(node)
    if owner is not None:
        others = [each for each in around.attributes[owner] if each != node.value]
        place = around.attributes[owner].index(node.value)
        for other in (others[place:] + others[:place])[:1]:
            yield Replacement("another attribute", node.start_pos, node.end_pos, other)


def _other_arguments(node: Any, around: Neighbourhood) -> Iterator[Replacement]:
    for callee, position, argument in arguments_of(node):
        whole = argument.parent if argument.parent.type == "argument" else argument
        if isinstance(position, str) and position not in TECHNICAL_KEYWORDS and not is_prose(argument):
            yield _dropped(whole)
        known = around.arguments[callee, position]
        distinct = list(dict.fromkeys(known))
        text = argument.get_code(include_prefix=False)
        named_there = position == 0 and len(distinct) == len(known) and len(listed(node.children[1])) > 1
        if len(distinct) < 2 or named_there or is_prose(argument) or position in TECHNICAL_KEYWORDS:
            continue
        others = [other for other in distinct if other != text and _kind(other) == _kind(text) != "variable"]
        for other in others[:2]:
            yield Replacement("another argument", argument.start_pos, argument.end_pos, other)


def _other_cells(node: Any) -> Iterator[Replacement]:
    """A text in one of several tuples of equal length: the one that the next tuple has in its place."""
    if node.type != "string" or node.parent.type != "testlist_comp" or is_prose(node):
        return
    row = node.parent.parent
    if row.parent.type != "testlist_comp":
        return
    place, length = node.parent.children.index(node), len(node.parent.children)
    rows = [each.children[1] for each in row.parent.children if is_tuple(each)]
    for other in rows:
        if other.type != "testlist_comp" or len(other.children) != length:
            continue
        text = other.children[place].get_code(include_prefix=False)
        if text != node.value and _kind(text) != "variable":
            yield Replacement("another entry", node.start_pos, node.end_pos, text)


def _other_members(node: Any) -> Iterator[Replacement]:
    """A text among several in a tuple, list or set: the one that follows it takes its place as well."""
    if node.type != "string" or node.parent.type not in ("testlist_comp", "dictorsetmaker") or is_prose(node):
        return
    members = [each for each in node.parent.children if getattr(each, "value", "") != ","]
    texts = [each.value for each in members if each.type == "string"]
    if len(texts) == len(members) and len(set(texts)) > 1:
        following = texts[(texts.index(node.value) + 1) % len(texts)]
        yield Replacement("another member", node.start_pos, node.end_pos, following)


def _kind(code: str) -> str:
    """Text, tuple or constant, or a variable, which need not be known elsewhere."""
    if code[0] in "\"'":
        return "text"
    return "tuple or constant" if code[0] == "(" or code.isupper() or code == "None" else "variable"


def _dropped(argument: Any) -> Replacement:
    """A keyword argument and the comma after or before it."""
    following, preceding = argument.get_next_sibling(), argument.get_previous_sibling()
    if following is not None and getattr(following, "value", "") == ",":
        return Replacement("argument left out", argument.start_pos, following.end_pos, "")
    start = argument.start_pos if preceding is None or preceding.value != "," else preceding.start_pos
    return Replacement("argument left out", start, argument.end_pos, "")
