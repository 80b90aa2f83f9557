"""The same change in requests and raw rows: each request is found again among the rows that it was made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from mltest.probes.pipeline_requests import new_rows
from mltest.probes.raw_changes import RawChanges, plan
from mltest.system import RawColumn, Roles

ROWS = 60
ROLES = Roles(target="minutes", time="at", keys=("trip",), entity=RawColumn("t", "who"), outcome=RawColumn("t", "took"))


def trips(**columns: Any) -> pa.Table:
    start = datetime(2024, 3, 1, tzinfo=UTC)
    found = {
        "trip": list(range(ROWS)),
        "at": pa.array([start + timedelta(hours=n) for n in range(ROWS)], pa.timestamp("us", "UTC")),
        "who": ["AK", "BZ"] * (ROWS // 2),
        "miles": [float(n % 7) for n in range(ROWS)],
        "stops": [n % 3 for n in range(ROWS)],
        "took": [1.0] * ROWS,
    }
    return pa.table({**found, **columns})


def records(table: pa.Table) -> list[dict[str, Any]]:
    rows = table.drop_columns(["took"]).to_pylist()
    return [{**row, "at": row["at"].isoformat(), "client": "ios"} for row in rows]


def planned(table: pa.Table, asked: list[dict[str, Any]]) -> RawChanges:
    found = plan({"t": table}, asked, ROLES)
    assert found is not None
    return found


def test_numbers_that_requests_share_with_raw_rows_are_exchanged_in_both() -> None:
    table = trips()
    changes = planned(table, records(table))
    assert sorted(changes.values) == ["miles", "stops"]
    assert [record["trip"] for record in changes.records] == list(changes.rows)
    asked, changed = changes.requests(["miles"]), changes.raw({"t": table}, "t", ("miles",))["t"]
    miles = table["miles"].to_pylist()
    for request, row in zip(asked, changes.rows, strict=True):
        assert changed["miles"][row].as_py() == request["miles"] != miles[row]
    untouched = set(range(ROWS)) - set(changes.rows)
    assert all(changed["miles"][row].as_py() == miles[row] for row in untouched)
    assert changed["stops"].equals(table["stops"])


def test_rows_that_differ_in_their_moment_only_are_told_apart_by_it() -> None:
    table = trips(miles=[1.0] * ROWS, stops=[1, 2] * (ROWS // 2)).drop_columns(["trip"])
    changes = planned(table, records(table)[::-1])
    assert [record["at"] for record in changes.records] == [
        table["at"][row].as_py().isoformat() for row in changes.rows
    ]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(lambda table: [{**r, "miles": r["miles"] + 0.5} for r in records(table)], id="of other rows"),
        pytest.param(lambda table: [{**r, "trip": 1, "at": "now"} for r in records(table)], id="of no moment"),
    ],
)
def test_requests_that_are_not_found_among_the_raw_rows_say_nothing(asked: Any) -> None:
    table = trips()
    assert plan({"t": table}, asked(table), ROLES) is None


def test_a_row_that_is_logged_once_more_is_new() -> None:
    before = pa.table({"key": ["a", "b"], "load": [1.0, 2.0]})
    after = pa.table({"key": ["b", "a", "c", "a"], "load": [2.0, 1.0, 1.0, 1.0]})
    assert new_rows(before, after)["key"].to_pylist() == ["c", "a"]
