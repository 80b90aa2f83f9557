"""Raw tables to a champion in one run: features, data version, training, gate, registry.

Every stage raises when it fails; nothing is published by a run that did not reach its end.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from reference_system import feature_cache, features, tracking, training, versions
from reference_system.artifact import Artifact
from reference_system.config import Preset
from reference_system.gate import Judgement, judge
from reference_system.registry import CHALLENGER, CHAMPION, Registry

logger = logging.getLogger(__name__)

REGISTRY_FOLDER = "registry"
MODELS_FOLDER = "models"


@dataclass(frozen=True)
class Outcome:
    """What a run gave: the artefact, the gate's answer, and where data and run are recorded (None when not tracked)."""

    artifact: Artifact
    judgement: Judgement
    data_version: int | None
    run: str | None


def run(home: Path, raw: Mapping[str, pa.Table], preset: Preset, *, seed: int, track: bool = True) -> Outcome:
    """Trains on the training split of `raw`, judges on the validation split and promotes what is accepted.

    A candidate that the gate accepts becomes challenger, then champion; a refused one is kept below `home`/models
    for a look, and stays out of the registry.
    """
    table = feature_cache.load(home, raw)
    learned = training_rows(table, preset)
    judged = features.split(table, "validation")
    data_version = versions.commit(home, learned) if track else None
    trained = training.train(learned, seed=seed, config=preset.config, workdir=home / MODELS_FOLDER, validation=judged)
    registry = registry_of(home)
    judgement = judge(trained, registry.champion(), judged)
    tracked = _tags(data_version, judgement)
    run_id = tracking.record(home, trained, tracked) if track else None
    if judgement.accepted:
        version = registry.register(trained)
        registry.set_alias(CHALLENGER, version)
        registry.set_alias(CHAMPION, version)
        logger.info("%s is champion", version)
    return Outcome(trained, judgement, data_version, run_id)


def registry_of(home: Path) -> Registry:
    """The registry below `home`."""
    return Registry(home / REGISTRY_FOLDER)


def training_rows(table: pa.Table, preset: Preset) -> pa.Table:
    """The training split from the preset's first day on."""
    rows = features.split(table, "train")
    return rows.filter(pc.greater_equal(rows["day"], preset.train_from.isoformat()))


def _tags(data_version: int | None, judgement: Judgement) -> dict[str, str]:
    return {
        "data_version": str(data_version),
        "accepted": str(judgement.accepted).lower(),
        "reasons": "; ".join(judgement.reasons),
    }
