"""Slices: what is worse than it could be is found, what is merely hard or unlucky is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mltest.probes import judged_rows, slice_coverage, slice_quality, slice_references, slicing
from mltest.probes.judged_rows import JudgedRows
from mltest.probes.slice_quality import SliceQuality
from mltest.stats.slices import SliceStatus
from mltest.system import RawColumn
from tests.probes.synthetic_rows import ROLES, Answers, Tables, judged, table


def quality_of(rows: JudgedRows, answers: np.ndarray, seed: int = 0) -> SliceQuality:
    sliced = slicing.slices_of(rows)
    yardsticks = slice_references.references(rows, answers, sliced.declared, seed=seed, effort="quick")
    return slice_quality.judge(rows, answers, sliced, yardsticks, seed=seed)


def honest_answers(rows: JudgedRows, seed: int = 0) -> np.ndarray:
    """The law behind the rows, with a little noise of the model's own."""
    kinds = np.array([{"a": 0.0, "b": 1.0, "c": 2.0}[kind] for kind in rows.holdout["kind"].to_pylist()])
    noise = np.random.default_rng(seed).normal(0, 0.2, len(kinds))
    return np.asarray(2 * rows.holdout["x"].to_numpy() + kinds + noise)


def test_the_rows_of_a_column_sum_to_all_rows_and_missing_is_a_slice() -> None:
    rows = judged()
    candidates = slicing.slices_of(rows).candidates
    assert candidates.rows_of("kind") == len(rows.truth)
    names = {one.name for one in candidates.slices}
    assert "z is missing = yes" in names
    assert len({one.rows.tobytes() for one in candidates.slices}) == len(candidates.slices)


def test_no_healthy_model_of_sixty_loses_a_slice() -> None:
    alarms = 0
    for seed in range(60):
        rows = judged(days=35, a_day=30, seed=seed)
        alarms += quality_of(rows, honest_answers(rows, seed), seed).count("failed") > 0
    # None in sixty bounds the rate of false alarms at 5 %.
    assert alarms == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_slice_answered_wrongly_is_named_first(seed: int) -> None:
    rows = judged(seed=seed)
    answers = honest_answers(rows, seed)
    answers[np.array(rows.holdout["kind"].to_pylist()) == "c"] += 2.5
    quality = quality_of(rows, answers, seed)
    assert quality.slices[0].result.name == "kind = c"
    assert quality.slices[0].bias == pytest.approx(2.5, abs=0.3)


@pytest.mark.parametrize("seed", range(3))
def test_a_range_that_holds_most_rows_of_a_bad_declared_slice_does_not_take_its_name(seed: int) -> None:
    rows = judged(a_day=80, seed=seed)
    bad = np.array(rows.holdout["kind"].to_pylist()) == "c"
    proxy = bad.astype(float)
    proxy[np.flatnonzero(bad)[::12]] = 0.0
    holdout = rows.holdout.set_column(rows.holdout.column_names.index("z"), "z", pa.array(proxy))
    quality = quality_of(replace(rows, holdout=holdout), honest_answers(rows, seed) + 2.5 * bad, seed)
    failed = [one.result.name for one in quality.with_status(SliceStatus.FAILED)]
    assert any("z = 1" in name for name in failed)
    assert failed[0] == "kind = c"


def test_a_slice_that_is_hard_for_everyone_does_not_fail() -> None:
    rows = judged()
    hard = np.array(rows.holdout["kind"].to_pylist()) == "b"
    truth = rows.truth + hard * np.random.default_rng(3).normal(0, 4, len(hard))
    assert quality_of(replace(rows, truth=truth), honest_answers(rows)).count("failed") == 0


def test_a_slice_of_thirty_two_rows_is_unknown_whatever_its_luck() -> None:
    rows = judged()
    kinds = np.array(rows.holdout["kind"].to_pylist(), dtype=object)
    kinds[np.linspace(0, len(kinds) - 1, 32).astype(int)] = "rare"
    holdout = rows.holdout.set_column(rows.holdout.column_names.index("kind"), "kind", pa.array(kinds.tolist()))
    unlucky = honest_answers(rows) + 5.0 * (kinds == "rare")
    quality = quality_of(replace(rows, holdout=holdout), unlucky)
    rare = next(one for one in quality.slices if one.result.name == "kind = rare")
    assert rare.result.status is SliceStatus.UNKNOWN
    assert rare.result.n_needed == slice_quality.FEWEST_ROWS
    assert quality.count("failed") == 0


