"""Minutes waited: a late plane costs its minutes, an early one three times those beyond five."""

from __future__ import annotations

import numpy as np
import pytest

from reference_system import impact


@pytest.mark.parametrize(("predicted", "happened", "waited"), [(0, 0, 0), (0, 10, 10), (10, 5, 0), (10, 0, 15)])
def test_waiting_counts_from_either_side(predicted: float, happened: float, waited: float):
    assert impact.minutes_waited(np.array([predicted]), np.array([happened])).tolist() == [waited]
