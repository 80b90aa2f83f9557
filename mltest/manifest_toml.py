"""Reading the TOML of a manifest, and saying in one line what is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mltest.rubric_yaml import nearest

MAX_BYTES = 1_000_000
PYPROJECT = "pyproject.toml"
OWN = "mltest.toml"
_QUOTED = re.compile("'([^']+)'")
_WORDS = {"a list": "a valid tuple", "a table": "a valid dictionary", "text": "a valid string"}
_UNION_BRANCHES = frozenset({"str", "int", "float", "bool", "date", "datetime", "list", "dict"})


class ManifestError(ValueError):
    """A manifest that cannot be used. The message is one line: `file: key: what was found; the remedy`.

    Attributes: `path` of the file, `key` (dotted, empty for the file as a whole) and `problem`.
    """

    def __init__(self, path: Path, key: str, problem: str) -> None:
        self.path, self.key, self.problem = path, key, problem
        line = ": ".join(part for part in (str(path), key, problem) if part)
        super().__init__(" ".join(_printable(line).split()))


def read(path: Path) -> tuple[Mapping[str, Any], bytes]:
    """The keys of a manifest and the bytes that they were read from.

    In pyproject.toml they are the table `[tool.mltest]`, elsewhere the whole file. Raises ManifestError.
    """
    content = _bytes(path)
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(path, "", f"line {line} is not UTF-8 text; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(path, "", f"is not valid TOML: {error}; correct that place") from None
    except RecursionError:
        raise ManifestError(path, "", "is nested too deeply; a manifest needs three levels") from None
    if path.name != PYPROJECT:
        return document, content
    table = table_of(document)
    if table is None:
        raise ManifestError(path, "tool.mltest", f"there is no such table; add [tool.mltest] or write {OWN}")
    return table, content


def table_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table `[tool.mltest]` of a pyproject.toml, if it has one."""
    tool = document.get("tool")
    table = tool.get("mltest") if isinstance(tool, Mapping) else None
    return table if isinstance(table, Mapping) else None


def offers_table(path: Path) -> bool:
    """Whether a pyproject.toml has `[tool.mltest]`, or something in its place; one that is broken does not."""
    try:
        tool = tomllib.loads(path.read_bytes().decode("utf-8")).get("tool")
        return isinstance(tool, Mapping) and "mltest" in tool
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return False


def problem_of(path: Path, model: type[BaseModel], error: ValidationError) -> ManifestError:
    """One problem that validation found, worded for the person who wrote the file.

    An unknown key comes first: it is often the reason why another one is missing.
    """
    found = error.errors(include_url=False)
    first = min(found, key=lambda one: one["type"] != "extra_forbidden")
    location = tuple(part for part in first["loc"] if not (isinstance(part, str) and part in _UNION_BRANCHES))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    prefix = ("tool", "mltest") if path.name == PYPROJECT else ()
    key = _dotted((*prefix, *location))
    return ManifestError(path, key, _worded(model, location, first) + more)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(path, "", f"cannot be read ({error.strerror}); name an existing file") from None
    if len(content) > MAX_BYTES:
        raise ManifestError(path, "", "is larger than 1 MB; a manifest names files and does not hold data")
    return content


def _worded(model: type[BaseModel], location: tuple[int | str, ...], error: Any) -> str:
    kind, given = error["type"], _shown(error.get("input"))
    if kind == "extra_forbidden":
        known = tuple(_fields(_model_at(model, location[:-1])))
        return f"unknown key{nearest(str(location[-1]), known)}; allowed are {', '.join(known)}"
    if kind == "missing":
        return "this key is missing; add it"
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        close = nearest(str(error["input"]), _QUOTED.findall(expected))
        return f"is {given}{close}; it can be {expected}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    wanted = str(error["msg"]).replace("Input should be", "it should be")
    for ours, theirs in _WORDS.items():
        wanted = wanted.replace(theirs, ours)
    return f"is {given}, {wanted[:1].lower()}{wanted[1:]}"


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that validates the table at a location: the type that its field names, whatever it is wrapped in."""
    for part in location:
        if isinstance(part, int):
            continue
        nested = _model_in(_fields(model).get(part))
        if nested is None:
            break
        model = nested
    return model


def _fields(model: type[BaseModel]) -> Mapping[str, Any]:
    """The type of each key, under the name that it has in the file."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next((model for model in map(_model_in, inner) if model is not None), None)


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
