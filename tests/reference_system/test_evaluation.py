from __future__ import annotations

import numpy as np
import pyarrow as pa

from reference_system import evaluation
from reference_system.artifact import Artifact
from reference_system.runtime import Predictor


def test_an_error_that_is_not_a_number_is_not_averaged_away(trained: Artifact, later_flights: pa.Table) -> None:
    index = later_flights.schema.get_field_index("distance")
    holed = pa.array([None, *later_flights.column("distance").to_pylist()[1:]], pa.float64())
    rows = later_flights.set_column(index, "distance", holed).slice(0, 50)
    known = rows.set_column(rows.schema.get_field_index("block_deviation"), "block_deviation", pa.array([1.0] * 50))
    assert np.isnan(evaluation.measure(Predictor.of(trained), known, "block_deviation")["validation_mae"])


def test_without_labelled_rows_the_error_is_unknown(trained: Artifact, later_flights: pa.Table) -> None:
    measured = evaluation.measure(Predictor.of(trained), later_flights.slice(0, 0), "block_deviation")
    assert measured["validation_rows"] == 0
    assert np.isnan(measured["validation_mae"])
