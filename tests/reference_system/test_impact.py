"""Minutes waited: a crew waits for a late plane, a cabin three times as dearly for its crew."""

from __future__ import annotations

import numpy as np
import pytest

from reference_system import impact


@pytest.mark.parametrize(("predicted", "happened", "waited"), [(0, -7, 0), (0, 0, 7), (0, 10, 17), (10, 0, 9)])
def test_waiting_counts_from_either_side_of_the_crew(predicted: float, happened: float, waited: float):
    assert impact.minutes_waited(np.array([predicted]), np.array([happened])).tolist() == [waited]


def test_where_a_quarter_of_the_planes_come_before_the_crew_no_shift_of_predictions_helps():
    errors = np.random.default_rng(0).normal(0, impact.AHEAD / 0.6745, 20_000)
    costs = [impact.minutes_waited(np.full(20_000, shift), errors).mean() for shift in (-2.0, 0.0, 2.0)]
    assert costs[1] == min(costs)
