"""A whole run on real flights, its cache, and its refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from reference_system import config, feature_cache, features, pipeline, registry
from reference_system.pipeline import Outcome

Run = tuple[Path, Outcome]
Raw = dict[str, pa.Table]


def test_a_run_ends_with_a_champion_that_is_the_artefact_it_judged(run_of_the_sample: Run) -> None:
    home, outcome = run_of_the_sample
    assert outcome.judgement.accepted, outcome.judgement.reasons
    known = registry.of_home(home)
    assert known.champion() is not None
    assert known.champion().digest == outcome.artifact.digest
    assert known.alias("challenger") == known.alias("champion") == outcome.artifact.version


def test_the_training_saw_no_day_that_it_is_judged_on(run_of_the_sample: Run) -> None:
    home, _ = run_of_the_sample
    champion = registry.of_home(home).load(registry.of_home(home).alias("champion"))
    assert champion.metadata.trained_until.isoformat() < "2013-09-01T05:00"


def test_the_same_raw_data_is_not_computed_twice_and_a_changed_cell_is(
    run_of_the_sample: Run, raw_sample: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = run_of_the_sample
    cached = feature_cache.load(home, raw_sample)
    assert cached.equals(features.compute(raw_sample))
    monkeypatch.setattr(features, "compute", lambda raw, window=None: pytest.fail("computed again"))
    assert feature_cache.load(home, raw_sample).equals(cached)

    delays = raw_sample["flights"]["dep_delay"].to_numpy(zero_copy_only=False).copy()
    delays[3] += 1
    index = raw_sample["flights"].schema.get_field_index("dep_delay")
    kind = raw_sample["flights"].schema.field("dep_delay").type
    moved = pa.array(delays, from_pandas=True).cast(kind)
    changed = {**raw_sample, "flights": raw_sample["flights"].set_column(index, "dep_delay", moved)}
    assert feature_cache.key(changed, None) != feature_cache.key(raw_sample, None)


def test_a_refused_candidate_leaves_the_champion_and_the_registry_alone(
    run_of_the_sample: Run, raw_sample: Raw, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(-60, 60, raw_sample["flights"].num_rows)
    index = raw_sample["flights"].schema.get_field_index("arr_delay")
    kind = raw_sample["flights"].schema.field("arr_delay").type
    known = raw_sample["flights"]["arr_delay"].is_valid()
    arrivals = pc.if_else(known, pa.array(noise).cast(kind), pa.scalar(None, kind))
    broken = {**raw_sample, "flights": raw_sample["flights"].set_column(index, "arr_delay", arrivals)}
    outcome = pipeline.run(tmp_path, broken, config.preset("sample"), seed=0, track=False)
    assert not outcome.judgement.accepted
    assert registry.of_home(tmp_path).versions() == ()
    assert outcome.artifact.path.is_dir()


def test_a_stage_that_fails_ends_the_run_and_publishes_nothing(raw_sample: Raw, tmp_path: Path) -> None:
    diverging = replace(
        config.preset("sample"), config=config.preset("sample").config.overridden({"learning_rate": 1e30})
    )
    with pytest.raises(RuntimeError, match="lower learning_rate"):
        pipeline.run(tmp_path, raw_sample, diverging, seed=0, track=False)
    assert registry.of_home(tmp_path).versions() == ()


def test_the_preset_s_first_day_bounds_the_training_rows(raw_sample: Raw, run_of_the_sample: Run) -> None:
    home, _ = run_of_the_sample
    table = feature_cache.load(home, raw_sample)
    rows = features.training_rows(table, date(2013, 7, 1))
    assert (pc.min(rows["day"]).as_py(), pc.max(rows["day"]).as_py()) == ("2013-07-01", "2013-08-31")
