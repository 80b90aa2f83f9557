"""Places of code by name, as `mltest.FeatureCode` gives them: a file, or a definition or an entry in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mltest import extras

Position = tuple[int, int]
Range = tuple[Position, Position]


class NoSuchPlace(LookupError):  # noqa: N818 - named after what happened
    """A place that was named and is not there; the message says which."""


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A file of the tree with its syntax tree (parso, which keeps every blank)."""

    path: str
    text: str

    @cached_property
    def tree(self) -> Any:
        return extras.load("parso", "mutation").parse(self.text)

    @cached_property
    def nodes(self) -> list[Any]:
        return list(below(self.tree))

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, position: Position) -> int:
        """Characters before a position (line from 1, column from 0)."""
        return self._line_starts[position[0] - 1] + position[1]

    def line(self, number: int) -> str:
        return self.text.splitlines()[number - 1].strip()


def read(root: Path, path: str) -> SourceFile:
    """Raises NoSuchPlace when there is no such file below the root."""
    file = (root / path).resolve()
    if not file.is_file() or not file.is_relative_to(root.resolve()):
        raise NoSuchPlace(f"there is no file {path} below {root.name}")
    return SourceFile(path, file.read_text(encoding="utf-8"))


def path_of(place: str) -> str:
    return place.partition(":")[0]


def ranges(file: SourceFile, place: str) -> list[Range]:
    """Where the place begins and ends in its file. Raises NoSuchPlace."""
    name, _, text = place.partition(":")[2].partition("[")
    if not name:
        return [(file.tree.start_pos, file.tree.end_pos)]
    node = _named(file.tree, name.split("."))
    if node is None:
        raise NoSuchPlace(f"{file.path} defines no {name}")
    if not text:
        return [(node.start_pos, node.end_pos)]
    found = _smallest(file, node, text.removesuffix("]"))
    if not found:
        raise NoSuchPlace(f"no entry of {name} in {file.path} contains {text.removesuffix(']')}")
    return found


def below(node: Any) -> Iterator[Any]:
    """The node and all nodes below it, parents first: the order in which cosmic-ray counts."""
    yield node
    for child in getattr(node, "children", ()):
        yield from below(child)


def _named(scope: Any, names: list[str]) -> Any:
    for statement in _statements(scope):
        if names[0] in _defined(statement):
            return statement if len(names) == 1 else _named(statement, names[1:])
    return None


def _statements(scope: Any) -> Iterator[Any]:
    """Definitions and assignments that lie directly in a module, class or function; branches are looked through."""
    for child in scope.children:
        if child.type in ("suite", "simple_stmt", "decorated", "async_stmt", "if_stmt", "try_stmt"):
            yield from _statements(child)
        else:
            if child.type == "async_funcdef":
                child = child.children[1]
            yield child


def _defined(statement: Any) -> tuple[str, ...]:
    """Names that a definition or an assignment gives to something."""
    if statement.type in ("funcdef", "classdef"):
        return (str(statement.name.value),)
    if statement.type != "expr_stmt":
        return ()
    target = statement.children[0]
    names = target.children if target.type == "testlist_star_expr" else [target]
    return tuple(str(name.value) for name in names if name.type == "name")


def _smallest(file: SourceFile, node: Any, text: str) -> list[Range]:
    """The entries of collections that contain the text, and no smaller entry that does."""
    holding = [each for each in _entries(node) if text in file.text[file.offset(each[0]) : file.offset(each[1])]]
    return [each for each in holding if not any(_within(other, each) for other in holding if other != each)]


def _entries(node: Any) -> Iterator[Range]:
    for each in below(node):
        if each.type == "testlist_comp" and "comp_for" not in each.children[1].type:
            yield from ((c.start_pos, c.end_pos) for c in each.children if getattr(c, "value", "") != ",")
        elif each.type == "testlist_comp":
            yield each.children[0].start_pos, each.children[0].end_pos
        elif each.type == "dictorsetmaker":
            yield from _items(each.children)


def _items(children: list[Any]) -> Iterator[Range]:
    first: Any = None
    for child in children:
        if getattr(child, "value", "") == ",":
            first = None
            continue
        if first is None:
            first = child
        following = child.get_next_sibling()
        if following is None or getattr(following, "value", "") == ",":
            yield first.start_pos, child.end_pos


def _within(inner: Range, outer: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
