"""What validators recognise as a person's, and what merely looks like it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mltest.probes import identifiers

NOBODY = frozenset[str]()


def certain(values: list[str]) -> set[str]:
    found = identifiers.of_table("features", pa.table({"x": pa.array(values, pa.string())}), NOBODY, NOBODY)
    return {each.kind for each in found if each.certain}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["written by jane.doe@gmail.com"], "e-mail address"),
        (["call +1 650-253-0000 today"], "telephone number"),
        (["DE89 3704 0044 0532 0130 00"], "bank account (IBAN)"),
        (["GB82WEST12345698765432"], "bank account (IBAN)"),
        (
            [
                "4242424242424242",
                "5555555555554444",
                "4111 1111 1111 1111",
                "4012888888881881",
                "5105105105105100",
                "378282246310005",
            ],
            "payment card number",
        ),
    ],
)
def test_a_person_s_data_are_recognised(values: list[str], kind: str) -> None:
    assert certain(values) == {kind}


@pytest.mark.parametrize(
    "values",
    [
        [f"N{14_228 + n}" for n in range(200)],
        [str(n) for n in range(1_000, 1_400)],
        [str(1_357_034_400 + 37 * n) for n in range(400)],
        [str(123_456_789 + 3 * n) for n in range(400)],
        [f"{n:.9f}" for n in np.random.default_rng(0).normal(0, 1e4, 400)],
        [f"2013-01-{1 + n % 28:02d}-UA-{1_000 + n}-EWR" for n in range(400)],
        [str(4_000_000_000_000_000 + 77_777 * n) for n in range(400)],
        ["@carrier", "a@b", "user@localhost", "+1", "+ 12345", "x+650-253-0000+y"],
        ["10.1.2.3", "1.2.3.4", "ISBN 978-3-16-148410-0"],
    ],
)
def test_what_looks_like_it_decides_nothing(values: list[str]) -> None:
    assert certain(values) == set()


def test_declared_and_planted_values_are_left_out() -> None:
    table = pa.table({"x": ["jane.doe@gmail.com", "john.roe@gmail.com"]})
    found = identifiers.of_table("t", table, frozenset({"jane.doe@gmail.com"}), frozenset({"john.roe@gmail.com"}))
    assert found == ()
