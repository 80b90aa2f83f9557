"""The model as it is served: same answers as the trace, unknown never silent, no input taken on trust."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system.artifact import Artifact
from reference_system.encoding import InputError
from reference_system.runtime import Predictor


@pytest.fixture(scope="module")
def predictor(trained: Artifact) -> Predictor:
    return Predictor.of(trained)


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def test_onnx_and_the_trace_in_double_precision_agree(predictor: Predictor, later_flights: pa.Table) -> None:
    trace = predictor.trace(later_flights)
    assert np.abs(trace["quantiles"] - predictor.quantiles(later_flights)).max() < 1e-3
    assert np.abs(trace["answer"] - predictor.predict(later_flights)).max() < 1e-3


def test_a_trace_shows_every_stage_in_order_and_ends_with_the_answer(
    predictor: Predictor, later_flights: pa.Table
) -> None:
    trace = predictor.trace(later_flights.slice(0, 5))
    assert list(trace) == ["inputs", "codes", "encoded", "layer_1", "layer_2", "heads", "quantiles", "answer"]
    assert all(stage.shape[0] == 5 for stage in trace.values())
    assert all(stage.dtype == np.float64 for name, stage in trace.items() if name != "codes")
    assert trace["layer_2"].shape == (5, 64)


@settings(max_examples=40, deadline=None)
@given(
    distance=st.floats(-1e5, 1e5),
    delay=st.floats(-1e5, 1e5),
    age=st.none() | st.floats(-1e3, 1e3),
    carrier=st.text(max_size=4),
    dest=st.sampled_from(["LAX", "BOS", "nowhere", ""]),
)
def test_quantiles_never_cross_and_records_equal_tables(
    predictor: Predictor, distance: float, delay: float, age: float | None, carrier: str, dest: str
) -> None:
    record = {"distance": distance, "departure_delay": delay, "plane_age": age, "carrier": carrier, "dest": dest}
    table = pa.Table.from_pylist([record]).set_column(2, "plane_age", pa.array([age], pa.float64()))
    quantiles = predictor.quantiles(table)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert np.array_equal(quantiles, predictor.quantiles_of([record]))


def test_one_row_is_answered_like_the_same_row_in_a_batch(predictor: Predictor, later_flights: pa.Table) -> None:
    batch = predictor.predict(later_flights.slice(0, 200))
    single = [predictor.predict(later_flights.slice(index, 1))[0] for index in range(200)]
    assert np.allclose(batch, single, atol=1e-4)


def test_an_unseen_category_has_an_answer_and_is_reported(predictor: Predictor, later_flights: pa.Table) -> None:
    row = with_column(later_flights.slice(1, 1), "dest", pa.array(["XYZ"]))
    assert np.isfinite(predictor.predict(row)).all()
    assert predictor.unknown(row)["dest"].tolist() == [True]
    assert predictor.unknown(later_flights.slice(1, 1))["dest"].tolist() == [False]


def test_a_missing_value_is_answered_where_the_catalogue_allows_it_only(
    predictor: Predictor, later_flights: pa.Table
) -> None:
    rows = later_flights.slice(1, 3)
    nothing = pa.array([None, None, None], pa.float64())
    words = pa.array([None, "AA", None], pa.string())
    assert np.isfinite(predictor.predict(with_column(rows, "plane_age", nothing))).all()
    assert np.isnan(predictor.quantiles(with_column(rows, "distance", nothing))).all()
    assert np.isnan(predictor.predict(with_column(rows, "carrier", words))).tolist() == [True, False, True]


def test_the_absence_of_a_value_is_not_the_same_as_its_median(predictor: Predictor, later_flights: pa.Table) -> None:
    rows = later_flights.slice(1, 3)
    fill = next(column.fill for column in predictor.encoding.numbers if column.name == "plane_age")
    absent = predictor.predict(with_column(rows, "plane_age", pa.array([None] * 3, pa.float64())))
    median = predictor.predict(with_column(rows, "plane_age", pa.array([fill] * 3)))
    assert (absent != median).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39, 1e38, -1e12])
def test_what_is_no_quantity_is_refused_by_name(predictor: Predictor, later_flights: pa.Table, value: float) -> None:
    with pytest.raises(InputError, match="'distance'"):
        predictor.predict(with_column(later_flights.slice(1, 1), "distance", pa.array([value])))


def test_a_missing_column_and_another_type_are_refused_by_name(predictor: Predictor, later_flights: pa.Table) -> None:
    row = later_flights.slice(1, 1)
    with pytest.raises(InputError, match="'dest' is missing"):
        predictor.predict(row.drop_columns(["dest"]))
    with pytest.raises(InputError, match="'distance' has type string"):
        predictor.predict(with_column(row, "distance", pa.array(["far"])))
    with pytest.raises(InputError, match="'dest' has type int64"):
        predictor.predict(with_column(row, "dest", pa.array([3])))
    with pytest.raises(InputError, match="'dest' is missing"):
        predictor.quantiles_of([{"distance": 1.0, "departure_delay": 1.0, "plane_age": None, "carrier": "AA"}])


def test_a_record_with_words_for_a_number_or_an_infinite_one_is_refused_by_name(predictor: Predictor) -> None:
    record = {"distance": 1.0, "departure_delay": 1.0, "plane_age": None, "carrier": "AA", "dest": "LAX"}
    for wrong, named in (
        ({"distance": "far"}, "distance"),
        ({"plane_age": np.inf}, "plane_age"),
        ({"dest": 3}, "dest"),
    ):
        with pytest.raises(InputError, match=named):
            predictor.quantiles_of([{**record, **wrong}])
    with pytest.raises(InputError, match="'plane_age' is missing"):
        predictor.quantiles_of([{name: value for name, value in record.items() if name != "plane_age"}])


def test_no_rows_give_no_answers(predictor: Predictor, later_flights: pa.Table) -> None:
    assert predictor.quantiles(later_flights.slice(0, 0)).shape == (0, 3)


def test_the_model_says_what_it_is(predictor: Predictor, trained: Artifact) -> None:
    assert predictor.metadata.version == trained.version
    assert predictor.metadata.digest == trained.digest
    assert predictor.metadata.inputs == ("distance", "departure_delay", "plane_age", "carrier", "dest")
    assert predictor.metadata.trained_until is not None


def test_a_server_that_predicts_does_not_load_torch(trained: Artifact, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from reference_system.runtime import Predictor;"
        "Predictor.of(Path(sys.argv[1])); print('torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run(
        [sys.executable, "-c", script, str(trained.path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("module", ["reference_system.server_process", "reference_system.readiness"])
def test_what_serves_and_what_is_audited_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'mlflow', 'pandas'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
