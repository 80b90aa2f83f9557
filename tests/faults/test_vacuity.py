"""Eight ways to leave a probe nothing to look at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mltest.faults import apply_all, parse
from mltest.system import System
from tests.faults import synthetic_system


def under(system: System, operator: str, workdir: Path) -> Any:
    return apply_all(system, [parse(operator)], workdir)


def served(system: Any, workdir: Path) -> tuple[list[Any], pa.Table]:
    start = synthetic_system.START + timedelta(days=80)
    records = synthetic_system.ParcelServing.records(
        system.serving, synthetic_system.ParcelData().raw(), (start, start + timedelta(days=1))
    )
    with system.serving.start(workdir) as handle:
        answers = list(handle.predict(records))
        return answers, handle.request_log()


def test_empty_leaves_columns_and_no_rows(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V1-empty", tmp_path)
    assert faulted.data.dataset("holdout").num_rows == 0
    assert faulted.data.dataset("holdout").schema == synthetic_system.parcels().schema
    assert faulted.data.raw()["parcels"].num_rows == 0
    assert faulted.features.compute(synthetic_system.ParcelData().raw()).num_rows == 0
    assert list(faulted.features.catalogue) == []
    assert served(faulted, tmp_path)[1].num_rows == 0


def test_missing_leaves_keys_and_time_and_nothing_else(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V2-missing", tmp_path)
    assert {"parcel", "sent_at", "hours_renamed", "weight_renamed"} <= set(faulted.data.dataset("train").column_names)
    assert dict(faulted.data.raw()) == {}
    assert dict(faulted.data.schema) == {}
    with pytest.raises(KeyError):
        faulted.model.predict(faulted.data.dataset("holdout"))


def test_nan_blurs_numbers_answers_and_metrics(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V3-nan", tmp_path)
    rows = faulted.data.dataset("holdout")
    assert np.isnan(rows.column("hours").to_numpy()).all()
    assert rows.column("depot").null_count == 0
    assert np.isnan(faulted.model.predict(synthetic_system.parcels())).all()
    artifact = faulted.training.train(synthetic_system.parcels(), seed=0, config={}, workdir=tmp_path)
    assert np.isnan(list(artifact.metrics.values())).all()


@pytest.mark.parametrize("part", ["data", "features", "training", "model", "serving"])
def test_an_outage_raises_in_every_part(part: str, parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V4-raise", tmp_path)
    asked = {"data": "raw", "features": "compute", "training": "train", "model": "predict", "serving": "start"}[part]
    with pytest.raises(RuntimeError, match=f"the part {part} does not answer to {asked}"):
        getattr(getattr(faulted, part), asked)()


def test_self_gives_one_split_one_artifact_and_a_log_made_from_the_batch_path(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V5-self", tmp_path)
    assert faulted.data.dataset("train").equals(faulted.data.dataset("holdout"))
    rows = synthetic_system.parcels()
    first, second = (faulted.training.train(rows, seed=s, config={}, workdir=tmp_path) for s in (1, 2))
    assert first == second
    log = served(faulted, tmp_path)[1]
    assert {"prediction", "version"} <= set(log.column_names)


def test_direction_turns_answers_and_metrics_round(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V6-direction", tmp_path)
    rows = synthetic_system.parcels()
    assert parcels.model is not None
    assert np.array_equal(faulted.model.predict(rows), -parcels.model.predict(rows))
    scores = under(parcels.with_parts(task="binary"), "V6-direction", tmp_path)
    assert np.array_equal(scores.model.predict(rows), 1.0 - parcels.model.predict(rows))


def test_tiny_n_leaves_three_rows_of_everything(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V7-tiny-n", tmp_path)
    assert faulted.data.dataset("holdout").num_rows == 3
    assert faulted.data.raw()["parcels"].num_rows == 3
    assert served(faulted, tmp_path)[1].num_rows == 3


def test_stale_evidence_speaks_about_another_model(parcels: System, tmp_path: Path) -> None:
    faulted = under(parcels, "V8-stale", tmp_path)
    newest = max(synthetic_system.parcels().column("sent_at").to_pylist())
    assert faulted.model.metadata.trained_until > newest
    assert faulted.model.metadata.digest == "0" * 64
    answers, log = served(faulted, tmp_path)
    assert {answer["version"] for answer in answers} == {"forgotten"}
    assert set(log.column("version").to_pylist()) == {"forgotten"}
