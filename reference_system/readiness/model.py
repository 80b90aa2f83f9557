"""Training, the champion, and the gate between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from mltest.offers.impact import OfflineMetric
from mltest.offers.refresh import AgedLoss, RefreshPolicy
from mltest.offers.search import Choices, Range, SearchLog, SearchTrial
from mltest.system import Judgement, ModelInfo
from reference_system import evaluation, features, gate, refresh, tuning
from reference_system.artifact import Artifact
from reference_system.readiness.place import Workplace
from reference_system.runtime import Predictor


class EtaTraining:
    """Trains the net."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._preset = place.preset

    @property
    def config(self) -> Mapping[str, Any]:
        return self._preset.config.overridden({"inputs": self._place.inputs}).as_mapping()

    @property
    def offline_metric(self) -> OfflineMetric:
        """What the gate judges by: the mean absolute error in the months of validation."""
        return OfflineMetric(
            name="validation_mae",
            better="lower",
            rows=lambda: features.split(self._place.table, "validation"),
            value=lambda model, rows: evaluation.measure(cast(Predictor, model), rows, features.TARGET)[
                "validation_mae"
            ],
        )

    def train(self, dataset: pa.Table, *, seed: int, config: Mapping[str, Any], workdir: Path) -> Artifact:
        from reference_system import training

        return training.train(dataset, seed=seed, config=self._preset.config.overridden(config), workdir=workdir)

    def load(self, artifact: Artifact) -> Predictor:
        return Predictor.of(artifact)

    @property
    def refresh(self) -> RefreshPolicy:
        return RefreshPolicy(
            every=refresh.EVERY,
            counted_from="data_end",
            reported_age=self._age,
            curve=tuple(AgedLoss(timedelta(days=days), increase) for days, increase in refresh.CURVE.items()),
            reason=refresh.REASON,
        )

    def search_log(self) -> SearchLog | None:
        """The record of the search that led to the configuration, or None where none is kept."""
        record = tuning.read(self._preset.name)
        if record is None:
            return None
        return SearchLog(
            space={name: _space(values) for name, values in tuning.SPACE.items()},
            trials=[SearchTrial(trial["params"], trial["value"]) for trial in record.trials],
            judged_on=record.judged,
            objective=record.objective,
            led_to=record.led_to,
            at=datetime.fromisoformat(record.at),
        )

    def _age(self, version: str, at: datetime) -> timedelta:
        return refresh.age(self._place.registry.load(version).metadata.trained_until, at)


def _space(values: tuning.Span | tuple[int, ...]) -> Range | Choices:
    return Choices(values) if isinstance(values, tuple) else Range(values.low, values.high, log=values.log)


class Champion:
    """The champion in the runtime that serves it, trained when it is first asked."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor.of(self._place.champion())

    @property
    def metadata(self) -> ModelInfo:
        said = self._predictor.metadata
        return ModelInfo(said.version, said.digest, said.trained_until, said.inputs)

    def predict(self, batch: pa.Table) -> np.ndarray:
        return self._predictor.predict(batch)

    def trace(self, batch: pa.Table) -> Mapping[str, np.ndarray]:
        return self._predictor.trace(batch)


class EtaGate:
    """The gate, on the validation months and against the champion."""

    def __init__(self, place: Workplace) -> None:
        self._place = place

    def judge(self, artifact: Artifact) -> Judgement:
        rows = features.split(self._place.table, "validation")
        judged = gate.judge(artifact, self._place.registry.champion(), rows)
        return Judgement(judged.accepted, judged.reasons)
