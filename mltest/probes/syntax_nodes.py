"""Questions about nodes of parso's tree, and what a replacement of text is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Position = tuple[int, int]


@dataclass(frozen=True)
class Replacement:
    """Text between two positions (line from 1, column from 0) that gives way to another."""

    operator: str
    start: Position
    end: Position
    text: str


def arguments_of(node: Any) -> Iterator[tuple[str, object, Any]]:
    """Function, position (number or name) and node of each argument that is a text, a name or a tuple in a call."""
    if node.type != "trailer" or node.children[0].value != "(" or len(node.children) != 3:
        return
    before = node.get_previous_sibling()
    callee = before.children[1].value if is_attribute(before) else getattr(before, "value", None)
    if callee is None:
        return
    for place, argument in enumerate(listed(node.children[1])):
        named = argument.type == "argument" and argument.children[1] == "="
        value = argument.children[2] if named else argument
        if value.type in ("string", "name", "strings", "number", "arith_expr", "term", "atom_expr") or is_tuple(value):
            if named:
                yield callee, argument.children[0].value, value
            elif value.type in ("string", "name") or is_tuple(value):
                yield callee, place, value


def listed(arguments: Any) -> list[Any]:
    children = arguments.children if arguments.type == "arglist" else [arguments]
    return [child for child in children if getattr(child, "value", "") != ","]


def is_tuple(node: Any) -> bool:
    return bool(node.type == "atom" and node.children[0].value == "(")


def is_attribute(node: Any) -> bool:
    return bool(node.type == "trailer" and node.children[0].value == ".")


def is_module(node: Any) -> bool:
    return node.type == "name" and node.value in ("np", "numpy", "pd", "pc", "pa", "pl", "math", "st")


def owner_of(node: Any) -> str | None:
    """The variable of a comprehension, and what it runs over, of which the name is an attribute that is read."""
    if node.type != "name" or not is_attribute(node.parent) or node.parent.parent.children[1] is not node.parent:
        return None
    following, first = node.parent.get_next_sibling(), node.parent.parent.children[0]
    called = following is not None and following.type == "trailer" and following.children[0].value == "("
    if called or first.type != "name":
        return None
    around = node.parent
    while around is not None and around.type not in ("funcdef", "classdef", "lambdef", "file_input"):
        loop = around.children[-1]
        if loop.type in ("comp_for", "sync_comp_for"):
            parts = (loop.children[-1] if loop.type == "comp_for" else loop).children
            if parts[1].type == "name" and parts[1].value == first.value:
                return f"{first.value} in {parts[3].get_code().strip()}"
        around = around.parent
    return None


def is_key(node: Any) -> bool:
    """Whether it is a text in square brackets: the name of a column."""
    return bool(node.type == "string" and node.parent.type == "trailer" and node.parent.children[0].value == "[")


def is_prose(node: Any) -> bool:
    text = node.get_code()
    return node.type == "strings" or (node.type == "string" and re.search(r"\w \w", text) is not None)


def is_docstring(node: Any) -> bool:
    return bool(node.parent.type in ("simple_stmt", "suite", "file_input", "funcdef", "classdef"))
