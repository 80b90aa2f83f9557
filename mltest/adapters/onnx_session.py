"""Running an ONNX model: the half of the adapter that lives in a worker process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.adapters import onnx_scan
from mltest.evidence import PartFailure

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 1 << 30
CHUNK_ROWS = 65_536
SESSIONS = 4
NUMPY: Mapping[str, type[np.generic] | type[object]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


@dataclass(frozen=True)
class Port:
    """An input or output: its type as the runtime writes it, and its extents (None where they may vary)."""

    name: str
    kind: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Feed:
    """The columns that fill one tensor: an array (n,) or (n, number of columns), as `rank` says."""

    tensor: str
    kind: str
    columns: tuple[str, ...]
    rank: int


@dataclass(frozen=True)
class Description:
    """What a model says about itself. `labels` are class labels in the order of its scores, if it names them."""

    digest: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    labels: tuple[str | int, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class _Opened:
    session: Any
    description: Description


_sessions: dict[str, _Opened] = {}


def describe(path: str) -> Description:
    """Opens the model. Raises PartFailure for a file that is none or is refused."""
    return _open(path).description


def predict(path: str, digest: str, feeds: Sequence[Feed], output: str, rows_at_once: int, batch: pa.Table) -> Any:
    """One output for every row: an array (n,) or (n, k), of numbers or of labels.

    Raises ValueError for a batch that does not fit the tensors, or that the model refuses, and PartFailure when the
    file is no longer the one with this digest.
    """
    opened = _sessions.get(digest) or _open(path)
    if opened.description.digest != digest:
        raise PartFailure(f"{Path(path).name}: changed while it was being judged; run again")
    tensors = {feed.tensor: _tensor(batch, feed) for feed in feeds}
    answers = []
    for start in range(0, batch.num_rows, rows_at_once):
        piece = {name: array[start : start + rows_at_once] for name, array in tensors.items()}
        answers.append(_array(_run(opened.session, output, piece), opened.description.labels))
    return np.concatenate(answers)


def _open(path: str) -> _Opened:
    """Reads the file once: what is looked at, hashed and run are the same bytes. The last few sessions are kept."""
    shown = Path(path).name
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PartFailure(f"{shown}: is larger than {MAX_BYTES >> 20} MB, the most that is read")
    digest = hashlib.sha256(content).hexdigest()
    if digest not in _sessions:
        while len(_sessions) >= SESSIONS:
            del _sessions[next(iter(_sessions))]
        _sessions[digest] = _loaded(content, digest, shown)
    return _sessions[digest]


def _loaded(content: bytes, digest: str, shown: str) -> _Opened:
    import onnxruntime

    contents = onnx_scan.scan(content, shown)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exceptions share no base but this
        raise PartFailure(f"{shown}: the runtime cannot load it: {error}") from None
    inputs, outputs = (tuple(map(_port, ports)) for ports in (session.get_inputs(), session.get_outputs()))
    return _Opened(session, Description(digest, inputs, outputs, contents.labels, contents.unread))


def _port(port: Any) -> Port:
    return Port(port.name, port.type, tuple(e if isinstance(e, int) and e > 0 else None for e in port.shape or ()))


def _run(session: Any, output: str, tensors: Mapping[str, Any]) -> Any:
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

    try:
        return session.run([output], tensors)[0]
    except (Fail, InvalidArgument, RuntimeException) as error:
        if "alloc" in str(error):
            raise MemoryError from None
        raise ValueError(f"the model refused the batch: {error}") from None


def _array(answer: Any, labels: tuple[str | int, ...]) -> Any:
    """A tensor as it is; one mapping of class to score a row as (n, k), in the order of the labels."""
    if isinstance(answer, list):
        order = labels or tuple(answer[0])
        answer = np.array([[row[label] for label in order] for row in answer], dtype=np.float64)
    array = np.asarray(answer)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _tensor(batch: pa.Table, feed: Feed) -> Any:
    arrays = [_column(batch, name, feed) for name in feed.columns]
    return arrays[0] if feed.rank == 1 else np.column_stack(arrays)


def _column(batch: pa.Table, name: str, feed: Feed) -> Any:
    """One column as numpy. A missing number is NaN in a tensor of floats; elsewhere nothing can stand for it."""
    import pyarrow as pa

    if name not in batch.column_names:
        raise ValueError(f"the batch has no column {name!r}, which the model reads")
    column, wanted = batch.column(name), NUMPY[feed.kind]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    fits = text or pa.types.is_integer(column.type) if wanted is np.object_ else number or _holds_bits(column.type)
    if not fits and not pa.types.is_null(column.type):
        raise ValueError(f"column {name!r} is {column.type}, the model reads {feed.kind}")
    if issubclass(wanted, np.floating):
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(wanted)
    if column.null_count:
        raise ValueError(f"column {name!r} misses {column.null_count} values, and {feed.kind} has no missing value")
    if wanted is np.object_:
        return column.cast(pa.string()).to_numpy(zero_copy_only=False)
    return column.cast(pa.from_numpy_dtype(wanted)).to_numpy(zero_copy_only=False)


def _holds_bits(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_boolean(kind))
