"""Planting: unmistakable values of the old kind, and the rest as it was."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import Withheld
from mltest.offers.privacy import PrivacyPolicy
from mltest.probes import canaries
from mltest.system import RawColumn

WHO = RawColumn("t", "who")
POLICY = PrivacyPolicy((WHO,), WHO, RawColumn("erasures", "who"))


def planted(column: pa.Array, seed: int = 0) -> canaries.Planted:
    raw = {"t": pa.table({"who": column, "x": range(len(column))}), "erasures": pa.table({"who": column.slice(0, 0)})}
    return canaries.plant(raw, POLICY, np.random.default_rng(seed))


@given(st.lists(st.text("AZaz09-", min_size=1, max_size=9), min_size=1, max_size=30), st.integers(0, 99))
def test_a_text_is_new_long_enough_and_in_some_rows_only(values: list[str], seed: int) -> None:
    made = planted(pa.array(values), seed)
    (canary,) = [each for each in made.canaries if not each.new]
    assert canary.value not in values
    assert sum(map(str.isalnum, canary.value)) > canaries.SHORTEST
    after = made.raw["t"].column("who").to_pylist()
    assert canary.value in after
    assert all(now in (before, canary.value) for before, now in zip(values, after, strict=True))
    assert made.subject == canary.value


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1, 2, 3] * 40, pa.int64()), int),
        (pa.array([0.5, 1.5, 9.25] * 40), float),
        (pa.array([date(1980, 1, 1), date(1990, 5, 5)] * 60), date),
        (pa.array(["a", "b", None] * 40).dictionary_encode(), str),
    ],
)
def test_a_column_keeps_its_type(column: pa.Array, kind: type) -> None:
    made = planted(column)
    assert made.raw["t"].column("who").type == column.type
    assert isinstance(made.canaries[0].value, kind)
    assert not made.untraceable


def test_a_column_that_is_too_narrow_is_named_and_its_subject_is_planted_all_the_same() -> None:
    made = planted(pa.array([1, 2, 3] * 40, pa.int16()))
    assert made.untraceable == (WHO,)
    assert made.subject in made.raw["t"].column("who").to_pylist()


def test_a_key_stays_a_key() -> None:
    made = planted(pa.array([f"key-{n:04d}" for n in range(200)]))
    assert len(set(made.raw["t"].column("who").to_pylist())) == 200


def test_new_columns_are_an_address_a_name_and_a_number_that_no_other_table_has() -> None:
    made = planted(pa.array(["a", "b", "c"] * 30))
    added = [each for each in made.canaries if each.new]
    assert {each.column.column for each in added} == {"crew_email", "passenger_name", "contact_phone"}
    assert len({each.value for each in added} | {each.decoy for each in added}) == 6
    assert made.raw["t"].column_names == ["who", "x"]


@pytest.mark.parametrize(
    ("policy", "cause"),
    [
        (PrivacyPolicy((), WHO, WHO), "names no sensitive column"),
        (PrivacyPolicy((RawColumn("t", "gone"),), WHO, WHO), "no column 'gone'"),
        (PrivacyPolicy((WHO,), WHO, RawColumn("list", "who")), "no table 'list'"),
    ],
)
def test_a_policy_about_nothing_is_withheld(policy: PrivacyPolicy, cause: str) -> None:
    with pytest.raises(Withheld, match=cause):
        canaries.require_columns({"t": pa.table({"who": ["a"]})}, policy)


def test_a_column_without_values_is_withheld() -> None:
    with pytest.raises(Withheld, match="holds no value"):
        planted(pa.array([None, None], pa.string()))
