"""Sweeps of what a model may be asked."""

import itertools

import numpy as np
import pyarrow as pa

from mltest.probes import numeric_domain, numeric_sweeps
from tests.probes.test_numeric_domain import INPUTS, rows


def test_the_legal_sweep_stays_inside_the_domain_and_holds_the_rarest_row():
    domain = numeric_domain.observe(rows(), INPUTS)
    sweep = numeric_sweeps.legal(domain, seed=0)
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
    sweep = numeric_sweeps.legal(domain, seed=0)
    combined = sweep.rows.filter(pa.array([label == "extremes combined" for label in sweep.labels])).to_pylist()
    for first, second in itertools.combinations(domain.numbers, 2):
        met = {(row[first.name], row[second.name]) for row in combined}
        assert met >= set(itertools.product((first.low, first.high), (second.low, second.high)))


def test_outside_lie_infinities_and_what_was_never_missing_be_it_null_or_nan():
    domain = numeric_domain.observe(rows(), INPUTS)
    sweep = numeric_sweeps.illegal(domain, seed=0)
    assert set(sweep.labels) == {
        "delay = inf",
        "delay = -inf",
        "delay = NaN",
        "wind = inf",
        "wind = -inf",
        "delay = missing",
        "seats = missing",
        "carrier = missing",
    }
    sent = sweep.rows["delay"].to_pylist()[sweep.labels.index("delay = NaN")]
    assert sent is not None
    assert np.isnan(sent)


def test_every_level_of_a_category_gets_the_row_that_holds_it_however_rare():
    rare = rows()
    words = rare["carrier"].to_pylist()
    words[123] = "HA"
    domain = numeric_domain.observe(rare.set_column(3, "carrier", pa.array(words)), INPUTS)
    sweep = numeric_sweeps.legal(domain, seed=0)
    assert {label for label in sweep.labels if label.startswith("carrier")} == {
        f"carrier = {w}" for w in ("AA", "UA", "HA")
    }
    row = sweep.labels.index("carrier = HA")
    assert sweep.rows["delay"][row].as_py() == rare["delay"][123].as_py()


def test_numbers_meet_where_now_one_and_now_the_other_is_larger():
    domain = numeric_domain.observe(rows(), INPUTS)
    sweep = numeric_sweeps.legal(domain, seed=0)
    (label,) = (label for label in sweep.labels if label.startswith("delay = wind"))
    met = sweep.rows.slice(sweep.labels.index(label), 1).to_pylist()[0]
    assert met["delay"] == met["wind"]
    above = domain.rows.set_column(1, "wind", pa.array(domain.rows["delay"].to_numpy() + 1.0))
    never = numeric_sweeps.legal(numeric_domain.observe(above, INPUTS), seed=0)
    assert not [label for label in never.labels if label.startswith("delay = wind")]


def test_an_edge_is_seen_from_inside_and_from_outside():
    domain = numeric_domain.observe(rows(), INPUTS)
    edges = numeric_sweeps.edges(domain, seed=0)
    found = {number.name: number for number in domain.numbers}
    top = [i for i, label in enumerate(edges.labels) if label.startswith("delay") and "= 136" in label]
    assert top
    for row in top:
        assert edges.inside["delay"][row].as_py() < edges.end["delay"][row].as_py() == found["delay"].high
        assert edges.outside["delay"][row].as_py() > found["delay"].high
    assert all(isinstance(value, int) for value in edges.outside["seats"].to_pylist())


def test_a_small_integer_has_no_edge_beyond_its_type():
    full = pa.table({"level": pa.array(np.arange(256) - 128, pa.int8()), "flow": np.linspace(0, 1, 256)})
    edges = numeric_sweeps.edges(numeric_domain.observe(full, ("level", "flow")), seed=0)
    assert {label.split()[0] for label in edges.labels} == {"flow"}


def test_a_nudge_moves_floats_by_one_unit_in_the_last_place_and_nothing_else():
    before = rows()
    domain = numeric_domain.observe(before, INPUTS)
    for towards, sign in ((np.inf, 1), (-np.inf, -1)):
        after = numeric_sweeps.nudged(before, domain, towards)
        for name in ("seats", "carrier", "ignored"):
            assert after[name].equals(before[name])
        delay = before["delay"].to_numpy()
        moved = sign * (after["delay"].to_numpy() - delay)
        ends = (delay == delay.min()) | (delay == delay.max())
        assert (moved[~ends] > 0).all()
        assert (moved >= 0).all()
        assert (moved <= 2.5e-7 * np.maximum(np.abs(delay), 1e-3)).all()
        assert after["wind"].null_count == before["wind"].null_count


def test_a_nudge_leaves_nought_alone():
    table = pa.table({"rain": [0.0, 2.0] * 100})
    domain = numeric_domain.observe(table, ("rain",))
    after = numeric_sweeps.nudged(table.slice(0, 3), domain, -np.inf)["rain"].to_pylist()
    assert after[0] == after[2] == 0.0
    assert after[1] < 2.0