def test_without_settled_rows_nothing_passes() -> None:
    quality = quality_of(judged(), honest_answers(judged()))
    assert slice_quality.unsettled(quality) is None
    assert "known to hold" in (slice_quality.unsettled(replace(quality, settled={"kind": 0.2})) or "")
    assert "was not found" in (slice_quality.unsettled(replace(quality, planted_found=False)) or "")
    assert "no slice was declared" in (slice_quality.unsettled(replace(quality, settled={})) or "")


def test_a_level_that_training_never_had_is_found_by_counting() -> None:
    train, holdout = table(60, 40, 0), table(40, 40, 1, 60)
    kept = train.filter(pa.array([kind != "c" for kind in train["kind"].to_pylist()]))
    for raw in (None, pa.concat_tables([train, holdout])):
        data = Tables(kept, holdout, ROLES, raw)
        rows = judged_rows.read(data, Answers(None), "regression")
        found = slice_coverage.in_training(rows, ("kind",), data)
        assert found is not None
        assert (found.name, found.found, found.ratio) == ("kind = c", 0, 0.0)


def test_a_level_that_is_new_in_the_raw_rows_too_was_not_lost() -> None:
    train, holdout = table(60, 40, 0), table(40, 40, 1, 60)
    kept = train.filter(pa.array([kind != "c" for kind in train["kind"].to_pylist()]))
    data = Tables(kept, holdout, ROLES, pa.concat_tables([kept, holdout]))
    rows = judged_rows.read(data, Answers(None), "regression")
    found = slice_coverage.in_training(rows, ("kind",), data)
    assert found is not None
    assert found.ratio == 1.0


def test_rows_that_are_announced_and_have_not_happened_yet_are_not_missed() -> None:
    train, holdout = table(60, 40, 0), table(40, 40, 1, 60)
    kept = train.filter(pa.array([kind != "c" for kind in train["kind"].to_pylist()]))
    roles = replace(ROLES, outcome=RawColumn("events", "y"))
    data = Timetable(kept, holdout, roles, pa.concat_tables([kept, holdout]))
    found = slice_coverage.in_data(data, ("kind",))
    assert found is not None
    assert found.ratio > 0.9
    without_outcome = slice_coverage.in_data(
        Timetable(kept, holdout, ROLES, pa.concat_tables([kept, holdout])), ("kind",)
    )
    assert without_outcome is not None
    assert (without_outcome.name, without_outcome.ratio) == ("kind = c", 0.0)


def test_a_level_lost_between_raw_rows_and_data_set_is_found_by_counting() -> None:
    raw = pa.concat_tables([table(60, 40, 0), table(40, 40, 1, 60)])
    kept = raw.filter(pa.array([kind != "c" for kind in raw["kind"].to_pylist()]))
    parts = [kept.filter(pa.array([day < 60 for day in days_of(kept)])), kept.filter(pa.array(days_of(kept) >= 60))]
    found = slice_coverage.in_data(Tables(parts[0], parts[1], ROLES, raw), ("kind",))
    assert found is not None
    assert (found.name, found.found) == ("kind = c", 0)


def test_a_level_that_is_out_of_season_in_the_holdout_was_not_lost() -> None:
    raw = pa.concat_tables([table(60, 40, 0), table(40, 40, 1, 60)])
    late = days_of(raw) >= 60
    kinds = np.where(late & (np.array(raw["kind"].to_pylist()) == "c"), "a", raw["kind"].to_pylist())
    seasonal = raw.set_column(raw.column_names.index("kind"), "kind", pa.array(kinds.tolist()))
    data = Tables(seasonal.filter(pa.array(~late)), seasonal.filter(pa.array(late)), ROLES, seasonal)
    found = slice_coverage.in_data(data, ("kind",))
    assert found is not None
    assert found.ratio > 0.9


class Timetable(Tables):
    """Raw rows are announced a year ahead; what has not happened at the end of a window has no outcome."""

    def raw(self, window: Any = None) -> dict[str, pa.Table]:
        whole = super().raw()["events"]
        if window is None:
            return {"events": whole}
        happened = pc.less(whole["at"], pa.scalar(window[1], pa.timestamp("us", "UTC")))
        outcome = pc.if_else(happened, whole["y"], pa.scalar(None, pa.float64()))
        return {"events": whole.set_column(whole.column_names.index("y"), "y", outcome)}


def days_of(rows: pa.Table) -> np.ndarray:
    seconds = rows["at"].cast(pa.int64()).to_numpy() / 1e6
    return ((seconds - seconds.min()) // 86_400).astype(int)
