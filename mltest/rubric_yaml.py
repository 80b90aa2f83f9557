"""YAML as rubric files may use it, with the line of every value.

One document of UTF-8 text, at most 1 MB, without aliases, anchors, tags of its own or repeated keys: what a person
reads in the file is then all there is, and a hostile file cannot grow in memory. PyYAML's safe parser does the
reading; nothing in the file is ever called.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_MESSAGE = 500
_CORE = "tag:yaml.org,2002:"


class Node(Protocol):
    """A node as PyYAML composes it; `id` is scalar, sequence or mapping."""

    id: str
    tag: str
    value: Any
    start_mark: Any


class RubricError(ValueError):
    """A rubric file that cannot be used. The message is one line: `file:line: key: what is wrong; the remedy`.

    Attributes: `path` of the file, `line` (from 1, 0 for the file as a whole) and `key` (empty for the whole).
    """

    def __init__(self, path: Path, line: int, key: str, problem: str) -> None:
        self.path, self.line, self.key, self.problem = path, line, key, problem
        place = f"{path}:{line}" if line else str(path)
        super().__init__(": ".join(_one_line(part) for part in (place, key, problem) if part))


def nearest(word: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no known word is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True)
class Block:
    """One mapping of the file. `name` says in messages which one; all readers raise `RubricError`."""

    path: Path
    name: str
    line: int
    entries: Mapping[str, Node]

    def error(self, key: str, problem: str) -> RubricError:
        """An error at the line of `key`, or of the block when the key is absent."""
        node = self.entries.get(key)
        where = f"{self.name}.{key}" if self.name and key else self.name or key
        return RubricError(self.path, _line(node) if node is not None else self.line, where, problem)

    def expect(self, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Refuses keys that are not known and demands those that are required."""
        known = (*required, *optional)
        for key in self.entries:
            if key not in known:
                raise self.error(key, f"unknown key{nearest(key, known)}; allowed are {', '.join(known)}")
        for key in required:
            if key not in self.entries:
                raise self.error("", f"the key {key!r} is missing; add it")

    def text(self, key: str, default: str = "") -> str:
        """A text without surrounding space; an empty one is refused, an absent one is the default."""
        node = self.entries.get(key)
        return default if node is None else self._text(key, node)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of different texts, or nothing."""
        node = self.entries.get(key)
        if node is None:
            return ()
        if node.id != "sequence":
            raise self.error(key, "is not a list; write it as [one, another]")
        found = tuple(self._text(key, entry) for entry in node.value)
        for position, word in enumerate(found):
            if word in found[:position]:
                raise self.error(key, f"{word!r} stands in the list twice; drop one")
        return found

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """One of the allowed texts."""
        word = self.text(key)
        if word not in allowed:
            raise self.error(key, f"{word!r} is not allowed{nearest(word, allowed)}; write one of {', '.join(allowed)}")
        return word

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """A list of allowed texts, or nothing."""
        words = self.texts(key)
        for word in words:
            if word not in allowed:
                raise self.error(
                    key, f"{word!r} is not allowed{nearest(word, allowed)}; choose from {', '.join(allowed)}"
                )
        return words

    def number(self, key: str) -> float:
        """A finite number."""
        node = self.entries[key]
        if node.tag in (f"{_CORE}int", f"{_CORE}float"):
            try:
                value = float(node.value)
            except ValueError:
                value = math.nan
            if math.isfinite(value):
                return value
        raise self.error(key, f"{_shown(node)} is not a finite decimal number; write one such as 3 or 0.5")

    def whole(self, key: str) -> int:
        """A whole number."""
        value = self.number(key)
        if not value.is_integer():
            raise self.error(key, f"{value:g} is not a whole number; write one such as 1")
        return int(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """true or false."""
        node = self.entries.get(key)
        if node is None:
            return default
        if node.tag != f"{_CORE}bool" or node.value.lower() not in ("true", "false"):
            raise self.error(key, f"{_shown(node)} is neither true nor false; write one of them")
        return str(node.value).lower() == "true"

    def is_text(self, key: str) -> bool:
        """Whether the value is a single one rather than a mapping or a list."""
        return self.entries[key].id == "scalar"

    def block(self, key: str) -> Block:
        """The mapping under a key; an absent one is an empty mapping."""
        node = self.entries.get(key)
        name = f"{self.name}.{key}" if self.name else key
        return Block(self.path, name, self.line, {}) if node is None else _block(self.path, name, node)

    def blocks(self, key: str) -> Iterator[Block]:
        """The mappings of a list that must not be empty, named by their `id` where they have one."""
        node = self.entries[key]
        if node.id != "sequence" or not node.value:
            raise self.error(key, "is not a list with at least one entry; write one entry a dash")
        for position, entry in enumerate(node.value):
            block = _block(self.path, f"{key}[{position}]", entry)
            identity = block.entries.get("id")
            named = identity is not None and identity.id == "scalar" and identity.value
            yield Block(self.path, str(named), block.line, block.entries) if named else block

    def _text(self, key: str, node: Node) -> str:
        if node.tag != f"{_CORE}str" or node.id != "scalar":
            raise self.error(key, f"{_shown(node)} is not a text; put it in quotes")
        text = str(node.value).strip()
        if not text:
            raise self.error(key, "is empty; write a text or drop the key")
        if not all(letter.isprintable() or letter == "\n" for letter in text):
            raise self.error(key, "holds a control character; write printable text")
        return text


def read(path: Path) -> tuple[Block, bytes]:
    """The mapping at the top of the file, and the bytes that it was read from.

    Raises `RubricError` for a file that is missing, too large, not UTF-8, not YAML or not within the rules above.
    """
    content = _content(path)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RubricError(path, line, "", "is not UTF-8 text; save it in that encoding") from None
    root = _compose(path, text)
    if root is None:
        raise RubricError(path, 0, "", "is empty; a rubric needs at least id, sections and items")
    return _block(path, "", root), content


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RubricError(path, 0, "", f"cannot be read ({error.strerror}); check the path") from None
    if len(content) > MAX_BYTES:
        raise RubricError(path, 0, "", f"is larger than {MAX_BYTES:,} bytes; a rubric is text for people, shorten it")
    return content


def _compose(path: Path, text: str) -> Node | None:
    import yaml

    try:
        root: Any = _strict_loader(path)(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        began = f" in what begins at line {error.context_mark.line + 1}" if error.context_mark else ""
        problem = f"is not YAML{began}: {' '.join(str(error.problem or error.context).split())}; correct it"
        raise RubricError(path, mark.line + 1 if mark else 0, "", problem) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        letter = f"U+{int(error.character):04X}"
        raise RubricError(path, line, "", f"holds the character {letter}; write printable text") from None
    except yaml.YAMLError as error:
        raise RubricError(path, 0, "", f"is not YAML: {' '.join(str(error).split())}; correct it") from None
    composed: Node | None = root
    return composed


def _strict_loader(path: Path) -> Any:
    import yaml

    class StrictLoader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            line = event.start_mark.line + 1
            tag = getattr(event, "tag", None)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise RubricError(path, line, "", "uses an alias or anchor (& or *); write the value out")
            if tag is not None:
                raise RubricError(path, line, "", f"uses the tag {tag!r}; drop it and write a plain value")
            if self.depth >= MAX_DEPTH:
                raise RubricError(path, line, "", f"is nested deeper than {MAX_DEPTH} levels; flatten it")
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return StrictLoader


def _block(path: Path, name: str, node: Node) -> Block:
    if node.id != "mapping":
        raise RubricError(path, _line(node), name, f"{_shown(node)} is not a mapping; write it as key: value")
    entries: dict[str, Node] = {}
    for key, value in node.value:
        if key.tag != f"{_CORE}str" or key.id != "scalar":
            raise RubricError(path, _line(key), name, f"the key {_shown(key)} is not a text; put it in quotes")
        if key.value in entries:
            raise RubricError(path, _line(key), name, f"the key {key.value!r} stands here twice; drop one")
        entries[key.value] = value
    return Block(path, name, _line(node), entries)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(node: Node) -> str:
    """The value as a message may quote it: short, on one line."""
    return repr(str(node.value)[:40]) if node.id == "scalar" else f"a {node.id}"


def _one_line(text: str) -> str:
    """Text that cannot break a line of a log or steer a terminal, and is not longer than a person reads."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= MAX_MESSAGE else f"{plain[:MAX_MESSAGE]}..."
