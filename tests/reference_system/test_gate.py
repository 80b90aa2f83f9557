from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reference_system import artifact, training
from reference_system.artifact import Artifact
from reference_system.gate import GateLimits, judge


def without_signal(table: pa.Table) -> pa.Table:
    """The same rows with their outcomes dealt out at random."""
    index = table.schema.get_field_index("block_deviation")
    outcome = np.random.default_rng(0).permutation(table.column("block_deviation").to_numpy())
    return table.set_column(index, "block_deviation", pa.array(outcome, from_pandas=True))


def test_a_good_first_candidate_is_accepted(trained: Artifact, later_flights: pa.Table) -> None:
    assert judge(trained, None, later_flights).accepted


def test_the_champion_itself_is_no_worse_than_the_champion(trained: Artifact, later_flights: pa.Table) -> None:
    assert judge(trained, trained, later_flights).accepted


def test_another_seed_within_noise_is_accepted(
    trained: Artifact, flights: pa.Table, later_flights: pa.Table, quick_training: Any, tmp_path: Path
) -> None:
    judgement = judge(quick_training(flights, tmp_path, seed=8), trained, later_flights, GateLimits(margin=0.05))
    assert judgement.accepted, judgement.reasons


def test_a_candidate_without_signal_is_refused_for_both_reasons(
    trained: Artifact, flights: pa.Table, later_flights: pa.Table, quick_training: Any, tmp_path: Path
) -> None:
    judgement = judge(quick_training(without_signal(flights), tmp_path), trained, later_flights)
    assert not judgement.accepted
    assert "carry-over" in judgement.reasons[0]
    assert trained.version in judgement.reasons[1]


def test_a_slightly_worse_candidate_is_refused_by_the_champion_alone(
    flights: pa.Table, later_flights: pa.Table, quick_training: Any, tmp_path: Path
) -> None:
    champion = quick_training(flights, tmp_path, epochs=8)
    judgement = judge(quick_training(flights.slice(0, 900), tmp_path, epochs=8), champion, later_flights)
    assert not judgement.accepted
    assert len(judgement.reasons) == 1
    assert "relative to champion" in judgement.reasons[0]


def test_slow_decay_meets_the_fixed_limit_even_where_each_step_is_small(
    trained: Artifact, later_flights: pa.Table
) -> None:
    judgement = judge(trained, trained, later_flights, GateLimits(share_of_carry_over=0.1))
    assert not judgement.accepted
    assert "at most 0.1" in judgement.reasons[0]


def test_rows_of_the_training_do_not_count(trained: Artifact, flights: pa.Table) -> None:
    judgement = judge(trained, None, flights)
    assert not judgement.accepted
    assert "judge on later rows" in judgement.reasons[0]


def test_answers_that_are_not_numbers_are_refused(trained: Artifact, later_flights: pa.Table) -> None:
    index = later_flights.schema.get_field_index("distance")
    distance = later_flights.column("distance").to_numpy().copy()
    distance[7] = np.nan
    holed = later_flights.set_column(index, "distance", pa.array(distance, from_pandas=True))
    assert judge(trained, None, holed).reasons == (
        f"1 of {holed.num_rows - holed.column('block_deviation').null_count} answers are not numbers",
    )


def test_too_few_rows_are_refused_and_not_waved_through(trained: Artifact, later_flights: pa.Table) -> None:
    for rows in (0, 400):
        judgement = judge(trained, None, later_flights.slice(0, rows))
        assert not judgement.accepted
        assert "500 are needed" in judgement.reasons[0]


def test_a_model_that_lacks_an_input_here_is_refused(trained: Artifact, later_flights: pa.Table) -> None:
    judgement = judge(trained, None, later_flights.drop_columns(["dest"]))
    assert not judgement.accepted
    assert "'dest' is missing" in judgement.reasons[0]


def test_another_file_than_the_one_that_was_trained_is_refused(
    trained: Artifact, later_flights: pa.Table, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    (copy / artifact.MODEL_FILE).write_bytes(b"exported again, in training mode")
    judgement = judge(replace(trained, path=copy), None, later_flights)
    assert not judgement.accepted
    assert "sha256" in judgement.reasons[0]


@pytest.mark.parametrize("claimed", [1.0, float("nan")])
def test_a_claimed_error_that_nobody_can_repeat_is_refused(
    claimed: float, flights: pa.Table, later_flights: pa.Table, quick: dict[str, Any], tmp_path: Path
) -> None:
    honest = training.train(flights, seed=7, config=quick, workdir=tmp_path, validation=later_flights)
    assert judge(honest, None, later_flights).accepted
    boasting = replace(honest, metrics={**honest.metrics, "validation_mae": claimed})
    judgement = judge(boasting, None, later_flights)
    assert not judgement.accepted
    assert "the manifest claims" in judgement.reasons[0]
