"""The part `model` over an ONNX file, run in a worker process with limits of time and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest import manifest_paths
from mltest.adapters import onnx_session
from mltest.adapters.onnx_session import Description, Feed, Port
from mltest.evidence import PartFailure
from mltest.isolation import Worker
from mltest.rubric_yaml import nearest
from mltest.system import ModelInfo

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from mltest.manifest import Manifest

SECONDS = 60.0
MEMORY_BYTES = 6 << 30
CLASSIFICATIONS = ("binary", "multiclass", "routing", "document")


def from_manifest(manifest: Manifest, columns: Callable[[], Sequence[str]]) -> OnnxModel:
    """The model of a manifest. `columns` gives the inputs in order, once they are needed; nothing is opened yet."""
    keys = manifest.model
    if keys is None:
        raise ValueError("the manifest has no [model]")
    return OnnxModel(
        manifest_paths.file(manifest.root, keys.onnx),
        task=manifest.task,
        columns=columns,
        mapping={tensor: (to,) if isinstance(to, str) else tuple(to) for tensor, to in keys.inputs.items()},
        output=keys.output,
        positive=None if manifest.data is None else manifest.data.positive,
        version=keys.version,
        trained_until=keys.trained_until,
    )


class OnnxModel:
    """A model in an ONNX file.

    Tensors are filled from the columns that `mapping` names; without it from the columns of their own name, or, when
    there is one tensor (n, k), from all `columns` in order. `output` is the prediction; without it the scores of the
    classes are, or the first number. Several models may share a `worker`.

    Raises PartFailure, in one line, for a file that cannot be used and for limits that were reached, and ValueError
    for a batch that does not fit or that the model refuses.
    """

    def __init__(
        self,
        path: Path,
        *,
        task: str,
        columns: Callable[[], Sequence[str]] = tuple,
        mapping: Mapping[str, tuple[str, ...]] | None = None,
        output: str | None = None,
        positive: str | int | float | bool | None = None,
        version: str | None = None,
        trained_until: datetime | None = None,
        worker: Worker | None = None,
    ) -> None:
        self.path, self.task = path, task
        self._columns, self._mapping = columns, mapping or {}
        self._wanted_output, self._positive = output, positive
        self._version, self._trained_until = version, trained_until
        self._worker = worker or Worker(SECONDS, MEMORY_BYTES)

    @cached_property
    def metadata(self) -> ModelInfo:
        """Version (the beginning of the digest where none was given), sha256, and the columns that are really read."""
        described = self._description
        read = [column for feed in self._feeds if feed.tensor not in described.unread for column in feed.columns]
        return ModelInfo(
            version=self._version or described.digest[:12],
            digest=described.digest,
            trained_until=self._trained_until,
            inputs=tuple(dict.fromkeys(read)),
        )

    def predict(self, batch: pa.Table) -> np.ndarray:
        """One float64 a row (n,), or for more than two classes their scores (n, k) in the order of the model."""
        if batch.num_rows == 0:
            return np.empty(0)
        needed = list(dict.fromkeys(column for feed in self._feeds for column in feed.columns))
        missing = [column for column in needed if column not in batch.column_names]
        if missing:
            raise ValueError(f"the batch has no column {missing[0]!r}, which the model reads")
        described, output = self._description, self._output.name
        arguments = (str(self.path), described.digest, self._feeds, output, self._rows_at_once, batch.select(needed))
        answer = self._call(onnx_session.predict, *arguments)
        if len(answer) != batch.num_rows:
            raise PartFailure(f"{self.path.name}: gave {len(answer)} answers to {batch.num_rows} rows")
        return self._scores(answer)

    def close(self) -> None:
        """Ends the worker process; the next prediction starts another."""
        self._worker.close()

    @cached_property
    def _description(self) -> Description:
        described: Description = self._call(onnx_session.describe, str(self.path))
        return described

    @cached_property
    def _feeds(self) -> tuple[Feed, ...]:
        ports = self._description.inputs
        unknown = [tensor for tensor in self._mapping if tensor not in {port.name for port in ports}]
        if unknown:
            close = nearest(unknown[0], [port.name for port in ports])
            raise self._failure(f"has no input {unknown[0]!r}, named under model.inputs{close}")
        return tuple(self._feed(port, len(ports)) for port in ports)

    def _feed(self, port: Port, inputs: int) -> Feed:
        known = tuple(self._columns())
        if port.name in self._mapping:
            columns = self._mapping[port.name]
        elif port.name in known and port.shape[1:] in ((), (1,), (None,)):
            columns = (port.name,)
        elif inputs == 1 and len(port.shape) == 2:
            columns = known
        else:
            raise self._failure(f"nothing fills its input {port.name!r}; name its columns under model.inputs")
        width = port.shape[1] if len(port.shape) == 2 else 1 if len(port.shape) == 1 else None
        if len(port.shape) not in (1, 2) or (width is not None and width != len(columns)) or not columns:
            shape = ", ".join("n" if extent is None else str(extent) for extent in port.shape)
            remedy = "name the right ones, in order, under model.inputs"
            raise self._failure(f"its input {port.name!r} is ({shape}), and {len(columns)} columns fill it; {remedy}")
        if port.kind not in onnx_session.NUMPY:
            raise self._failure(f"its input {port.name!r} is {port.kind}, which no column can fill")
        return Feed(port.name, port.kind, columns, len(port.shape))

    @cached_property
    def _rows_at_once(self) -> int:
        fixed = {port.shape[0] for port in self._description.inputs if port.shape[0] is not None}
        if len(fixed) > 1:
            raise self._failure(f"its inputs want {sorted(fixed)} rows at once; export it with one batch size")
        size = fixed.pop() if fixed else onnx_session.CHUNK_ROWS
        if size not in (1, onnx_session.CHUNK_ROWS):
            raise self._failure(f"reads exactly {size} rows at once; export it with a batch of any size")
        return size

    @cached_property
    def _output(self) -> Port:
        ports = self._description.outputs
        if self._wanted_output is not None:
            for port in ports:
                if port.name == self._wanted_output:
                    return port
            close = nearest(self._wanted_output, [port.name for port in ports])
            raise self._failure(f"has no output {self._wanted_output!r}, named as model.output{close}")
        numbers = [port for port in ports if port.kind in ("tensor(float)", "tensor(double)", "tensor(float16)")]
        if self.task in CLASSIFICATIONS:
            mappings = [port for port in ports if port.kind.startswith("seq(map")]
            tables = [port for port in numbers if len(port.shape) == 2]
            return (mappings + tables + numbers + list(ports))[0]
        return (numbers + list(ports))[0]

    def _scores(self, answer: np.ndarray) -> np.ndarray:
        if answer.ndim == 2 and answer.shape[1] == 1:
            answer = answer[:, 0]
        if answer.ndim == 1 and answer.dtype.kind == "f":
            return answer
        if self.task == "binary":
            return self._of_positive(answer)
        if self.task in CLASSIFICATIONS and answer.ndim == 2 and answer.dtype.kind == "f":
            return answer
        if answer.ndim == 1 and answer.dtype.kind in "iub" and self.task not in CLASSIFICATIONS:
            return answer.astype(np.float64)
        shape = f"{answer.dtype} of shape {tuple(answer.shape)}"
        raise self._failure(f"its output {self._output.name!r} is {shape}, no prediction for {self.task}; name another")

    def _of_positive(self, answer: np.ndarray) -> np.ndarray:
        """The score of the positive class: the one that the manifest names, else the last one."""
        labels: tuple[Any, ...] = self._description.labels
        positive = self._positive if self._positive is not None else (labels[-1] if labels else None)
        if labels and positive not in labels:
            raise self._failure(f"knows the classes {list(labels)[:10]}, and data.positive is {positive!r}")
        if answer.ndim == 1 and positive is not None:
            chosen: np.ndarray = (answer == positive).astype(np.float64)
            return chosen
        if answer.ndim == 2 and answer.shape[1] == 2:
            scores: np.ndarray = answer[:, labels.index(positive) if labels else 1]
            return scores
        raise self._failure(f"its output {self._output.name!r} is {tuple(answer.shape)}, no answer for two classes")

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return self._worker.call(function, *arguments)
        except PartFailure as failure:
            raise self._failure(str(failure).removeprefix(f"{self.path.name}: ")) from None

    def _failure(self, problem: str) -> PartFailure:
        return PartFailure(f"{self.path.name}: {problem}")
