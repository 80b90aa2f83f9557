"""Rows that a schema was not made from, and whether they are fresh enough to judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import model_inputs, pandera_schemas
from mltest.probes.row_digests import row_digests, share_repeated, share_seen
from mltest.system import Data, Roles, System, Window

DATASET = "dataset"
FEWEST_ROWS = 100
MOST_SEEN = 0.5
"""Share of the fresh rows that may occur among the training rows before they are no fresh rows."""
MOST_REPEATED = 0.1
"""Share of the training rows that may repeat others but for their keys before only keys can tell rows apart."""


@dataclass(frozen=True)
class Fresh:
    """Expectations by table, the held-back rows of the data set, and the raw tables of the same time."""

    schemas: Mapping[str, Any]
    inputs: tuple[str, ...]
    roles: Roles
    holdout: pa.Table = field(repr=False)
    train: pa.Table = field(repr=False)
    validation: pa.Table | None = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def tables(self) -> dict[str, Any]:
        """Every table that expectations speak about, by name.

        A raw table without expectations of its own that has all columns of the data set is judged by those.
        """
        found: dict[str, Any] = {DATASET: self.holdout} if DATASET in self.schemas else {}
        for name, table in self.raw.items():
            if name in self.schemas or self._is_the_dataset(table):
                found[name] = table
        return found

    def schema_of(self, table: str) -> Any:
        return self.schemas.get(table, self.schemas.get(DATASET))

    def _is_the_dataset(self, table: Any) -> bool:
        if DATASET not in self.schemas:
            return False
        expected = [name for name in self.holdout.column_names if name in self.schemas[DATASET].columns]
        return bool(expected) and set(expected) <= set(model_inputs.column_names(table))


def read(system: System) -> Fresh:
    """Reads what there is. Raises Withheld without expectations, and without enough rows that training did not see."""
    data = system.data
    if data is None:
        raise Withheld("the system offers no data", ReasonCode.PART_MISSING)
    schemas = _schemas(data)
    inputs = model_inputs.of_system(system)
    if not inputs:
        raise Withheld("nobody says what the model reads: name the inputs in the roles", ReasonCode.PART_MISSING)
    holdout, train = tables.to_arrow(data.dataset("holdout")), tables.to_arrow(data.dataset("train"))
    if holdout.num_rows < FEWEST_ROWS:
        raise Withheld(
            f"the holdout has {holdout.num_rows} rows: {FEWEST_ROWS} are needed to judge a schema",
            ReasonCode.TOO_LITTLE_DATA,
        )
    _require_fresh(holdout, train, inputs, data.roles)
    _require_newer(holdout, data.roles, system)
    return Fresh(schemas, inputs, data.roles, holdout, train, _validation(data), _raw(data, holdout, schemas))


def _validation(data: Data) -> pa.Table | None:
    try:
        return tables.to_arrow(data.dataset("validation"))
    except (KeyError, Withheld):
        return None


def _schemas(data: Data) -> dict[str, Any]:
    schemas = {name: pandera_schemas.plain(schema) for name, schema in dict(data.schema).items()}
    strange = [name for name, schema in schemas.items() if not pandera_schemas.is_schema(schema)]
    if strange:
        raise Withheld(f"what is declared for {strange[0]} is no pandera schema of a table", ReasonCode.PART_MISSING)
    if not schemas:
        raise Withheld(
            "no schema is declared: name a pandera file as data.schema in the manifest, or offer data.schema",
            ReasonCode.PART_MISSING,
        )
    return schemas


def _require_fresh(holdout: pa.Table, train: pa.Table, inputs: Sequence[str], roles: Roles) -> None:
    """Raises Withheld where training rows were held back, be it under other keys."""
    shared = [name for name in (*inputs, roles.target) if name in holdout.column_names and name in train.column_names]
    keys = [name for name in roles.keys if name in holdout.column_names and name in train.column_names]
    if not shared:
        return
    judged, learned = row_digests(holdout, shared), row_digests(train, shared)
    seen = share_seen(judged, learned)
    if seen > MOST_SEEN and keys and share_repeated(learned, len(judged)) > MOST_REPEATED:
        with_keys = [*shared, *keys]
        seen = share_seen(row_digests(holdout, with_keys), row_digests(train, with_keys))
    if seen > MOST_SEEN:
        raise Withheld(
            f"{seen:.0%} of the holdout rows are training rows: a schema made from them would judge itself; hold other "
            "rows back",
            ReasonCode.CIRCULAR,
        )


def _require_newer(holdout: pa.Table, roles: Roles, system: System) -> None:
    """Rows that end before the model's training did were there to learn from, schema and all."""
    window = _window(holdout, roles.time)
    until = system.model.metadata.trained_until if system.model is not None else None
    if window is not None and until is not None and window[1] <= (_aware(until) or until):
        raise Withheld(
            f"the held-back rows end on {window[1]:%Y-%m-%d}, the model was trained until {until:%Y-%m-%d}: hold back "
            "rows that came after its training",
            ReasonCode.STALE,
        )


def _raw(data: Data, holdout: pa.Table, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The raw tables of the time of the held-back rows; those that know no time, or all without one, as a whole."""
    window = _window(holdout, data.roles.time)
    found = dict(data.raw() if window is None else data.raw(window))
    lacking = [name for name in schemas if name not in found and name != DATASET]
    whole = data.raw() if lacking else {}
    for name in lacking:
        if name not in whole:
            raise Withheld(
                f"expectations are declared for the table {name!r}, which data.raw() does not have: offer it, or "
                "call the schema of the model's inputs `dataset`",
                ReasonCode.PART_MISSING,
            )
        found[name] = whole[name]
    return found


def _window(rows: pa.Table, column: str | None) -> Window | None:
    if column is None or column not in rows.column_names or not pa.types.is_temporal(rows.column(column).type):
        return None
    ends = pc.min_max(rows.column(column)).as_py()
    first, last = _aware(ends["min"]), _aware(ends["max"])
    return None if first is None or last is None else (first, last + timedelta(seconds=1))


def _aware(moment: Any) -> datetime | None:
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(moment, time(), UTC) if isinstance(moment, date) else None
