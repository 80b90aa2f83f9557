"""Whether whoever asks to be erased is no longer learnt from.

A few subjects are added to the list of erasures. What must go is shown by the raw rows themselves: without the raw
rows of these subjects, the rows that are missing from training are theirs. Those must be missing too once all of them
are on the list, and no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.offers.privacy import PrivacyPolicy
from mltest.probes.judged_rows import column as values_of
from mltest.probes.row_digests import digest_of_rows, row_digests
from mltest.system import Roles
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

SUBJECTS = 5
"""Subjects that are erased: the busiest one and others, where there are so many."""
MOST_OF_ALL = 0.3
"""Share of the raw rows that one of them has at most: something else has to stay."""


@dataclass(frozen=True)
class ErasedRows:
    """What a few erasures did to the training rows.

    Rows are told apart by their keys where these stay as they are when raw rows go; else (`by_key` is False) only
    counted. `digest_before` and `digest_after` stand for the sets of rows.
    """

    before: int
    theirs: int
    kept: int
    lost: int
    by_key: bool
    digest_before: str
    digest_after: str


@dataclass(frozen=True)
class UsedRows:
    """Rows of the split `train` that the path from raw tables does not give, such as those of erased subjects."""

    rows: int
    strange: int
    listed: int


def erased(learn: Any, raw: Mapping[str, Any], policy: PrivacyPolicy, roles: Roles, seed: int) -> ErasedRows:
    """Adds a few subjects to the erasures and compares the rows that `learn(raw)` gives. Raises Withheld."""
    tables = {name: to_arrow(table) for name, table in raw.items()}
    subjects = _chosen(tables, policy, seed)
    before = _rows(learn(tables))
    require_outcome(before, roles)
    owned = tables[policy.subject.table]
    without = {**tables, policy.subject.table: owned.filter(_is_none_of(owned.column(policy.subject.column), subjects))}
    absent = _rows(learn(without))
    after = _rows(learn({**tables, policy.erasures.table: listed(tables, policy, subjects)}))
    keys = [name for name in roles.keys if name in before.column_names]
    whole, left, given = (row_digests(rows, keys or rows.column_names) for rows in (before, absent, after))
    theirs = Counter(whole.tolist()) - Counter(left.tolist())
    by_key = bool(keys) and not Counter(left.tolist()) - Counter(whole.tolist())
    count = before.num_rows - absent.num_rows
    if count <= 0:
        raise Withheld(
            "the raw rows of a few subjects went and no training row with them: name as the policy's subject the raw "
            "column that training rows come from, and let training_rows(raw) read the raw tables that it is given",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if by_key:
        gone = Counter(whole.tolist()) - Counter(given.tolist())
        kept, lost = (theirs - gone).total(), (gone - theirs).total()
    else:
        kept, lost = max(0, after.num_rows - absent.num_rows), max(0, absent.num_rows - after.num_rows)
    return ErasedRows(before.num_rows, count, kept, lost, by_key, digest_of_rows(whole), digest_of_rows(given))


def used(learn: Any, data: Any, policy: PrivacyPolicy, rows: pa.Table) -> UsedRows:
    """Compares the split `train` with what its own path gives of all raw tables as they are now."""
    raw = data.raw()
    given = _rows(learn(raw))
    keys = [name for name in data.roles.keys if name in given.column_names and name in rows.column_names]
    names = keys or [name for name in rows.column_names if name in given.column_names]
    strange = ~np.isin(row_digests(rows, names), row_digests(given, names))
    asked = to_arrow(raw[policy.erasures.table]).num_rows
    return UsedRows(rows.num_rows, int(strange.sum()), asked)


def listed(tables: Mapping[str, pa.Table], policy: PrivacyPolicy, subjects: Sequence[Any]) -> pa.Table:
    """The table of erasures with some subjects more; other columns are as in its last row, or null."""
    import pyarrow as pa

    table = tables[policy.erasures.table]
    template = table.slice(table.num_rows - 1).to_pylist()[0] if table.num_rows else {}
    rows = [{**template, policy.erasures.column: subject} for subject in subjects]
    columns = [
        pa.array([row.get(field.name) for row in rows], field.type.value_type).cast(field.type)
        if pa.types.is_dictionary(field.type)
        else pa.array([row.get(field.name) for row in rows], field.type)
        for field in table.schema
    ]
    return pa.concat_tables([table, pa.table(columns, schema=table.schema)])


def require_outcome(rows: pa.Table, roles: Roles) -> None:
    """Raises Withheld where there is nothing to learn: no rows, no target, or no value in it."""
    if not rows.num_rows:
        raise Withheld("training_rows(raw) gives no row: nothing can be missing from it", ReasonCode.TOO_LITTLE_DATA)
    if roles.target not in rows.column_names:
        raise Withheld(f"the training rows have no column {roles.target!r}: restore it", ReasonCode.PART_MISSING)
    values = values_of(rows, roles.target)
    known = np.isfinite(values) if values.dtype.kind == "f" else np.array([value is not None for value in values])
    if not known.any():
        raise Withheld(
            f"no training row has a value in {roles.target!r}: nobody would learn from it", ReasonCode.TOO_LITTLE_DATA
        )


def _rows(table: Any) -> pa.Table:
    return to_arrow(table)


def _chosen(tables: Mapping[str, pa.Table], policy: PrivacyPolicy, seed: int) -> list[Any]:
    """The busiest subject that is not most of everything, and others; none of them is on the list, and some stay."""
    column = tables[policy.subject.table].column(policy.subject.column)
    asked = set(tables[policy.erasures.table].column(policy.erasures.column).to_pylist())
    counts = sorted(
        ((entry["counts"], entry["values"]) for entry in column.drop_null().value_counts().to_pylist()),
        key=lambda pair: (-pair[0], str(pair[1])),
    )
    open_ones = [(count, value) for count, value in counts if value not in asked and count <= MOST_OF_ALL * len(column)]
    if len(open_ones) < 3:
        raise Withheld(
            f"{len(open_ones)} subjects could be erased, 3 are needed, each with less than {MOST_OF_ALL:.0%} of the "
            "raw rows",
            ReasonCode.TOO_LITTLE_DATA,
        )
    count = min(SUBJECTS, len(open_ones) // 2 + 1) - 1
    others = np.random.default_rng(seed).choice(np.arange(1, len(open_ones)), count, replace=False)
    return [open_ones[0][1], *(open_ones[int(other)][1] for other in others)]


def _is_none_of(column: Any, values: Sequence[Any]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    return pc.invert(pc.is_in(plain, pa.array(values, plain.type)))
