"""Small ONNX models, made where a test needs one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, STRING, INT64, BOOL = TensorProto.FLOAT, TensorProto.STRING, TensorProto.INT64, TensorProto.BOOL
ML = "ai.onnx.ml"


def tensor(name: str, kind: int = FLOAT, shape: Sequence[int | None] = (None, 1)) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def constant(name: str, value: Any) -> Any:
    return numpy_helper.from_array(np.asarray(value), name)


def model(nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], constants: Sequence[Any] = ()) -> Any:
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(constants))
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(ML, 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def weighted_sum(weights: Sequence[float], rows: int | None = None) -> Any:
    """One tensor `x` (n, k) in, `y` (n, 1) out."""
    width = len(weights)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    column = np.array(weights, dtype=np.float32).reshape(width, 1)
    return model(nodes, [tensor("x", shape=(rows, width))], [tensor("y", shape=(rows, 1))], [constant("w", column)])


def by_name() -> Any:
    """Tensors `distance` and `carrier`, named like columns; `unused` is an input that no node reads."""
    nodes = [
        helper.make_node(
            "LabelEncoder", ["carrier"], ["code"], domain=ML, keys_strings=["AA", "UA"], values_floats=[10.0, 20.0]
        ),
        helper.make_node("Add", ["distance", "code"], ["y"]),
    ]
    return model(nodes, [tensor("distance"), tensor("carrier", STRING), tensor("unused")], [tensor("y")])


def sums_of_integers() -> Any:
    return model([helper.make_node("Add", ["a", "a"], ["y"])], [tensor("a", INT64)], [tensor("y", INT64)])


def classifier(labels: Sequence[str] | Sequence[int], zipmap: bool = False) -> Any:
    """A linear classifier of `x` (n, 2): outputs `label`, and `scores` as (n, k) or as mappings."""
    k = len(labels)
    kind = STRING if isinstance(labels[0], str) else INT64
    names = {"classlabels_strings" if kind == STRING else "classlabels_ints": list(labels)}
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", "raw"],
            domain=ML,
            coefficients=[float(n) for n in range(2 * k)],
            intercepts=[0.0] * k,
            post_transform="SOFTMAX",
            **names,
        )
    ]
    label = tensor("label", kind, (None,))
    if not zipmap:
        nodes.append(helper.make_node("Identity", ["raw"], ["scores"]))
        return model(nodes, [tensor("x", shape=(None, 2))], [label, tensor("scores", shape=(None, k))])
    key = "classlabels_strings" if kind == STRING else "classlabels_int64s"
    nodes.append(helper.make_node("ZipMap", ["raw"], ["scores"], domain=ML, **{key: list(labels)}))
    mapping = helper.make_map_type_proto(kind, helper.make_tensor_type_proto(FLOAT, []))
    scores = helper.make_value_info("scores", helper.make_sequence_type_proto(mapping))
    return model(nodes, [tensor("x", shape=(None, 2))], [label, scores])


def endless() -> Any:
    """A loop of 2^62 rounds."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still"]),
            helper.make_node("Add", ["total", "step"], ["more"]),
        ],
        "body",
        [tensor("round", INT64, ()), tensor("going", BOOL, ()), tensor("total", FLOAT, (None, 1))],
        [tensor("still", BOOL, ()), tensor("more", FLOAT, (None, 1))],
        [constant("step", np.float32(1))],
    )
    nodes = [helper.make_node("Loop", ["rounds", "yes", "x"], ["y"], body=body)]
    constants = [constant("rounds", np.int64(2**62)), constant("yes", np.bool_(True))]
    return model(nodes, [tensor("x")], [tensor("y")], constants)


def greedy() -> Any:
    """It asks for 256 GB."""
    nodes = [
        helper.make_node("ConstantOfShape", ["extent"], ["many"]),
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return model(nodes, [tensor("x")], [tensor("y")], [constant("extent", np.array([2**36], dtype=np.int64))])


def foreign_operator() -> Any:
    graph = helper.make_graph([helper.make_node("Run", ["x"], ["y"], domain="evil")], "g", [tensor("x")], [tensor("y")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("evil", 1)], ir_version=9)


def pointing_elsewhere(name: str, location: str) -> Any:
    """A float tensor (2, 1) whose values lie in another file."""
    outside = TensorProto(name=name, data_type=FLOAT, dims=[2, 1], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value=location)
    return outside
