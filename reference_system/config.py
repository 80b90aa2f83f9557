"""How a model is trained: one frozen record, and the named presets that the command line and the tests use."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Literal

from reference_system.catalogue import FEATURES


class ConfigError(ValueError):
    """A training configuration that cannot be used; the message names the key and the remedy."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides what a training gives, the rows and the seed apart.

    `inputs` are the columns that the model reads; empty means those of the feature catalogue. A column that the
    catalogue does not know is a number or a category by its type. Rates are those of AdamW under a one-cycle
    schedule (Smith & Topin 2018); `quantiles` are the levels of the three heads.
    """

    inputs: tuple[str, ...] = ()
    target: str = "block_deviation"
    epochs: int = 5
    batch_size: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.1
    quantiles: tuple[float, float, float] = (0.1, 0.5, 0.9)
    minimum_category_rows: int = 20
    threads: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def __post_init__(self) -> None:
        positive = ("epochs", "batch_size", "learning_rate", "minimum_category_rows", "threads")
        for key in positive:
            if not getattr(self, key) > 0:
                raise ConfigError(f"training configuration: {key} is {getattr(self, key)!r}, it must be above 0")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"training configuration: dropout is {self.dropout!r}, it must be in [0, 1)")
        if not 0 < self.quantiles[0] < self.quantiles[1] < self.quantiles[2] < 1:
            raise ConfigError(f"training configuration: quantiles {self.quantiles!r} must rise within (0, 1)")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ConfigError(f"training configuration: device is {self.device!r}, use auto, cpu or cuda")

    def overridden(self, changes: Mapping[str, Any]) -> TrainingConfig:
        """A copy with some keys exchanged. Raises ConfigError for a key that does not exist."""
        known = [field.name for field in fields(self)]
        for key in changes:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
                raise ConfigError(f"training configuration: unknown key {key!r}, {hint}")
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()
        }
        return replace(self, **frozen)

    def as_mapping(self) -> dict[str, Any]:
        """Plain data, as it stands in an artefact's manifest."""
        return asdict(self)


@dataclass(frozen=True)
class Preset:
    """Which flights are used and how long is trained. `origins` None means all three airports."""

    name: str
    origins: tuple[str, ...] | None
    train_from: date
    config: TrainingConfig


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("full", None, date(2013, 1, 1), TrainingConfig()),
        Preset(
            "sample",
            ("LGA",),
            date(2013, 1, 1),
            # One airport alone: a column that says which one it is would be dead.
            TrainingConfig(
                inputs=tuple(feature.name for feature in FEATURES if feature.name != "origin"),
                epochs=3,
                learning_rate=4e-3,
            ),
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset called `name`. Raises ConfigError with the known names."""
    if name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}, known presets: {', '.join(PRESETS)}")
    return PRESETS[name]
