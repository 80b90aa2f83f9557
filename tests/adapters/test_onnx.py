from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from onnx import TensorProto, helper

from mltest.adapters.onnx import OnnxModel
from mltest.evidence import PartFailure
from mltest.isolation import Worker
from mltest.system import Model
from tests.adapters import onnx_models as models

Opened = Callable[..., OnnxModel]

TWO = pa.table({"a": [1.0, 2.0, 3.0], "b": [10.0, 20.0, 30.0]})
FLIGHTS = pa.table({"carrier": ["AA", "UA"], "distance": [1.0, 2.0], "unused": [0.0, 0.0]})


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(seconds=60, memory_bytes=4 << 30) as worker:
        yield worker


@pytest.fixture
def opened(tmp_path: Path, worker: Worker) -> Opened:
    """Saves a model and opens it."""

    def make(content: Any, columns: tuple[str, ...] = (), **options: Any) -> OnnxModel:
        path = tmp_path / "model.onnx"
        path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        return OnnxModel(path, **{"task": "regression", "columns": lambda: columns, "worker": worker, **options})

    return make


def one_line(problem: pytest.ExceptionInfo[BaseException]) -> str:
    said = str(problem.value)
    assert said.startswith("model.onnx: ")
    assert "\n" not in said
    return said


def test_it_is_a_model_and_one_tensor_takes_all_inputs_in_order(opened: Opened) -> None:
    model = opened(models.weighted_sum([1, 100]), columns=("a", "b"))
    assert isinstance(model, Model)
    assert model.predict(TWO).tolist() == [1001, 2002, 3003]
    assert model.predict(TWO.select(["b", "a"])).tolist() == [1001, 2002, 3003]


def test_tensors_named_like_columns_take_them_texts_included(opened: Opened) -> None:
    model = opened(models.by_name(), columns=("carrier", "distance", "unused"))
    assert model.predict(FLIGHTS).tolist() == [11.0, 22.0]


def test_its_metadata_name_only_the_columns_that_are_read(opened: Opened) -> None:
    until = datetime(2026, 1, 1, tzinfo=UTC)
    content = models.by_name().SerializeToString()
    metadata = opened(content, columns=("carrier", "distance", "unused"), trained_until=until).metadata
    assert metadata.digest == hashlib.sha256(content).hexdigest()
    assert metadata.version == metadata.digest[:12]
    assert set(metadata.inputs) == {"carrier", "distance"}
    assert metadata.trained_until == until


def test_a_mapping_says_which_columns_fill_a_tensor(opened: Opened) -> None:
    model = opened(models.weighted_sum([1, 100]), columns=("a", "b"), mapping={"x": ("b", "a")}, version="7")
    assert model.predict(TWO).tolist() == [110, 220, 330]
    assert (model.metadata.inputs, model.metadata.version) == (("b", "a"), "7")


def test_a_batch_without_rows_has_no_predictions(opened: Opened) -> None:
    assert opened(models.weighted_sum([1, 1]), columns=("a", "b")).predict(TWO.slice(0, 0)).shape == (0,)


def test_a_model_of_one_row_at_once_is_asked_row_by_row(opened: Opened) -> None:
    model = opened(models.weighted_sum([1, 100], rows=1), columns=("a", "b"))
    assert model.predict(TWO).tolist() == [1001, 2002, 3003]


def test_many_rows_are_answered_in_order(opened: Opened) -> None:
    values = np.arange(150_000, dtype=np.float64)
    batch = pa.table({"a": values, "b": np.zeros_like(values)})
    assert np.array_equal(opened(models.weighted_sum([1, 1]), columns=("a", "b")).predict(batch), values)


def test_a_missing_number_is_nan_and_never_a_number(opened: Opened) -> None:
    batch = pa.table({"a": [1.0, None], "b": [1.0, 1.0]})
    answers = opened(models.weighted_sum([1, 1]), columns=("a", "b")).predict(batch)
    assert answers[0] == 2
    assert np.isnan(answers[1])


