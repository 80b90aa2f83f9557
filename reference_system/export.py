"""A net and its encoders as one ONNX graph that reads raw feature values, and back again.

Every input column is an input of the graph, by name: float32 for a number (NaN is missing), text for a category.
Vocabularies are label encoders inside the graph, so that a model cannot be separated from its encoders.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from reference_system.encoding import UNKNOWN, Encoding
from reference_system.net import Architecture, QuantileNet

OPSET = 17
OUTPUT = "quantiles"


def to_onnx(net: QuantileNet, encoding: Encoding, architecture: Architecture, metadata: Mapping[str, Any]) -> bytes:
    """The net in evaluation mode as a serialised graph; the same net always gives the same bytes.

    `metadata` (plain data) travels in the graph together with what is needed to rebuild the net in torch.
    """
    model = _traced(net.to("cpu").eval(), encoding)
    graph = model.graph
    nodes, inputs = _column_inputs(encoding)
    body = list(graph.node)
    del graph.node[:]
    del graph.input[:]
    graph.node.extend([*nodes, *body])
    graph.input.extend(inputs)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 2))
    described = {**metadata, "encoding": encoding.as_mapping(), "architecture": asdict(architecture)}
    helper.set_model_props(model, {key: json.dumps(value, sort_keys=True) for key, value in sorted(described.items())})
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def rebuilt(model: bytes) -> tuple[QuantileNet, Encoding]:
    """The net in torch, in float64 and evaluation mode, from the very weights that are shipped."""
    proto = onnx.load_from_string(model)
    described = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    encoding = Encoding.from_mapping(described["encoding"])
    shape = described["architecture"]
    architecture = Architecture(**{**shape, "hidden": tuple(shape["hidden"])})
    net = QuantileNet(encoding, architecture)
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    state = {
        name: torch.from_numpy(np.array(held[name])).reshape(own.shape) if name in held else own
        for name, own in net.state_dict().items()
    }
    net.load_state_dict(state)
    return net.double().eval(), encoding


def _traced(net: QuantileNet, encoding: Encoding) -> onnx.ModelProto:
    numbers = torch.zeros(2, len(encoding.numbers))
    codes = torch.zeros(2, len(encoding.categories), dtype=torch.int64)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that follows it needs a further package and takes seconds instead of a fraction of one.
        warnings.simplefilter("ignore")
        path = Path(folder) / "net.onnx"
        torch.onnx.export(
            net,
            (numbers, codes),
            path,
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=False,
            input_names=["numbers", "codes"],
            output_names=[OUTPUT],
            dynamic_axes={"numbers": {0: "rows"}, "codes": {0: "rows"}, OUTPUT: {0: "rows"}},
        )
        return onnx.load_from_string(path.read_bytes())


def _column_inputs(encoding: Encoding) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    nodes = []
    inputs = []
    for column in encoding.numbers:
        inputs.append(helper.make_tensor_value_info(column.name, TensorProto.FLOAT, ["rows", 1]))
    for category in encoding.categories:
        inputs.append(helper.make_tensor_value_info(category.name, TensorProto.STRING, ["rows", 1]))
        nodes.append(_label_encoder(category.name, category.vocabulary))
    if encoding.numbers:
        names = [column.name for column in encoding.numbers]
        nodes.append(helper.make_node("Concat", names, ["numbers"], axis=1))
    if encoding.categories:
        names = [_coded(column.name) for column in encoding.categories]
        nodes.append(helper.make_node("Concat", names, ["codes"], axis=1))
    return nodes, inputs


def _label_encoder(name: str, vocabulary: tuple[str, ...]) -> onnx.NodeProto:
    # An empty vocabulary is legal here (all values rare), but not in the operator: one impossible key stands in.
    keys = list(vocabulary) or ["\x00"]
    codes = list(range(1, len(vocabulary) + 1)) or [UNKNOWN]
    return helper.make_node(
        "LabelEncoder",
        [name],
        [_coded(name)],
        domain="ai.onnx.ml",
        keys_strings=keys,
        values_int64s=codes,
        default_int64=UNKNOWN,
    )


def _coded(name: str) -> str:
    return f"{name}::code"
