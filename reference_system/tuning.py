"""A search of hyperparameters with Optuna, and the record of it that is kept beside the configuration.

Trials learn from whole days of the training months, and are judged on the validation months: the test months are never
read. The study lives in a SQLite file of the run; what is exported from it, and committed, is plain data, so that a
fresh clone knows which trials led to the shipped configuration, and on which flights they were judged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.stats.sketches import sketch
from reference_system import evaluation, features
from reference_system.config import Preset, TrainingConfig

logger = logging.getLogger(__name__)

DATABASE = "tuning.db"
FOLDER = Path(__file__).parent / "tuned"
KEY = "flight_id"


@dataclass(frozen=True)
class Span:
    """The range of a number. `log` draws it by orders of magnitude; at 0 a share ends by nature."""

    low: float
    high: float
    log: bool = False


SPACE: Mapping[str, Span | tuple[int, ...]] = {
    "learning_rate": Span(3e-4, 1e-1, log=True),
    "weight_decay": Span(1e-4, 1.0, log=True),
    "dropout": Span(0.0, 0.4),
    "batch_size": (512, 1024, 2048),
}
"""What is searched. Epochs are the budget, the same for every trial."""

EQUAL = 0.005
"""Share by which another trial must be better to take the place of what ships: twice what two seeds differ by."""

SEEDS = (0, 1)
"""Every trial is trained once with each: one alone would be chosen for its luck."""

FRESH_SEEDS = (101, 102, 103)
"""With these the best trial and the first are trained again: the best of many was lucky too."""


@dataclass(frozen=True)
class Record:
    """A finished search as plain data: the space, every trial with its value (mean absolute error in minutes), the
    sketch of the flights that trials were judged on, and the configuration that it led to. `again` are the errors of
    the first trial and of the best one with fresh seeds.
    """

    preset: str
    objective: str
    sampler: str
    learned_days: int
    learned_rows: int
    judged_rows: int
    judged: tuple[str, ...]
    trials: tuple[Mapping[str, Any], ...]
    again: tuple[float, float]
    led_to: Mapping[str, Any]
    at: str

    @property
    def best(self) -> Mapping[str, Any]:
        """The trial with the smallest error."""
        return min(self.trials, key=lambda trial: float(trial["value"]))


def search(home: Path, table: pa.Table, preset: Preset, *, trials: int, every: int, seed: int = 0) -> Record:
    """Runs `trials` trials that learn from every `every`-th day, and records them.

    The first trial is the configuration that ships today; what is not clearly better does not take its place. A search
    that was cut off goes on where it stood in the same `home`. Raises TrainingError as a training does.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    home.mkdir(parents=True, exist_ok=True)
    learned = days_apart(features.training_rows(table, preset.train_from), every)
    judged, _ = evaluation.labelled(features.split(table, "validation"), preset.config.target)
    study = optuna.create_study(
        storage=f"sqlite:///{(home / DATABASE).resolve()}",
        study_name=f"{preset.name}-{every}-{seed}",
        direction="minimize",
        load_if_exists=True,
    )
    done = len(_complete(study))
    study.sampler = optuna.samplers.TPESampler(seed=seed + done, n_startup_trials=max(5, trials // 3))
    if not study.trials:
        study.enqueue_trial({name: getattr(preset.config, name) for name in SPACE})

    def objective(trial: Any) -> float:
        setting = {name: _suggested(trial, name) for name in SPACE}
        value = error(learned, judged, preset.config.overridden(setting), home, SEEDS)
        logger.info("trial %d: %.4f min with %s", trial.number, value, setting)
        return value

    study.optimize(objective, n_trials=max(0, trials - done))
    made = tuple({"params": dict(t.params), "value": float(t.value), "seeds": list(SEEDS)} for t in _complete(study))
    best = min(made, key=lambda trial: float(trial["value"]))
    first, other = (
        error(learned, judged, preset.config.overridden(trial["params"]), home, FRESH_SEEDS)
        for trial in (made[0], best)
    )
    logger.info("again, with fresh seeds: %.4f min for the first, %.4f for the best", first, other)
    return Record(
        preset=preset.name,
        objective="mean absolute error in minutes",
        sampler=f"TPE, seed {seed}",
        learned_days=len(pc.unique(learned.column("day"))),
        learned_rows=learned.num_rows,
        judged_rows=judged.num_rows,
        judged=sketch(judged.column(KEY).to_pylist()),
        trials=made,
        again=(first, other),
        led_to=chosen(made, (first, other)),
        at=datetime.now(UTC).replace(microsecond=0).isoformat(),
    )


def chosen(trials: Sequence[Mapping[str, Any]], again: tuple[float, float]) -> Mapping[str, Any]:
    """The setting that ships from now on: that of the first trial, unless the best one is better by more than `EQUAL`.

    `again` are the errors of both with fresh seeds. A search cannot tell equals apart, and a change for its own sake
    has a price (the rule of one standard error of Breiman et al. 1984).
    """
    best = min(trials, key=lambda trial: float(trial["value"]))
    stays = again[0] <= (1.0 + EQUAL) * again[1]
    return dict(trials[0]["params"] if stays else best["params"])


def days_apart(rows: pa.Table, every: int) -> pa.Table:
    """The rows of every `every`-th day."""
    days = sorted(pc.unique(rows.column("day")).to_pylist())
    return rows.filter(pc.is_in(rows.column("day"), pa.array(days[::every])))


def write(record: Record, folder: Path = FOLDER) -> Path:
    """Keeps a record as `<preset>.json`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.preset}.json"
    staged = path.with_suffix(".staged")
    staged.write_text(json.dumps(asdict(record), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    staged.replace(path)
    return path


def read(preset: str, folder: Path = FOLDER) -> Record | None:
    """The record that is kept for a preset, or None."""
    path = folder / f"{preset}.json"
    if not path.exists():
        return None
    plain = json.loads(path.read_text(encoding="utf-8"))
    lists = {name: tuple(plain[name]) for name in ("judged", "trials", "again")}
    return Record(**{**plain, **lists})


def _complete(study: Any) -> list[Any]:
    """The trials that have a value; one that was cut off has none."""
    return [trial for trial in study.trials if trial.value is not None]


def _suggested(trial: Any, name: str) -> Any:
    space = SPACE[name]
    if isinstance(space, Span):
        return trial.suggest_float(name, space.low, space.high, log=space.log)
    return trial.suggest_categorical(name, list(space))


def error(learned: pa.Table, judged: pa.Table, config: TrainingConfig, home: Path, seeds: Sequence[int]) -> float:
    """Mean absolute error on the judged flights in minutes, averaged over one training a seed."""
    from reference_system import training
    from reference_system.runtime import Predictor

    found = []
    for seed in seeds:
        made = training.train(learned, seed=seed, config=config, workdir=home / "trials")
        found.append(evaluation.measure(Predictor.of(made), judged, config.target)["validation_mae"])
    return float(np.mean(found))
