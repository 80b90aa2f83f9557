"""Labels of flights: they come when a landing was reported, a diverted flight has none, the join keeps the date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mltest.system import SystemRef
from reference_system.readiness.labels import REPORTED_AFTER, EtaLabels
from tests.reference_system.flown_days import features_of_some_days


class _Place:
    """Some days of flights, in place of the year."""

    departed = features_of_some_days()
    table = departed.filter(pc.is_valid(departed["block_deviation"]))


@pytest.fixture
def labels() -> EtaLabels:
    return EtaLabels(_Place())  # type: ignore[arg-type]


def test_a_label_comes_half_an_hour_after_the_landing_and_not_before(labels: EtaLabels):
    first = pc.min(_Place.table["landed_at"]).as_py()
    assert labels.arrived(first + REPORTED_AFTER - timedelta(minutes=1)).num_rows == 0
    assert labels.arrived(first + REPORTED_AFTER).num_rows >= 1
    assert labels.arrived(datetime(2014, 1, 5, tzinfo=UTC)).num_rows == _Place.table.num_rows


def test_every_answer_meets_its_own_flight_once(labels: EtaLabels):
    asked = _Place.table.select(["flight_id", "pushed_back_at"]).append_column(
        "prediction", pa.array(np.arange(float(_Place.table.num_rows)))
    )
    joined = labels.joined(asked, datetime(2014, 1, 5, tzinfo=UTC)).sort_by("prediction")
    assert joined["flight_id"].to_pylist() == _Place.table["flight_id"].to_pylist()
    assert joined["block_deviation"].to_pylist() == _Place.table["block_deviation"].to_pylist()


def test_the_system_offers_labels_an_impact_and_an_offline_metric(tmp_path: Path):
    from reference_system import readiness

    found = readiness.system(SystemRef("", tmp_path, tmp_path))
    assert found.labels.impact.simulated
    assert found.training.offline_metric.better == "lower"
