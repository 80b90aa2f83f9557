"""Predictions from an artefact through ONNX Runtime, one thread; a trace of the same weights through torch.

torch is imported for traces only: a server never needs it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa

from reference_system import artifact, encoding
from reference_system.artifact import Artifact
from reference_system.encoding import Encoding, InputError

MEDIAN = 1
FARTHEST = 1e6
"""Standard deviations from the mean of the training rows beyond which a number is no quantity."""


@dataclass(frozen=True)
class ModelInfo:
    """What a model says about itself, read from its graph."""

    version: str
    digest: str
    trained_until: datetime | None
    inputs: tuple[str, ...]


class Predictor:
    """A model that is ready to answer.

    A batch is a table with the model's input columns and any others. A missing column, another type, an infinite value
    or one that is no quantity raises InputError; a missing value where the encoding allows none gives NaN for its row.
    """

    def __init__(self, model: bytes, *, version: str) -> None:
        self._model = model
        self._session = _session(model)
        described = self._session.get_modelmeta().custom_metadata_map
        self.encoding = Encoding.from_mapping(json.loads(described["encoding"]))
        self.config: Mapping[str, Any] = json.loads(described["config"])
        until = json.loads(described["trained_until"])
        self.metadata = ModelInfo(
            version=version,
            digest=hashlib.sha256(model).hexdigest(),
            trained_until=None if until is None else datetime.fromisoformat(until),
            inputs=self.encoding.inputs,
        )

    @staticmethod
    def of(source: Artifact | Path) -> Predictor:
        """The model of an artefact or of its folder, verified against its manifest (ArtifactError)."""
        found = source if isinstance(source, Artifact) else artifact.read(source)
        return Predictor(artifact.model_bytes(found), version=found.version)

    def predict(self, batch: pa.Table) -> np.ndarray:
        """Median minutes gained (negative) or lost, shape (rows,), float64."""
        return self.quantiles(batch)[:, MEDIAN]

    def quantiles(self, batch: pa.Table) -> np.ndarray:
        """p10, p50 and p90 in minutes, shape (rows, 3), float64, rising along a row."""
        numbers = [
            encoding.number_values(encoding.column_of(batch, column.name), column.name)
            for column in self.encoding.numbers
        ]
        texts = [encoding.text_values(batch, column.name).to_pylist() for column in self.encoding.categories]
        return self._answers(numbers, texts, batch.num_rows)

    def quantiles_of(self, records: Sequence[Mapping[str, float | str | None]]) -> np.ndarray:
        """As `quantiles`, for rows as they come one by one: feature values by name, None for missing.

        The way of a server; a table of one row costs more to build than to answer.
        """
        numbers = list(_floats(records, [column.name for column in self.encoding.numbers]))
        texts = [_texts(records, column.name) for column in self.encoding.categories]
        return self._answers(numbers, texts, len(records))

    def unknown(self, batch: pa.Table) -> dict[str, np.ndarray]:
        """For each categorical input, which rows hold a value outside the vocabulary; missing does not count."""
        codes = encoding.code_matrix(batch, self.encoding)
        return {
            column.name: (codes[:, index] == encoding.UNKNOWN)
            & encoding.column_of(batch, column.name).is_valid().to_numpy()
            for index, column in enumerate(self.encoding.categories)
        }

    def trace(self, batch: pa.Table) -> dict[str, np.ndarray]:
        """Stage by stage in float64: inputs, codes, encoded, layer_1 ... layer_n, heads, quantiles, answer."""
        import torch

        net, encoded = self._rebuilt
        numbers = encoding.number_matrix(batch, encoded)
        codes = encoding.code_matrix(batch, encoded)
        with torch.no_grad():
            stages = net.stages(torch.from_numpy(numbers), torch.from_numpy(codes))
        found = {"inputs": numbers, "codes": codes, **{name: value.numpy() for name, value in stages.items()}}
        return {**found, "answer": found["quantiles"][:, MEDIAN]}

    @cached_property
    def _rebuilt(self) -> tuple[Any, Encoding]:
        from reference_system import export

        return export.rebuilt(self._model)

    def _answers(self, numbers: list[np.ndarray], texts: list[list[str | None]], rows: int) -> np.ndarray:
        if rows == 0:
            return np.empty((0, 3))
        feed: dict[str, np.ndarray] = {}
        for number, values in zip(self.encoding.numbers, numbers, strict=True):
            farthest = FARTHEST * number.scale
            if (np.abs(values - number.center) > farthest).any():
                raise InputError(
                    f"column {number.name!r} holds a value more than {farthest:g} from {number.center:g}, which is no "
                    "quantity: mend it at its source, or send none"
                )
            feed[number.name] = values.astype(np.float32).reshape(-1, 1)
        for category, words in zip(self.encoding.categories, texts, strict=True):
            feed[category.name] = np.array([word or "" for word in words], dtype=object).reshape(-1, 1)
        answer: np.ndarray = self._session.run(None, feed)[0].astype(np.float64)
        for category, words in zip(self.encoding.categories, texts, strict=True):
            if not category.nullable and None in words:
                answer[[word is None for word in words]] = np.nan
        return answer


def _floats(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> np.ndarray:
    """Values by name, shape (names, records)."""
    try:
        plain = [[np.nan if record[name] is None else record[name] for record in records] for name in names]
    except KeyError as error:
        raise InputError(f"feature {error} is missing: the model reads it, add it to the record") from None
    try:
        values = np.array(plain, dtype=np.float64).reshape(len(names), len(records))
    except (TypeError, ValueError):
        wrong = [name for name, row in zip(names, plain, strict=True) if any(isinstance(each, str) for each in row)]
        raise InputError(f"features {wrong} are not numbers: convert them") from None
    infinite = [name for name, row in zip(names, values, strict=True) if np.isinf(row).any()]
    if infinite:
        raise InputError(f"feature {infinite[0]!r} is infinite: send a finite number or none at all")
    return values


def _texts(records: Sequence[Mapping[str, Any]], name: str) -> list[str | None]:
    try:
        words = [record[name] for record in records]
    except KeyError:
        raise InputError(f"feature {name!r} is missing: the model reads it, add it to the record") from None
    if any(word is not None and not isinstance(word, str) for word in words):
        raise InputError(f"feature {name!r} is not text: convert it")
    return words


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
