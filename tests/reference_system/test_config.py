from __future__ import annotations

import pytest

from reference_system import config
from reference_system.config import ConfigError, TrainingConfig


def test_overriding_changes_named_keys_only() -> None:
    changed = TrainingConfig().overridden({"epochs": 2, "inputs": ["a", "b"]})
    assert (changed.epochs, changed.inputs) == (2, ("a", "b"))
    assert changed.overridden({"epochs": 5, "inputs": ()}) == TrainingConfig()


def test_an_unknown_key_names_the_nearest_one_or_all() -> None:
    with pytest.raises(ConfigError, match="did you mean 'weight_decay'"):
        TrainingConfig().overridden({"weight_dacay": 1.0})
    with pytest.raises(ConfigError, match="known keys: inputs, target"):
        TrainingConfig().overridden({"zzz": 1.0})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("learning_rate", float("nan")),
        ("dropout", 1.0),
        ("quantiles", (0.5, 0.1, 0.9)),
        ("device", "abacus"),
    ],
)
def test_a_value_without_sense_is_refused_by_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key):
        TrainingConfig().overridden({key: value})


def test_presets_are_found_by_name_and_others_are_refused() -> None:
    assert config.preset("sample").origins == ("LGA",)
    assert config.preset("full").origins is None
    with pytest.raises(ConfigError, match="known presets: full, sample"):
        config.preset("fool")
