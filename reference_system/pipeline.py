"""Raw tables to a champion in one run: features, data version, training, gate, registry.

Every stage raises when it fails; nothing is published by a run that did not reach its end.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from reference_system import erasures, feature_cache, features, registry, tracking, training, versions
from reference_system.artifact import Artifact
from reference_system.config import Preset
from reference_system.gate import Judgement, judge
from reference_system.registry import CHALLENGER, CHAMPION

logger = logging.getLogger(__name__)

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

    Nothing is learnt from flights of planes on the list of erasures.
    A candidate that the gate accepts becomes challenger, then champion; a refused one is kept below `home`/models
    for a look, and stays out of the registry.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    table = feature_cache.load(home, raw)
    learned = erasures.without_erased(features.training_rows(table, preset.train_from), raw)
    judged = features.split(table, "validation")
    data_version = versions.commit(home, learned) if track else None
    trained = training.train(learned, seed=seed, config=preset.config, workdir=home / MODELS_FOLDER, validation=judged)
    known = registry.of_home(home)
    judgement = judge(trained, known.champion(), judged)
    tracked = _tags(data_version, judgement)
    run_id = tracking.record(home, trained, tracked) if track else None
    if judgement.accepted:
        version = known.register(trained)
        known.set_alias(CHALLENGER, version)
        known.set_alias(CHAMPION, version)
        logger.info("%s is champion", version)
    return Outcome(trained, judgement, data_version, run_id)


def _tags(data_version: int | None, judgement: Judgement) -> dict[str, str]:
    return {
        "data_version": str(data_version),
        "accepted": str(judgement.accepted).lower(),
        "reasons": "; ".join(judgement.reasons),
    }
