"""A champion that a faulted training really made, so that a fault in training shows where the model is judged."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from mltest.faults import columns
from mltest.faults.fault import NotApplicable
from mltest.faults.parts import ExchangedModel, exchanged_model
from mltest.system import Model, System, Training


class Champion:
    """Trains once, when it is first asked, on the rows of the system and with the configuration that is shipped."""

    def __init__(self, system: System, training: Any, workdir: Path) -> None:
        self._system = system
        self._training = training
        self._workdir = workdir

    @cached_property
    def model(self) -> Model:
        """The trained model. Raises whatever the training raises."""
        rows = columns.learned_from(columns.data_of(self._system))
        folder = self._workdir / "champion"
        folder.mkdir(parents=True, exist_ok=True)
        artifact = self._training.train(rows, seed=0, config={}, workdir=folder)
        model: Model = self._training.load(artifact)
        return model


def retrained(system: System, training: Any, workdir: Path) -> System:
    """The system with `training`, and with a champion made by it where a model is offered."""
    if system.model is None:
        return system.with_parts(training=training)
    champion = Champion(system, training, workdir)
    return system.with_parts(training=training, model=_standing_in(system.model, champion))


def training_of(system: System) -> Training:
    """The training part. Raises NotApplicable for a system without one."""
    if system.training is None:
        raise NotApplicable(f"{system.name} offers no training part")
    return system.training


def model_of(system: System) -> Model:
    """The model part. Raises NotApplicable for a system without one."""
    if system.model is None:
        raise NotApplicable(f"{system.name} offers no model part")
    return system.model


def _standing_in(model: Model, champion: Champion) -> ExchangedModel:
    return exchanged_model(
        model,
        answer=lambda _, batch: champion.model.predict(batch),
        described=lambda _: champion.model.metadata,
        traced=lambda batch, stages: _traced(champion.model, batch, dict(stages)),
    )


def _traced(model: Any, batch: Any, stages: dict[str, Any]) -> dict[str, Any]:
    return dict(model.trace(batch)) if hasattr(model, "trace") else stages
