"""Mutants of the code of a feature: cosmic-ray's operators and our own, in memory.

Left alone are texts that only people read, types, decorators, and what `raise` and logging say; a change that leaves
the meaning as it was (the same abstract syntax) or that does not compile is no mutant.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mltest import extras
from mltest.probes import source_places, source_text_mutants
from mltest.probes.source_places import Position, Range, SourceFile
from mltest.probes.syntax_nodes import Replacement

_COSMIC = (
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_FloorDiv",
    "ReplaceBinaryOperator_Pow_Mul",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_Invert",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "NumberReplacer",
)
"""Operators that keep the type of a value: `a << b` in place of `a + b` would be noticed by any execution."""
_ASIDE = ("tfpdef", "decorator", "decorators", "raise_stmt", "assert_stmt", "import_from", "import_name")


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one file: the line as it is and as it becomes, and the whole mutated text."""

    path: str
    line: int
    operator: str
    before: str
    after: str
    text: str

    def says(self) -> str:
        return f"{self.path}:{self.line} `{self.before}` -> `{self.after}`"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A mutant that can be made: where, by what, and how."""

    file: SourceFile
    operator: str
    position: Position
    number: int
    make: Callable[[], str]

    @property
    def key(self) -> tuple[str, str, Position, int]:
        """Equal for the same change of the same file."""
        return self.file.path, self.operator, self.position, self.number

    def mutant(self) -> Mutant | None:
        """The mutant; None when it does not compile or means the same."""
        text = self.make()
        try:
            changed = ast.dump(ast.parse(text))
            compile(text, self.file.path, "exec")
        except (SyntaxError, ValueError):
            return None
        if changed == _meaning(self.file.text):
            return None
        line = _first_difference(self.file.text, text)
        before, after = (each.splitlines()[line - 1].strip() for each in (self.file.text, text))
        return Mutant(self.file.path, line, self.operator, before, after, text)


def candidates(file: SourceFile, place: str) -> list[Candidate]:
    """Everything that can be mutated at a place of the file, in order of the text. Raises NoSuchPlace."""
    wanted = source_places.ranges(file, place)
    return [each for each in _of_file(file) if any(_inside(each.position, part) for part in wanted)]


@lru_cache(maxsize=64)
def _of_file(file: SourceFile) -> list[Candidate]:
    found = [*_cosmic(file), *_textual(file)]
    return sorted(found, key=lambda each: (each.position, each.operator, each.number))


def _cosmic(file: SourceFile) -> Iterator[Candidate]:
    provider = extras.load("cosmic_ray.operators.provider", "mutation").OperatorProvider()
    for name in _COSMIC:
        operator, occurrence = provider[name](), 0
        for node in file.nodes:
            for number, (start, _) in enumerate(operator.mutation_positions(node)):
                if not _is_aside(node):
                    yield Candidate(file, name, start, number, _applied(file, name, occurrence))
                occurrence += 1


def _applied(file: SourceFile, name: str, occurrence: int) -> Callable[[], str]:
    def make() -> str:
        mutating = extras.load("cosmic_ray.mutating", "mutation")
        provider = extras.load("cosmic_ray.operators.provider", "mutation").OperatorProvider()
        return mutating.mutate_code(file.text, provider[name](), occurrence) or file.text

    return make


def _textual(file: SourceFile) -> Iterator[Candidate]:
    around = source_text_mutants.neighbourhood(file.nodes)
    for node in file.nodes:
        if _is_aside(node):
            continue
        for number, each in enumerate(source_text_mutants.replacements(node, around)):
            yield Candidate(file, each.operator, each.start, number, _replaced(file, each))


def _replaced(file: SourceFile, change: Replacement) -> Callable[[], str]:
    start, end = file.offset(change.start), file.offset(change.end)
    return lambda: file.text[:start] + change.text + file.text[end:]


def _is_aside(node: Any) -> bool:
    below = None
    if node.type == "operator" and node.parent.type == "parameters":  # the bare star before keyword-only parameters
        return True
    while node is not None:
        if node.type == "annassign" and below is node.children[1]:
            return True
        if node.type in _ASIDE or (node.type == "atom_expr" and _logs(node)) or _is_technical(node):
            return True
        below, node = node, node.parent
    return False


def _is_technical(node: Any) -> bool:
    """Whether it is an argument that may be another without a change of any value."""
    named = node.type == "argument" and node.children[1] == "="
    return bool(named and node.children[0].value in source_text_mutants.TECHNICAL_KEYWORDS)


def _logs(node: Any) -> bool:
    first = getattr(node.children[0], "value", "")
    return first in ("print", "warnings", "log", "logger", "logging", "_log", "LOG")


def _inside(position: Position, part: Range) -> bool:
    return part[0] <= position < part[1]


@lru_cache(maxsize=64)
def _meaning(text: str) -> str:
    return ast.dump(ast.parse(text))


def _first_difference(before: str, after: str) -> int:
    """Number of the first line that differs, from 1."""
    lines, others = before.splitlines(), after.splitlines()
    shared = min(len(lines), len(others))
    return next((place for place in range(shared) if lines[place] != others[place]), max(0, shared - 1)) + 1
