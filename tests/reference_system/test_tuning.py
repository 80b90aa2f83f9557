"""The record of the search is kept, led to what is shipped, and was judged on the validation months alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from reference_system import tuning
from reference_system.config import PRESETS
from reference_system.tuning import Record, Span

RECORD = Record(
    preset="small",
    objective="error",
    sampler="none",
    learned_days=2,
    learned_rows=20,
    judged_rows=10,
    judged=("0a", "1b"),
    trials=({"params": {"learning_rate": 0.01}, "value": 2.0}, {"params": {"learning_rate": 0.02}, "value": 1.0}),
    again=(2.0, 1.0),
    led_to={"learning_rate": 0.02},
    at="2026-01-01T00:00:00+00:00",
)


def kept(preset: str) -> Record:
    record = tuning.read(preset)
    assert record is not None, f"no record is kept for {preset}: run `python -m reference_system tune --keep`"
    return record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tuning.write(RECORD, tmp_path)
    assert path.name == "small.json"
    assert tuning.read("small", tmp_path) == RECORD
    assert asdict(RECORD)["judged"] == ("0a", "1b")
    assert tuning.read("unknown", tmp_path) is None


def test_the_best_trial_is_the_one_with_the_smallest_error() -> None:
    assert RECORD.best["value"] == 1.0


def test_what_ships_stays_unless_another_trial_is_clearly_better() -> None:
    first, second = ({"params": {"dropout": share}, "value": value} for share, value in ((0.1, 10.0), (0.2, 9.96)))
    assert tuning.chosen([first, second], (10.0, 9.96)) == {"dropout": 0.1}
    assert tuning.chosen([first, second], (10.0, 9.9)) == {"dropout": 0.2}


@pytest.mark.parametrize("preset", list(PRESETS))
def test_what_the_kept_record_led_to_is_what_is_shipped(preset: str) -> None:
    record, config = kept(preset), PRESETS[preset].config
    assert record.led_to == tuning.chosen(record.trials, record.again)
    for name, value in record.led_to.items():
        assert getattr(config, name) == pytest.approx(value, rel=0.05), name


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_trial_lies_in_the_space(preset: str) -> None:
    record = kept(preset)
    assert len(record.trials) >= 10
    for trial in record.trials:
        for name, values in tuning.SPACE.items():
            value = trial["params"][name]
            assert values.low <= value <= values.high if isinstance(values, Span) else value in values, (name, value)
