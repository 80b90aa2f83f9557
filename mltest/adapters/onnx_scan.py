"""What an ONNX file holds, looked at before any runtime sees it.

A model that reaches for other files, brings operators of its own, or is out of all proportion is refused. External
data is looked for in every tensor, dense and sparse, in attributes, subgraphs and functions, because runtimes have
opened such files before their own check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mltest.evidence import PartFailure

MAX_NODES = 200_000
MAX_DEPTH = 32
MAX_ELEMENTS = 2**31
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""Operators that the runtime itself has; the last are its own, needed by quantised models."""


@dataclass(frozen=True)
class Contents:
    """Class labels that the model names, in the order of its scores, and inputs that no node reads."""

    labels: tuple[str | int, ...]
    unread: tuple[str, ...]


def scan(content: bytes, shown: str) -> Contents:
    """What the model holds. Raises PartFailure for bytes that are no model, or one that is refused."""
    import onnx

    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # protobuf's own errors differ between its implementations
        raise PartFailure(f"{shown}: is not an ONNX model, whatever its name says; export it again") from None
    if not model.graph.node or not model.graph.output:
        raise PartFailure(f"{shown}: is not an ONNX model with a graph; export it again")
    local = {function.domain for function in model.functions}
    nodes = [*_nodes(model.graph.node), *(n for function in model.functions for n in _nodes(function.node))]
    for node in nodes:
        if node.domain not in _DOMAINS and node.domain not in local:
            operator = f"{node.domain}.{node.op_type}"
            raise PartFailure(f"{shown}: needs the operator {operator!r}, which the runtime itself does not have")
    for tensor in _tensors(model, nodes):
        _refuse_odd(tensor, shown)
    return Contents(_labels(nodes), _unread(model.graph, nodes))


def _nodes(nodes: Any, depth: int = 0) -> Iterator[Any]:
    """All nodes, those of subgraphs included."""
    if depth > MAX_DEPTH:
        raise PartFailure(f"the model nests subgraphs deeper than {MAX_DEPTH}")
    for count, node in enumerate(nodes):
        if count > MAX_NODES:
            raise PartFailure(f"the model has more than {MAX_NODES} nodes")
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes(graph.node, depth + 1)


def _tensors(model: Any, nodes: list[Any]) -> Iterator[Any]:
    graphs = [model.graph]
    graphs += [graph for step in model.training_info for graph in (step.initialization, step.algorithm)]
    for node in nodes:
        for attribute in node.attribute:
            graphs += [attribute.g, *attribute.graphs]
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)


def _refuse_odd(tensor: Any, shown: str) -> None:
    if tensor.external_data or tensor.data_location == tensor.EXTERNAL:
        raise PartFailure(f"{shown}: keeps tensors in other files, which are not opened; save it as one file")
    elements = 1
    for extent in tensor.dims:
        elements *= extent
    if elements > MAX_ELEMENTS or any(extent < 0 for extent in tensor.dims):
        raise PartFailure(f"{shown}: holds a tensor of {list(tensor.dims)[:8]}, out of all proportion")


def _labels(nodes: list[Any]) -> tuple[str | int, ...]:
    """The last classes that a node names, in order; operators of trees, linear models and zip maps all do."""
    found: tuple[str | int, ...] = ()
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name in ("classlabels_int64s", "classlabels_ints") and attribute.ints:
                found = tuple(attribute.ints)
            if attribute.name == "classlabels_strings" and attribute.strings:
                found = tuple(text.decode("utf-8", "replace") for text in attribute.strings)
    return found


def _unread(graph: Any, nodes: list[Any]) -> tuple[str, ...]:
    read = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
    return tuple(entry.name for entry in graph.input if entry.name not in read)
