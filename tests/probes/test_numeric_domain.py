"""The domain that training rows show."""

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import Withheld
from mltest.probes import numeric_domain


def rows(n: int = 300) -> pa.Table:
    generator = np.random.default_rng(0)
    delay = generator.normal(10, 5, n)
    delay[7] = 1301.0
    wind = generator.uniform(0, 30, n)
    wind[3] = np.nan
    return pa.table(
        {
            "delay": delay,
            "wind": pa.array(wind, from_pandas=True),
            "seats": generator.integers(20, 300, n),
            "carrier": generator.choice(["AA", "UA"], n),
            "ignored": generator.normal(size=n),
        }
    )


INPUTS = ("delay", "wind", "seats", "carrier")


def test_the_domain_is_what_occurred_however_rare():
    found = {n.name: n for n in numeric_domain.observe(rows(), INPUTS).numbers}
    assert set(found) == {"delay", "wind", "seats"}
    assert found["delay"].high == 1301.0
    assert [found[name].nullable for name in ("delay", "wind", "seats")] == [False, True, False]


def test_what_is_never_missing_is_required_unless_declared_otherwise():
    assert numeric_domain.observe(rows(), INPUTS).required == ("delay", "seats", "carrier")
    assert numeric_domain.observe(rows(), INPUTS, nullable=["delay"]).required == ("seats", "carrier")


@pytest.mark.parametrize(
    ("table", "inputs", "reason"),
    [
        (rows().slice(0, 5), INPUTS, "100 are needed"),
        (rows().slice(0, 0), INPUTS, "100 are needed"),
        (rows(), ("absent",), "lack the input 'absent'"),
        (rows(), (), "names no inputs"),
        (rows(), ("carrier",), "no numeric input"),
        (rows().set_column(0, "delay", pa.nulls(300, pa.float64())), INPUTS, "no number in 'delay'"),
        (rows().set_column(0, "delay", pa.array([np.inf] * 2 + [1.0] * 298)), INPUTS, "infinite 'delay'"),
    ],
)
def test_a_domain_that_cannot_be_seen_withholds(table, inputs, reason):
    with pytest.raises(Withheld, match=reason):
        numeric_domain.observe(table, inputs)
