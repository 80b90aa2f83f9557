"""Scorecards over time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mltest.ledger import Ledger, LedgerError
from mltest.scorecard import RubricInfo, RunInfo, Score, Scorecard, SystemInfo, Tally

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def card(started: datetime = NOW, final: float | None = 1.0) -> Scorecard:
    tally = Tally(final, {"data": 1.0})
    return Scorecard(
        rubric=RubricInfo("ours", "a" * 64),
        system=SystemInfo("eta", "regression"),
        run=RunInfo(started, 1.0, "manual", "by hand", None, 0, "quick"),
        score=Score(final, "band", final is None, {"data": 1.0}, tally, tally),
        sections=(),
        items=(),
    )


def test_what_is_recorded_comes_back(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.record(card())
    ledger.record(card(NOW + timedelta(days=1)))
    assert [c.run.started for c in ledger.scorecards("eta")] == [NOW, NOW + timedelta(days=1)]
    assert ledger.scorecards("other") == ()


def test_only_complete_runs_of_the_same_system_and_rubric_within_the_window_count(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.record(card(NOW - timedelta(days=30)))
    ledger.record(card(NOW))
    ledger.record(card(NOW, final=None))
    ledger.record(replace(card(NOW), system=SystemInfo("other", "regression")))
    since = NOW - timedelta(days=7)
    assert ledger.earlier_runs("eta", "a" * 64, since) == 1
    assert ledger.earlier_runs("eta", "b" * 64, since) == 0


def test_a_ledger_that_was_never_written_is_empty(tmp_path):
    assert Ledger(tmp_path / "none.sqlite").earlier_runs("eta", "a" * 64, NOW) == 0


def test_a_file_that_is_no_ledger_is_named(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_text("this is no database, and longer than a header" * 50)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite cannot be used"):
        Ledger(path).record(card())
