"""What is judged was held out, has an outcome, and was answered by the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import judged_rows
from mltest.system import ModelInfo
from tests.probes.synthetic_rows import INPUTS, ROLES, Answers, Tables, judged, table


def refusal(data: Tables, model: Answers | None = None) -> Withheld:
    with pytest.raises(Withheld) as caught:
        judged_rows.read(data, model or Answers(None), "regression")
    return caught.value


def test_days_are_the_blocks_of_rows_with_a_time() -> None:
    rows = judged(days=35, a_day=20)
    assert (rows.n_blocks, rows.unit, len(rows.truth)) == (35, "days", 700)
    assert rows.share_seen == 0


def test_the_digest_of_the_judged_rows_does_not_depend_on_their_order() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    mixed = holdout.take(pa.array(np.random.default_rng(0).permutation(holdout.num_rows)))
    first = judged_rows.read(Tables(train, holdout), Answers(None), "regression")
    second = judged_rows.read(Tables(train, mixed), Answers(None), "regression")
    assert first.digest == second.digest
    assert first.digest != judged(days=35, a_day=20, seed=5).digest


def test_a_holdout_that_contains_training_rows_is_circular() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    found = refusal(Tables(train, pa.concat_tables([holdout, train.slice(0, 100)])))
    assert found.code is ReasonCode.CIRCULAR
    assert "12% of the holdout" in found.reason


def test_a_missing_input_is_named() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    assert "no column 'x'" in refusal(Tables(train, holdout.drop_columns(["x"]))).reason


def test_rows_without_an_outcome_are_left_out_and_counted() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    gaps = pa.array(holdout["y"].to_numpy(), mask=np.arange(700) % 10 == 0)
    thinned = holdout.set_column(holdout.column_names.index("y"), "y", gaps)
    rows = judged_rows.read(Tables(train, thinned), Answers(None), "regression")
    assert len(rows.truth) == rows.holdout.num_rows == len(rows.blocks) == 630
    assert rows.share_unlabelled == pytest.approx(0.1)


@pytest.mark.parametrize("target", [[None] * 700, [1.5] * 700])
def test_outcomes_that_are_missing_or_all_the_same_carry_no_judgement(target: list[float | None]) -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    column = pa.array(target, pa.float64())
    found = refusal(Tables(train, holdout.set_column(holdout.column_names.index("y"), "y", column)))
    assert found.code is ReasonCode.TOO_LITTLE_DATA


def test_a_model_trained_until_after_the_holdout_began_is_stale_evidence() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    until = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=80)
    found = refusal(Tables(train, holdout), Answers(None, ModelInfo("1", trained_until=until, inputs=INPUTS)))
    assert found.code is ReasonCode.STALE


@pytest.mark.parametrize("answers", [np.zeros(3), np.zeros((700, 2)), 4.0])
def test_answers_of_another_shape_are_the_fault_of_the_model(answers: object) -> None:
    with pytest.raises(PartFailure):
        judged_rows.predictions(Answers(answers), judged(days=35, a_day=20))


def test_answers_that_are_not_finite_are_counted_and_withheld() -> None:
    answers = np.zeros(700)
    answers[:7] = np.nan
    with pytest.raises(Withheld, match="7 of 700 answers"):
        judged_rows.predictions(Answers(answers), judged(days=35, a_day=20))


def test_answers_that_are_the_outcomes_themselves_are_circular() -> None:
    rows = judged(days=35, a_day=20)
    with pytest.raises(Withheld, match="compared with itself"):
        judged_rows.predictions(Answers(rows.truth), rows)


def test_the_model_never_sees_the_outcome_it_is_asked_for() -> None:
    rows = judged(days=35, a_day=20)

    class Curious(Answers):
        def predict(self, batch: pa.Table) -> np.ndarray:
            assert "y" not in batch.column_names
            return np.zeros(batch.num_rows)

    assert len(judged_rows.predictions(Curious(None), rows)) == 700


def test_rows_without_a_time_are_blocks_of_their_own() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    rows = judged_rows.read(Tables(train, holdout, replace(ROLES, time=None)), Answers(None), "regression")
    assert (rows.n_blocks, rows.unit) == (700, "rows")


def test_training_rows_under_other_keys_and_dates_are_recognised() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    again = train.slice(0, 700)
    for name in ("key", "at"):
        again = again.set_column(again.column_names.index(name), name, holdout[name])
    found = refusal(Tables(train, again))
    assert found.code is ReasonCode.CIRCULAR
    assert "under other keys or dates" in found.reason


def test_rows_of_coarse_columns_that_repeat_by_nature_are_no_copies() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    coarse = [
        rows.set_column(2, "x", pa.array(np.round(rows["x"].to_numpy(), 1)))
        .set_column(3, "z", pa.array(np.zeros(rows.num_rows)))
        .set_column(5, "y", pa.array(np.round(rows["y"].to_numpy())))
        for rows in (train, holdout)
    ]
    rows = judged_rows.read(Tables(*coarse), Answers(None), "regression")
    assert len(rows.truth) == 700


def test_a_model_that_names_few_inputs_is_judged_by_all_that_the_roles_name() -> None:
    train, holdout = table(60, 20, 0), table(35, 20, 1, 60)
    rows = judged_rows.read(Tables(train, holdout), Answers(None, ModelInfo("1", inputs=("z",))), "regression")
    assert set(rows.inputs) == set(INPUTS)


def test_the_model_gets_neither_keys_nor_what_nobody_declares() -> None:
    rows = judged(days=35, a_day=20)
    rows = replace(rows, holdout=rows.holdout.append_column("extra", pa.array(np.zeros(700))))

    class Curious(Answers):
        def predict(self, batch: pa.Table) -> np.ndarray:
            assert set(batch.column_names) == {*INPUTS, "at"}
            return np.zeros(batch.num_rows)

    class Needy(Answers):
        def predict(self, batch: pa.Table) -> np.ndarray:
            return np.asarray(batch["extra"].to_numpy())

    assert len(judged_rows.predictions(Curious(None), rows)) == 700
    with pytest.raises(Withheld, match="name everything that it reads"):
        judged_rows.predictions(Needy(None), rows)
