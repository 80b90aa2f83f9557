"""The clock of a refresh policy: ages count from the newest row, whatever was registered or stamped since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mltest import ModelInfo, PartFailure, RefreshPolicy, Withheld
from mltest.probes import model_age

ROWS = datetime(2024, 5, 1, tzinfo=UTC)
NEWEST = {"train": ROWS, "validation": ROWS + timedelta(days=30), "holdout": ROWS + timedelta(days=60)}
NOW = ROWS + timedelta(days=200)
POLICY = RefreshPolicy(timedelta(days=30), reported_age=lambda _, at: at - ROWS)
SERVED = ModelInfo("1", trained_until=ROWS)


def read(policy: RefreshPolicy = POLICY, served: ModelInfo | None = SERVED) -> model_age.ClockReading:
    return model_age.read(policy, [(ROWS, ROWS), (ROWS, None)], served, NEWEST, NOW)


def test_an_age_that_counts_from_the_newest_row_is_right() -> None:
    found = read()
    assert (found.of_trainings, found.beyond, found.reported) == (0.0, 0.0, 0.0)


def test_a_registration_sixty_days_later_is_found() -> None:
    late = replace(POLICY, reported_age=lambda _, at: at - ROWS - timedelta(days=60))
    assert read(late).reported == 60.0


def test_an_age_that_is_too_old_errs_on_the_safe_side() -> None:
    early = replace(POLICY, reported_age=lambda _, at: at - ROWS + timedelta(days=60))
    assert read(early).reported == -60.0


@pytest.mark.parametrize(("days", "beyond"), [(-40, 0.0), (0.5, 0.0), (14, 14.0), (30, 0.0), (90, 90.0)])
def test_a_claim_of_newer_rows_than_there_are_is_found_and_a_refit_is_not(days: float, beyond: float) -> None:
    assert read(served=ModelInfo("1", trained_until=ROWS + timedelta(days=days))).beyond == beyond


def test_the_age_of_a_refitted_model_counts_from_the_rows_of_the_refit() -> None:
    refit = ModelInfo("1", trained_until=NEWEST["validation"])
    assert read(replace(POLICY, reported_age=lambda _, at: at - NEWEST["validation"]), refit).reported == 0.0


def test_a_training_that_stamps_its_own_moment_is_found() -> None:
    found = model_age.read(POLICY, [(ROWS, NOW)], SERVED, NEWEST, NOW)
    assert found.of_trainings == 200.0


def test_a_date_without_a_zone_is_read_as_utc() -> None:
    assert read(served=ModelInfo("1", trained_until=ROWS.replace(tzinfo=None))).beyond == 0.0


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        (RefreshPolicy(timedelta(days=30)), None),
        (RefreshPolicy(timedelta(days=30)), ModelInfo("1")),
        (RefreshPolicy(timedelta(days=30), counted_from="registration"), SERVED),
        (POLICY, None),
    ],
)
def test_where_nothing_tells_an_age_the_probe_is_withheld(policy: RefreshPolicy, served: ModelInfo | None) -> None:
    with pytest.raises(Withheld, match=r"`reported_age|`model`"):
        read(policy, served)


def test_a_policy_that_raises_or_answers_with_a_number_is_an_error() -> None:
    with pytest.raises(PartFailure, match="KeyError"):
        read(replace(POLICY, reported_age=lambda version, _: {}[version]))
    with pytest.raises(PartFailure, match="must be a timedelta"):
        read(replace(POLICY, reported_age=lambda _, at: 12.0))  # type: ignore[arg-type, return-value]


def test_a_policy_needs_an_age_above_zero() -> None:
    assert model_age.require(POLICY) is POLICY
    with pytest.raises(Withheld, match="above zero"):
        model_age.require(replace(POLICY, every=timedelta(0)))
    with pytest.raises(PartFailure, match="give a timedelta"):
        model_age.require(replace(POLICY, every=30))  # type: ignore[arg-type]
    with pytest.raises(Withheld, match="names no age"):
        model_age.require(replace(POLICY, every=None))  # type: ignore[arg-type]


def test_the_clock_may_lag_by_a_tenth_of_the_policy_or_by_a_day() -> None:
    assert model_age.allowed(POLICY) == 3.0
    assert model_age.allowed(RefreshPolicy(timedelta(hours=6))) == 1.0
