"""Erasures: exactly the rows of those who asked, whatever else the path does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mltest.evidence import Withheld
from mltest.offers.privacy import PrivacyPolicy
from mltest.probes import erasure
from mltest.system import RawColumn, Roles

ROLES = Roles("y", keys=("row",))
POLICY = PrivacyPolicy((), RawColumn("trips", "who"), RawColumn("erasures", "who"))
TRIPS = pa.table(
    {
        "who": [f"p{n % 11}" if n % 3 else "p0" for n in range(330)],
        "row": [f"r{n:04d}" for n in range(330)],
        "y": [float(n) for n in range(330)],
    }
)
RAW = {"trips": TRIPS.filter(pc.not_equal(TRIPS["who"], "p0")), "erasures": pa.table({"who": ["p9"]})}


def exact(raw: Mapping[str, Any]) -> pa.Table:
    gone = pc.is_in(raw["trips"]["who"], raw["erasures"]["who"].combine_chunks())
    return raw["trips"].filter(pc.invert(gone)).drop_columns(["who"])


def aggregated(raw: Mapping[str, Any]) -> pa.Table:
    """Erased before features are made: what tells of all rows changes in the rows of others too."""
    rows = exact(raw)
    return rows.append_column("mean", pa.array([pc.mean(rows["y"]).as_py()] * rows.num_rows))


def numbered(raw: Mapping[str, Any]) -> pa.Table:
    """Keys are places: they move when rows go."""
    rows = exact(raw)
    return rows.set_column(0, "row", pa.array([f"r{n}" for n in range(rows.num_rows)]))


@pytest.mark.parametrize("learn", [exact, aggregated])
def test_whoever_asks_is_gone_and_nobody_else(learn: Any) -> None:
    found = erasure.erased(learn, RAW, POLICY, ROLES, seed=0)
    assert (found.kept, found.lost, found.by_key) == (0, 0, True)
    assert found.theirs > 10
    assert found.digest_before != found.digest_after


def test_keys_that_move_are_counted() -> None:
    found = erasure.erased(numbered, RAW, POLICY, Roles("y"), seed=0)
    assert (found.kept, found.lost, found.by_key) == (0, 0, False)


def test_an_ignored_list_keeps_all_rows_and_its_first_entry_alone_some() -> None:
    ignored = erasure.erased(lambda raw: exact({**raw, "erasures": RAW["erasures"]}), RAW, POLICY, ROLES, seed=0)
    assert (ignored.kept, ignored.lost) == (ignored.theirs, 0)
    first = erasure.erased(lambda raw: exact({**raw, "erasures": raw["erasures"].slice(0, 2)}), RAW, POLICY, ROLES, 0)
    assert 0 < first.kept < first.theirs


def test_rows_of_others_that_go_are_counted() -> None:
    def too_much(raw: Mapping[str, Any]) -> pa.Table:
        return exact(raw).slice(3) if raw["erasures"].num_rows > 1 else exact(raw)

    found = erasure.erased(too_much, RAW, POLICY, ROLES, seed=0)
    assert found.kept == 0
    assert found.lost in (1, 2, 3)


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        ({**RAW, "trips": RAW["trips"].slice(0, 0)}, "0 subjects could be erased"),
        (
            {**RAW, "trips": RAW["trips"].set_column(2, "y", pa.nulls(RAW["trips"].num_rows, pa.float64()))},
            "no training row",
        ),
    ],
)
def test_nothing_to_erase_is_withheld(raw: Mapping[str, Any], cause: str) -> None:
    with pytest.raises(Withheld, match=cause):
        erasure.erased(exact, raw, POLICY, ROLES, seed=0)


def test_a_path_that_does_not_read_what_it_is_given_is_withheld() -> None:
    with pytest.raises(Withheld, match="no training row with them"):
        erasure.erased(lambda raw: exact(RAW), RAW, POLICY, ROLES, seed=0)


def test_the_list_keeps_its_columns_and_types() -> None:
    asked = pa.table({"at": pa.array([7], pa.int16()), "who": pa.array(["p1"]).dictionary_encode()})
    listed = erasure.listed({**RAW, "erasures": asked}, POLICY, ["p2"])
    assert listed.schema == asked.schema
    assert listed["who"].to_pylist() == ["p1", "p2"]