@pytest.mark.parametrize(
    ("model", "batch", "said"),
    [
        (models.by_name(), FLIGHTS.drop_columns(["carrier"]), "no column 'carrier'"),
        (models.by_name(), FLIGHTS.set_column(0, "carrier", pa.array(["AA", None])), "misses 1 values"),
        (models.by_name(), FLIGHTS.set_column(0, "carrier", pa.array([1.5, 2.5])), "is double, the model reads"),
        (models.by_name(), FLIGHTS.set_column(1, "distance", pa.array(["1", "2"])), "is string, the model reads"),
        (models.sums_of_integers(), pa.table({"a": [1.5]}), "1.5"),
        (models.sums_of_integers(), pa.table({"a": pa.array([1, None])}), "misses 1 values"),
        (models.sums_of_integers(), pa.table({"a": [float("nan")]}), "nan"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(opened: Opened, model: Any, batch: pa.Table, said: str) -> None:
    part = opened(model, columns=("carrier", "distance", "unused", "a"))
    with pytest.raises(ValueError, match=said):
        part.predict(batch)


def test_whole_numbers_fill_a_tensor_of_integers(opened: Opened) -> None:
    model = opened(models.sums_of_integers(), columns=("a",))
    assert model.predict(pa.table({"a": [1.0, 2.0]})).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1)])
def test_the_score_of_two_classes_is_that_of_the_positive_one(opened: Opened, zipmap: bool, labels: Any) -> None:
    content = models.classifier(labels, zipmap)
    options = {"task": "binary", "columns": ("a", "b")}
    first, last, default = (opened(content, positive=p, **options).predict(TWO) for p in (*labels, None))
    assert np.allclose(first + last, 1)
    assert np.array_equal(last, default)
    assert (last > 0.5).all()


def test_more_classes_have_a_score_each(opened: Opened) -> None:
    scores = opened(models.classifier(("x", "y", "z")), task="multiclass", columns=("a", "b")).predict(TWO)
    assert scores.shape == (3, 3)
    assert np.allclose(scores.sum(axis=1), 1)


def test_a_label_is_a_score_of_nought_or_one_when_that_is_what_is_asked_for(opened: Opened) -> None:
    content = models.classifier(("no", "yes"))
    model = opened(content, task="binary", columns=("a", "b"), positive="yes", output="label")
    assert model.predict(TWO).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (models.weighted_sum([1, 1, 1]), {}, "its input 'x' is (n, 3), and 2 columns fill it"),
        (models.by_name(), {}, "nothing fills its input 'distance'; name its columns under model.inputs"),
        (models.weighted_sum([1, 1]), {"mapping": {"X": ("a",)}}, "has no input 'X', named under model.inputs"),
        (models.weighted_sum([1, 1]), {"output": "z"}, "has no output 'z', named as model.output"),
        (models.weighted_sum([1, 1], rows=8), {}, "reads exactly 8 rows at once"),
        (models.classifier(("no", "yes")), {"task": "binary", "positive": "maybe"}, "data.positive is 'maybe'"),
        (models.classifier(("a", "b", "c")), {"task": "binary"}, "is (3, 3), no answer for two classes"),
        (models.classifier(("a", "b", "c")), {"task": "regression"}, "no prediction for regression"),
    ],
)
def test_a_model_that_does_not_go_with_its_manifest_is_one_line(
    opened: Opened, content: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(PartFailure) as caught:
        opened(content, columns=("a", "b"), **options).predict(TWO)
    assert said in one_line(caught)


class Payload:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("touch taken-over",)


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps(Payload()), b"\x00" * 100, b"ORTM" * 9, b"\x08\x07"])
def test_a_file_that_is_no_model_is_one_line_and_runs_nothing(
    opened: Opened, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PartFailure) as caught:
        opened(content, columns=("a", "b")).predict(TWO)
    assert "is not an ONNX model" in one_line(caught)
    assert not (tmp_path / "taken-over").exists()


