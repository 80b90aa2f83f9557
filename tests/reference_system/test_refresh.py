"""The age of a model is that of the newest flight that it learned from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reference_system import refresh

AUGUST = datetime(2013, 8, 31, 23, tzinfo=UTC)


def test_the_age_counts_from_the_newest_flight() -> None:
    assert refresh.age(AUGUST, AUGUST + timedelta(days=40)) == timedelta(days=40)


def test_a_model_without_a_date_has_no_age() -> None:
    with pytest.raises(ValueError, match="train it again"):
        refresh.age(None, AUGUST)


def test_the_policy_replaces_models_at_an_age_that_the_curve_speaks_of() -> None:
    assert refresh.EVERY / timedelta(days=1) in refresh.CURVE
    assert refresh.CURVE[refresh.EVERY / timedelta(days=1)] < 0.02
