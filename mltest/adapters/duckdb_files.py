"""Tables in files, read by a DuckDB that can reach one folder and nothing else.

Parquet and CSV are read as they are: a CSV row that does not fit its header is an error with its line, never left
out; only an empty field is null, so that 'NA' or '007' stay what they were; names are opaque.
"""

from __future__ import annotations

import csv
import gzip
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast
from uuid import uuid4

from mltest.evidence import PartFailure

MAX_COLUMNS = 10_000
MAX_HEADER = 1_000_000
_PARQUET_MAGIC = b"PAR1"
_CSV_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_DELIMITERS = (",", ";", "\t", "|")


def connect(folder: Path, workdir: Path, memory: str = "2GB") -> Any:
    """An Ibis connection to a DuckDB that reads files below `folder`, spills to `workdir`, and reaches no further."""
    import ibis

    connection = ibis.duckdb.connect()
    spill = workdir / "duckdb-spill"
    for statement in (
        f"SET memory_limit = {_quoted(memory)}",
        f"SET temp_directory = {_quoted(str(spill))}",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        f"SET allowed_directories = [{_quoted(str(folder.resolve()))}, {_quoted(str(spill))}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.raw_sql(statement)
    return connection


def table(connection: Any, files: Sequence[Path]) -> Any:
    """The rows of all files together, as an Ibis table. Raises PartFailure, in one line, for what cannot be read."""
    names = [str(path) for path in files]
    shown = files[0].name
    if _is_parquet(files[0]):
        columns = _parquet_columns(files[0])
        _refuse_ambiguous(columns, shown)
        read = _attempt(connection.read_parquet, files, names)
    else:
        delimiter, columns = _csv_header(files[0])
        _refuse_ambiguous(columns, shown)
        read = _attempt(partial(_parsed, connection), files, names, **_strict(delimiter))
    if list(read.columns) != columns:
        raise PartFailure(
            f"{shown}: its columns are read as {list(read.columns)[:5]}, not as named; rename them plainly"
        )
    return read


def _parsed(connection: Any, names: list[str], **options: Any) -> Any:
    """All rows, parsed once: an error is then found here, and a second query need not parse again."""
    return connection.create_table(f"csv_{uuid4().hex}", connection.read_csv(names, **options))


def _strict(delimiter: str) -> dict[str, Any]:
    return {
        "header": True,
        "skip": 0,
        "delim": delimiter,
        "quote": '"',
        "escape": '"',
        "nullstr": "",
        "sample_size": -1,
        "strict_mode": True,
        "ignore_errors": False,
        "null_padding": False,
    }


def _attempt(read: Any, files: Sequence[Path], names: list[str], **options: Any) -> Any:
    import duckdb

    try:
        return read(names, **options)
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        where = next((place for place in map(_misfit, files) if place), "") if options else ""
        raise PartFailure(f"{files[0].name}: cannot be read as a table: {where or first}") from None


def _is_parquet(path: Path) -> bool:
    with _opened(path) as file:
        starts: bool = file.read(4) == _PARQUET_MAGIC
    named = path.suffix in (".parquet", ".pq")
    if named and not starts:
        raise PartFailure(f"{path.name}: is not a parquet file, whatever its name says; write it again")
    if not named and not starts and not path.name.endswith(_CSV_ENDINGS):
        raise PartFailure(f"{path.name}: tables are read from parquet or {', '.join(_CSV_ENDINGS)}; convert it")
    return starts


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise PartFailure(f"{path.name}: cannot be read ({error.strerror})") from None


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        return list(parquet.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise PartFailure(f"{path.name}: is a broken parquet file: {str(error).splitlines()[0]}") from None


def _csv_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _csv_header(path: Path) -> tuple[str, list[str]]:
    """The delimiter that occurs most often in the first line, and the names that it separates."""
    try:
        with _csv_text(path) as file:
            line = file.readline(MAX_HEADER)
    except (OSError, EOFError, UnicodeDecodeError):
        raise PartFailure(f"{path.name}: is not UTF-8 text; save the table as UTF-8 or as parquet") from None
    if not line.strip() or "\0" in line:
        raise PartFailure(f"{path.name}: has no header line; name the columns in its first line")
    delimiter = max(_DELIMITERS, key=line.count)
    return delimiter, next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))


def _misfit(path: Path) -> str:
    """Where a CSV file stops being one: the first line whose fields are not as many as the header's."""
    delimiter, columns = _csv_header(path)
    try:
        with _csv_text(path) as file:
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            for row in rows:
                if row and len(row) != len(columns):
                    return f"{path.name}, line {rows.line_num}: {len(row)} fields, the header has {len(columns)}"
    except csv.Error as error:
        return f"{path.name}, line {rows.line_num}: {error}"
    except UnicodeDecodeError:
        return f"{path.name}, line {rows.line_num + 1} or soon after: not UTF-8 text; save the table as UTF-8"
    return ""


def _refuse_ambiguous(columns: Sequence[str], shown: str) -> None:
    if len(columns) > MAX_COLUMNS:
        raise PartFailure(f"{shown}: has {len(columns)} columns, at most {MAX_COLUMNS} are read")
    folded = Counter(unicodedata.normalize("NFC", name).casefold() for name in columns)
    for name in columns:
        if not name.strip():
            raise PartFailure(f"{shown}: a column has no name; name it in the header")
        if folded[unicodedata.normalize("NFC", name).casefold()] > 1:
            raise PartFailure(f"{shown}: the column name {name!r} occurs twice (case does not count); rename one")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