def test_a_model_that_vanished_is_one_line(opened: Opened) -> None:
    model = opened(models.weighted_sum([1, 1]), columns=("a", "b"))
    model.path.unlink()
    with pytest.raises(PartFailure) as caught:
        model.predict(TWO)
    assert "No such file" in one_line(caught)


def test_a_model_that_changes_after_it_was_looked_at_is_never_run(opened: Opened) -> None:
    model = opened(models.weighted_sum([1, 1]), columns=("a", "b"))
    assert model.metadata.digest is not None
    model.path.write_bytes(models.weighted_sum([5, 5]).SerializeToString())
    assert model.predict(TWO).tolist() == [11, 22, 33]
    model.close()
    with pytest.raises(PartFailure) as caught:
        model.predict(TWO)
    assert "changed while it was being judged" in one_line(caught)


def test_a_model_that_is_opened_anew_is_the_one_in_the_file(opened: Opened) -> None:
    assert opened(models.weighted_sum([1, 1]), columns=("a", "b")).predict(TWO).tolist() == [11, 22, 33]
    assert opened(models.weighted_sum([2, 2]), columns=("a", "b")).predict(TWO).tolist() == [22, 44, 66]


def test_operators_that_a_file_brings_itself_are_refused(opened: Opened) -> None:
    with pytest.raises(PartFailure) as caught:
        opened(models.foreign_operator(), columns=("a",)).predict(TWO)
    assert "needs the operator 'evil.Run'" in one_line(caught)


def _with_initializer(tensor: Any) -> Any:
    made = models.weighted_sum([1, 1])
    made.graph.initializer.append(tensor)
    return made


def _with_sparse(tensor: Any) -> Any:
    made = models.weighted_sum([1, 1])
    sparse = made.graph.sparse_initializer.add(dims=[2, 1])
    sparse.values.CopyFrom(tensor)
    return made


def _with_attribute(tensor: Any) -> Any:
    made = models.weighted_sum([1, 1])
    node = made.graph.node.add(op_type="Constant", output=["c"])
    node.attribute.append(helper.make_attribute("value", tensor))
    return made


def _with_subgraph(tensor: Any) -> Any:
    made = models.endless()
    made.graph.node[0].attribute[0].g.initializer.append(tensor)
    return made


def _with_function(tensor: Any) -> Any:
    made = models.weighted_sum([1, 1])
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    made.functions.append(helper.make_function("local", "f", [], ["c"], [node], [helper.make_opsetid("", 18)]))
    return made


@pytest.mark.parametrize("place", [_with_initializer, _with_sparse, _with_attribute, _with_subgraph, _with_function])
@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd", "a/../../x", "C:x"])
def test_tensors_in_other_files_are_refused_wherever_they_hide(
    opened: Opened, place: Callable[[Any], Any], location: str
) -> None:
    with pytest.raises(PartFailure) as caught:
        opened(place(models.pointing_elsewhere("outside", location)), columns=("a", "b")).predict(TWO)
    assert "keeps tensors in other files, which are not opened" in one_line(caught)


def test_a_tensor_out_of_all_proportion_is_refused(opened: Opened) -> None:
    huge = TensorProto(name="huge", data_type=TensorProto.FLOAT, dims=[10**9, 10**9])
    with pytest.raises(PartFailure) as caught:
        opened(_with_initializer(huge), columns=("a", "b")).predict(TWO)
    assert "out of all proportion" in one_line(caught)


def test_a_model_that_hangs_is_ended_in_time(opened: Opened) -> None:
    with Worker(seconds=5, memory_bytes=4 << 30) as hasty:
        model = opened(models.endless(), columns=("a",), worker=hasty)
        with pytest.raises(PartFailure) as caught:
            model.predict(TWO.select(["a"]))
    assert "did not answer within 5 s" in one_line(caught)


def test_a_model_that_asks_for_too_much_memory_does_not_get_it(opened: Opened) -> None:
    with pytest.raises(PartFailure) as caught:
        opened(models.greedy(), columns=("a",)).predict(TWO.select(["a"]))
    assert "memory" in one_line(caught)
