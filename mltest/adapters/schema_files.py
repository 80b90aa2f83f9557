"""pandera schemas in YAML files, read as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mltest.evidence import PartFailure
from mltest.rubric_yaml import nearest

MAX_BYTES = 1_000_000
_REMEDY = "write it with the to_yaml of pandera.io.polars_io, or by hand after its example"


_TABLE_KEYS = frozenset(
    [
        "schema_type",
        "api",
        "version",
        "columns",
        "checks",
        "index",
        "dtype",
        "coerce",
        "strict",
        "name",
        "ordered",
        "unique",
        "report_duplicates",
        "unique_column_names",
        "add_missing_columns",
        "title",
        "description",
        "metadata",
        "drop_invalid_rows",
    ]
)
_COLUMN_KEYS = frozenset(
    [
        "dtype",
        "nullable",
        "checks",
        "unique",
        "coerce",
        "required",
        "regex",
        "default",
        "report_duplicates",
        "drop_invalid_rows",
        "name",
        "title",
        "description",
        "metadata",
    ]
)


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, which can make a small file grow, and without repeated keys, of which one would win."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not read; write the value out", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                problem = f"the key {key.value!r} occurs twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(path: Path) -> Any:
    """The schema in a file. Needs the extra `schema`. Raises PartFailure, in one line, for one that cannot be used."""
    document = _document(path)
    try:
        if document.get("schema_type") in ("polars_dataframe", None):
            from pandera.io import polars_io as reader
        elif document["schema_type"] == "ibis_table":
            from pandera.io import ibis_io as reader
        elif document["schema_type"] == "dataframe":
            from pandera.io import pandas_io as reader
        else:
            raise PartFailure(f"{path.name}: schema_type {document['schema_type']!r} is not read; use polars_dataframe")
    except ImportError:
        raise PartFailure(f"{path.name}: schemas need pandera; install pytest-ml-score[schema]") from None
    _refuse_unknown_keys(document, path)
    try:
        return reader.deserialize_schema(document)
    except Exception as error:  # pandera raises whatever its own reading stumbles over
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PartFailure(f"{path.name}: is not a pandera schema ({cause}); {_REMEDY}") from None


def _refuse_unknown_keys(document: dict[str, Any], path: Path) -> None:
    """A key that pandera does not know, it passes over: a slip would leave a column without its check."""
    from pandera.api.checks import Check

    checks = set(Check.CHECK_FUNCTION_REGISTRY) | set(Check.REGISTERED_CUSTOM_CHECKS)
    tables = [("", document, _TABLE_KEYS | checks)]
    columns = document["columns"] or {}
    if not isinstance(columns, dict) or not all(isinstance(column, dict) for column in columns.values()):
        raise PartFailure(f"{path.name}: 'columns' is no mapping of names to keys; {_REMEDY}")
    tables += [(f"columns.{name}.", column, _COLUMN_KEYS | checks) for name, column in columns.items()]
    for prefix, table, known in tables:
        for key in table:
            if key not in known:
                raise PartFailure(f"{path.name}: {prefix}{key}: unknown key{nearest(str(key), known)}")


def _document(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PartFailure(f"{path.name}: is larger than 1 MB; a schema is not")
    try:
        document = yaml.load(content.decode("utf-8"), _PlainLoader)  # noqa: S506 - derived from the safe loader
    except UnicodeDecodeError:
        raise PartFailure(f"{path.name}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise PartFailure(f"{path.name}: line {line}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise PartFailure(f"{path.name}: is not YAML that can be read ({type(error).__name__})") from None
    if not isinstance(document, dict) or "columns" not in document:
        raise PartFailure(f"{path.name}: has no 'columns'; {_REMEDY}")
    return document
