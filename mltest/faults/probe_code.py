"""A digest of the code that a verdict comes from: what was counted of a probe holds for this very code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
MEASURING = ("mltest.probes", "mltest.stats", "mltest.tables", "mltest.evidence")
"""Packages whose code decides what a probe measures and what verdict follows."""


def digest_of(suite: Path, *others: Path) -> str:
    """16 hexadecimal figures for a suite, everything it imports, directly or not, of what measures, and `others`.

    Comments, docstrings and layout do not count.
    """
    running = hashlib.sha256()
    for name, path in sorted({**_closure(suite), **{path.stem: path for path in others}}.items()):
        running.update(f"{name}\n{''.join(_said(_without_docstrings(_tree(path))))}\n".encode())
    return running.hexdigest()[:16]


def _closure(suite: Path) -> dict[str, Path]:
    found, pending = {suite.stem: suite}, [suite]
    while pending:
        for name in _imported(_tree(pending.pop())):
            path = _measuring(name)
            if path is not None and name not in found:
                found[name] = path
                pending.append(path)
    return found


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _measuring(name: str) -> Path | None:
    if not name.startswith(MEASURING):
        return None
    place = PACKAGE.joinpath(*name.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(getattr(statement.value, "value", None), str)


def _said(node: Any) -> Iterator[str]:
    """Plain text of a tree that does not change with the version of Python: fields that say nothing are left out."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if value is not None and value != []:
                yield f" {name}="
                yield from _said(value)
        yield ")"
    elif isinstance(node, list):
        for each in node:
            yield from _said(each)
    else:
        yield repr(node)
