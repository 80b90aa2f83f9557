"""Sweeps of what a model may be asked."""

import itertools

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


def test_the_legal_sweep_stays_inside_the_domain_and_holds_the_rarest_row():
    domain = numeric_domain.observe(rows(), INPUTS)
    sweep = numeric_domain.legal(domain, seed=0)
    assert len(sweep.labels) == sweep.rows.num_rows
    for number in domain.numbers:
        values = sweep.rows[number.name].drop_null().to_numpy()
        assert values.min() >= number.low
        assert values.max() <= number.high
    assert 1301.0 in sweep.rows["delay"].to_pylist()
    assert sweep.rows["wind"].null_count > 0
    assert sweep.rows["delay"].null_count == 0


def test_every_pair_of_inputs_meets_in_all_four_corners():
    domain = numeric_domain.observe(rows(), INPUTS)
    sweep = numeric_domain.legal(domain, seed=0)
    combined = sweep.rows.filter(pa.array([label == "extremes combined" for label in sweep.labels])).to_pylist()
    for first, second in itertools.combinations(domain.numbers, 2):
        met = {(row[first.name], row[second.name]) for row in combined}
        assert met >= set(itertools.product((first.low, first.high), (second.low, second.high)))


def test_outside_lie_infinities_and_what_was_never_missing():
    domain = numeric_domain.observe(rows(), INPUTS)
    sweep = numeric_domain.illegal(domain, seed=0)
    assert set(sweep.labels) == {
        "delay = inf",
        "delay = -inf",
        "wind = inf",
        "wind = -inf",
        "delay = missing",
        "seats = missing",
        "carrier = missing",
    }


def test_a_nudge_moves_floats_by_one_unit_in_the_last_place_and_nothing_else():
    before = rows()
    after = numeric_domain.nudged(before)
    assert after["seats"].equals(before["seats"])
    assert after["carrier"].equals(before["carrier"])
    delay = before["delay"].to_numpy()
    moved = np.abs(after["delay"].to_numpy() - delay)
    assert (moved > 0).all()
    assert (moved <= 2.5e-7 * np.maximum(np.abs(delay), 1e-3)).all()
    assert after["wind"].null_count == before["wind"].null_count


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
