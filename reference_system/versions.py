"""Versions of the training data in Delta Lake, with time travel."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from reference_system import digest

FOLDER = "training_data"
DIGEST_KEY = "content_sha256"


def commit(home: Path, table: pa.Table) -> int:
    """Writes the table as the next version below `home` and returns its number; unchanged content keeps its number."""
    from deltalake import CommitProperties, DeltaTable, write_deltalake

    path = home / FOLDER
    content = digest.of_table(table)
    if DeltaTable.is_deltatable(str(path)):
        latest = DeltaTable(path)
        if latest.history(1)[0].get(DIGEST_KEY) == content:
            return int(latest.version())
    path.mkdir(parents=True, exist_ok=True)
    properties = CommitProperties(custom_metadata={DIGEST_KEY: content})
    write_deltalake(path, table, mode="overwrite", schema_mode="overwrite", commit_properties=properties)
    return int(DeltaTable(path).version())


def read(home: Path, version: int) -> pa.Table:
    """The table as it was in a version. Raises KeyError when there is none of that number."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    path = home / FOLDER
    try:
        return pa.table(DeltaTable(path, version=version).to_pyarrow_table())
    except (DeltaError, FileNotFoundError) as error:
        raise KeyError(f"{path} has no version {version}") from error
