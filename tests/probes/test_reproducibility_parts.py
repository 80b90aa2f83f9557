"""The smaller measures behind reproducibility and integration: direction, days, slices, steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from mltest.probes.direction import contradiction
from mltest.probes.pipeline_run import steps_kept
from mltest.probes.pipeline_slice import newest
from mltest.probes.row_sample import whole_days
from mltest.system import Roles
from tests.suites.couriers import CourierData

ANSWERS = np.random.default_rng(0).normal(0, 1, 100)
HOURS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(2_400)]


def test_a_model_turned_round_contradicts_the_one_that_is_served() -> None:
    assert contradiction(ANSWERS, ANSWERS * 0.5, {"mae": 1.0}) is None
    assert "contradict" in str(contradiction(ANSWERS, -ANSWERS, {"mae": 1.0}))
    scores = np.column_stack([np.linspace(0, 1, 50), np.linspace(1, 0, 50)])
    assert "contradict" in str(contradiction(scores, scores[:, ::-1], {}))


def test_an_error_below_zero_is_a_turned_sign() -> None:
    assert "validation_mae" in str(contradiction(None, ANSWERS, {"validation_mae": -1.0}))
    assert contradiction(None, ANSWERS, {"log_likelihood": -1.0}) is None


def test_a_sample_keeps_whole_days_in_their_order() -> None:
    table = pa.table({"at": pa.array(HOURS, pa.timestamp("us", "UTC")), "n": range(2_400)})
    sample = whole_days(table, Roles("n", time="at"), 500)
    days = [moment.date() for moment in sample["at"].to_pylist()]
    assert 400 <= sample.num_rows <= 600
    assert {days.count(day) for day in set(days)} == {24}
    assert sample["n"].to_pylist() == sorted(sample["n"].to_pylist())


def test_a_slice_is_the_newest_of_training_and_serves_what_comes_after() -> None:
    data = CourierData()
    chosen = newest(data, 1_200)
    assert chosen.learn is not None
    assert chosen.learn[1] == chosen.serve[0]
    learned = data.raw(chosen.learn)["deliveries"].num_rows
    served = data.raw(chosen.serve)["deliveries"].num_rows
    assert learned + served == 1_200
    assert 0.15 < served / 1_200 < 0.35


def test_fewer_rows_are_learnt_from_in_smaller_batches() -> None:
    assert steps_kept({"batch_size": 1_024, "epochs": 5}, 0.25) == {"batch_size": 256}
    assert steps_kept({"batch_size": 1_024}, 0.01) == {"batch_size": 128}
    assert steps_kept({"batch_size": 64}, 0.01) == {}
    assert steps_kept({"epochs": 5}, 0.5) == {}
