"""The exported graph: complete in one file, readable by its column names, and the very net that was trained."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pytest

from reference_system import artifact, export
from reference_system.artifact import Artifact
from reference_system.encoding import Encoding, NumberColumn
from reference_system.net import Architecture, QuantileNet
from reference_system.runtime import Predictor


@pytest.fixture(scope="module")
def model(trained: Artifact) -> bytes:
    return artifact.model_bytes(trained)


def test_every_column_is_an_input_by_its_name(model: bytes) -> None:
    session = onnxruntime.InferenceSession(model)
    kinds = {entry.name: entry.type for entry in session.get_inputs()}
    number, text = "tensor(float)", "tensor(string)"
    assert kinds == {
        "distance": number,
        "departure_delay": number,
        "plane_age": number,
        "carrier": text,
        "dest": text,
    }
    assert [entry.name for entry in session.get_outputs()] == ["quantiles"]


def test_the_file_alone_answers_raw_values(model: bytes, later_flights: pa.Table, trained: Artifact) -> None:
    rows = later_flights.slice(1, 5)
    feed = {
        name: rows.column(name).to_numpy().astype(np.float32).reshape(-1, 1)
        for name in ("distance", "departure_delay", "plane_age")
    } | {name: np.array(rows.column(name).to_pylist(), dtype=object).reshape(-1, 1) for name in ("carrier", "dest")}
    answer = onnxruntime.InferenceSession(model).run(None, feed)[0]
    assert np.allclose(answer, Predictor.of(trained).quantiles(rows))


def test_nothing_lies_outside_the_file_and_dropout_is_gone(model: bytes) -> None:
    graph = onnx.load_from_string(model).graph
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in graph.initializer)
    operators = {node.op_type for node in graph.node}
    assert "Dropout" not in operators
    assert "LabelEncoder" in operators


def test_the_net_that_is_rebuilt_exports_to_the_same_answers(model: bytes, later_flights: pa.Table) -> None:
    net, encoding = export.rebuilt(model)
    shape = Architecture((128, 64), 0.1, float(net.location), float(net.spread))
    metadata = {"config": {}, "trained_until": None}
    again = Predictor(export.to_onnx(net.float(), encoding, shape, metadata), version="again")
    first = Predictor(model, version="first")
    assert np.array_equal(again.quantiles(later_flights), first.quantiles(later_flights))


def test_numbers_alone_make_a_model_too() -> None:
    encoding = Encoding((NumberColumn("distance", 900.0, 300.0, 800.0, nullable=True, flagged=True),), ())
    shape = Architecture((4,), 0.0, 0.0, 1.0)
    model = export.to_onnx(QuantileNet(encoding, shape), encoding, shape, {"config": {}, "trained_until": None})
    answers = Predictor(model, version="v").predict(pa.table({"distance": [100.0, None]}))
    assert np.isfinite(answers).all()
