"""The part `data` over tables in files: what a manifest names under `[data]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltest import manifest_catalogue, manifest_paths
from mltest.adapters import duckdb_files, schema_files
from mltest.evidence import PartFailure
from mltest.rubric_yaml import nearest
from mltest.system import Roles, Split, Window

if TYPE_CHECKING:
    from mltest.manifest import Manifest
    from mltest.manifest_keys import DataKeys
    from mltest.offers.governance import Governance

_TABLE_OF: Mapping[Split, str] = {"train": "training", "validation": "validation", "holdout": "holdout"}
_LISTS = ("inputs", "keys", "groups", "slices")
_SINGLE = ("target", "time", "block")


def from_manifest(manifest: Manifest, workdir: Path) -> FileData:
    """The data of a manifest. Nothing is opened before it is asked for."""
    if manifest.data is None:
        raise ValueError("the manifest has no [data]")
    return FileData(manifest.root, manifest.data, workdir)


@dataclass
class FileData:
    """Rows to learn from and rows to judge by, in files below one folder.

    A split that the manifest does not name raises KeyError; what cannot be read, or lacks its target, raises
    PartFailure. Another column that is missing in a later table is for the schema to find: it is left out.
    """

    root: Path
    keys: DataKeys
    workdir: Path

    @cached_property
    def roles(self) -> Roles:
        """What the columns mean. Inputs are all columns of the training table without another role, if none are named.

        Raises PartFailure where the training table lacks a column that the manifest names.
        """
        keys, columns = self.keys, tuple(self._table("training").columns)
        for key in (*_SINGLE, *_LISTS):
            named = getattr(keys, key) or ()
            for column in (named,) if isinstance(named, str) else named:
                if column not in columns:
                    close = nearest(column, columns) or f"; it has {', '.join(columns[:20])}"
                    raise PartFailure(f"{keys.training}: has no column {column!r}, named as data.{key}{close}")
        roles = {keys.target, keys.time, keys.block, *keys.keys, *keys.groups, *keys.slices}
        inputs = keys.inputs or tuple(column for column in columns if column not in roles)
        return Roles(
            target=keys.target,
            inputs=inputs,
            time=keys.time,
            block=keys.block,
            keys=keys.keys,
            groups=keys.groups,
            slices=keys.slices,
            positive=keys.positive,
        )

    def dataset(self, split: Split) -> Any:
        """The rows of one split, with the columns that have a role, as an Ibis table."""
        name = _TABLE_OF.get(split)
        if name is None or getattr(self.keys, name) is None:
            raise KeyError(f"there is no {split} split: name its table as data.{name or split} in the manifest")
        table, roles = self._table(name), self.roles
        if roles.target not in table.columns:
            raise PartFailure(f"{getattr(self.keys, name)}: has no column {roles.target!r}, the target")
        named = (roles.time, roles.block, *roles.keys, *roles.groups, *roles.slices, *roles.inputs, roles.target)
        wanted = dict.fromkeys(column for column in named if column is not None)
        return table.select(*(column for column in wanted if column in table.columns))

    def raw(self, window: Window | None = None) -> Mapping[str, Any]:
        """The tables by the keys that name them, whole or with the rows of a window of `roles.time`."""
        names = [name for name in (*_TABLE_OF.values(), "request_log", "labels") if getattr(self.keys, name)]
        tables = {name: self._table(name) for name in names}
        if window is None:
            return tables
        time = self.roles.time
        if time is None:
            raise PartFailure("a window of the raw tables needs a time: name its column as data.time in the manifest")
        return {name: _within(table, time, window) for name, table in tables.items() if time in table.columns}

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """pandera schemas by table; empty when the manifest names none."""
        return {
            table: schema_files.read(manifest_paths.file(self.root, named))
            for table, named in self.keys.schemas.items()
        }

    @cached_property
    def governance(self) -> Governance | None:
        """Catalogue and policy; None when the manifest names no file of them."""
        if self.keys.catalogue is None:
            return None
        try:
            return manifest_catalogue.read(manifest_paths.file(self.root, self.keys.catalogue))
        except ValueError as problem:
            raise PartFailure(f"data.catalogue: {problem}") from None

    @cached_property
    def _connection(self) -> Any:
        return duckdb_files.connect(self.root, self.workdir)

    @cached_property
    def _tables(self) -> dict[str, Any]:
        return {}

    def _table(self, name: str) -> Any:
        if name not in self._tables:
            try:
                files = manifest_paths.files(self.root, getattr(self.keys, name))
            except ValueError as problem:
                raise PartFailure(f"data.{name}: {problem}") from None
            self._tables[name] = duckdb_files.table(self._connection, files)
        return self._tables[name]


def _within(table: Any, column: str, window: Window) -> Any:
    """Rows from the first instant up to the second. Instants without a zone are taken for UTC."""
    since, until = window
    kind = table[column].type()
    if kind.is_timestamp() and kind.timezone is None:
        since, until = since.replace(tzinfo=None), until.replace(tzinfo=None)
    if not (kind.is_timestamp() or kind.is_date()):
        raise PartFailure(f"column {column!r}, named as data.time, is {kind}; it has to be a timestamp or a date")
    return table.filter((table[column] >= since) & (table[column] < until))
